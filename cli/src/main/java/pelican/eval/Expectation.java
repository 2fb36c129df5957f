package pelican.eval;

import java.math.BigDecimal;
import java.util.Comparator;
import java.util.regex.Pattern;
import pelican.compare.AnswerCheck;
import pelican.engine.PelicanException;
import tools.jackson.databind.JsonNode;

/** What an answer has to be. */
public sealed interface Expectation {
  /**
   * Whether an answer is right.
   *
   * @param answer the text for the user, without thoughts
   * @throws PelicanException if that cannot be told
   */
  boolean isMetBy(String answer);

  /** The expectation, for people. */
  String text();

  /** The whole text, but for white space around it. */
  record Exact(String text) implements Expectation {
    @Override
    public boolean isMetBy(String answer) {
      return answer.strip().equals(text.strip());
    }
  }

  /** A regular expression that is found in the answer; {@code ^…$} for the whole of a line. */
  record Matching(Pattern pattern) implements Expectation {
    @Override
    public boolean isMetBy(String answer) {
      try {
        return pattern.matcher(answer).find();
      } catch (StackOverflowError e) {
        throw new PelicanException(
            "the regular expression '"
                + pattern
                + "' goes too deep on an answer of "
                + answer.length()
                + " characters, expected one without nested repetition");
      }
    }

    @Override
    public String text() {
      return pattern.pattern();
    }
  }

  /**
   * A JSON value, with or without a fence of back-quotes around it. Members may come in any order,
   * and numbers are compared by value: 1 is 1.0.
   */
  record EqualJson(JsonNode value) implements Expectation {
    private static final Comparator<JsonNode> BY_VALUE =
        (a, b) -> a.equals(b) || a.isNumber() && b.isNumber() && equal(a, b) ? 0 : 1;

    private static boolean equal(JsonNode a, JsonNode b) {
      BigDecimal left = a.decimalValue();
      return left.compareTo(b.decimalValue()) == 0;
    }

    @Override
    public boolean isMetBy(String answer) {
      return AnswerCheck.json(answer).filter(given -> value.equals(BY_VALUE, given)).isPresent();
    }

    @Override
    public String text() {
      return value.toString();
    }
  }
}
