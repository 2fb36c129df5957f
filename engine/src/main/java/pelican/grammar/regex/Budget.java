package pelican.grammar.regex;

/** How much may still be done for the automata of one schema, which bounds time and memory. */
public final class Budget {
  /** The most states of an automaton. */
  static final int MOST_STATES = 20_000;

  private static final long MOST_WORK = 40_000_000;

  private long left = MOST_WORK;

  void spend(long work) throws RegexException {
    left -= work;
    if (left < 0) {
      throw new RegexException("it is too large, alone or together with others of the schema");
    }
  }
}
