package pelican.grammar.regex;

/** A regular expression that is wrong, too large or has what is not supported; tells which. */
public final class RegexException extends Exception {
  private static final long serialVersionUID = 1L;

  RegexException(String problem) {
    super(problem);
  }
}
