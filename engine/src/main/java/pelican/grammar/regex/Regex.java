package pelican.grammar.regex;

import java.util.List;

/** The parts of a regular expression. */
sealed interface Regex {
  /** One character. */
  record Chars(CodePoints set) implements Regex {}

  /** All one after the other; none is the empty text. */
  record Sequence(List<Regex> parts) implements Regex {}

  /** One of several. */
  record Either(List<Regex> options) implements Regex {}

  /**
   * Several times.
   *
   * @param most -1 for any number
   */
  record Repeat(Regex part, int least, int most) implements Regex {}

  /** The beginning of the text, taking up none of it. */
  record Start() implements Regex {}

  /** The end of the text, taking up none of it. */
  record End() implements Regex {}
}
