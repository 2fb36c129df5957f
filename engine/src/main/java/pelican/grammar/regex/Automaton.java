package pelican.grammar.regex;

import java.util.Arrays;

/**
 * The texts that an expression allows, read by code points. From every state but {@link #DEAD}
 * there is a way to the end of a text. Immutable.
 */
public final class Automaton {
  /** The state from which no text can be completed. */
  public static final int DEAD = -1;

  /** More than any text is long. */
  public static final int NEVER = 1 << 28;

  private final Alphabet alphabet;

  /** By state, then class. */
  private final int[][] next;

  private final boolean[] accepting;
  private final Ways ways;
  private final int slack;
  private final int[] ascii = new int[128];

  /** Groups of states that cannot be told apart by a number of characters, and that number. */
  private volatile Groups groups = new Groups(-1, null);

  private record Groups(int characters, int[] representatives) {}

  /** States that no text completes have been taken out; state 0 is the first, if there is any. */
  Automaton(Alphabet alphabet, int[][] next, boolean[] accepting, Ways ways) {
    this.alphabet = alphabet;
    this.next = next;
    this.accepting = accepting;
    this.ways = ways;
    slack = ways.mostCharacters();
    Arrays.setAll(ascii, alphabet::of);
  }

  /** The first state; {@link #DEAD} if there is no text at all. */
  public int start() {
    return next.length == 0 ? DEAD : 0;
  }

  /** How many states there are. */
  public int size() {
    return next.length;
  }

  /** The state after a character; {@link #DEAD} if it may not come. */
  public int step(int state, int codePoint) {
    int kind = codePoint < 128 ? ascii[codePoint] : alphabet.of(codePoint);
    return kind < 0 ? DEAD : next[state][kind];
  }

  /** Whether all characters of a range lead alike, from any state. */
  public boolean alike(int first, int last) {
    int interval = alphabet.interval(first);
    return alphabet.kind(interval) >= 0 && last <= alphabet.last(interval);
  }

  /** Whether a text may end in a state. */
  public boolean accepts(int state) {
    return state != DEAD && accepting[state];
  }

  /** The fewest bytes in a string of JSON that complete a text. */
  public int shortest(int state) {
    return state == DEAD ? NEVER : ways.bytes[state];
  }

  /**
   * The bytes in a string of JSON that complete a text by at most so many characters. Always, some
   * character takes as many off as it has itself; {@link #NEVER} if there is no such text.
   */
  public int shortest(int state, int most) {
    return state == DEAD || most < 0 ? NEVER : ways.bytes(state, most);
  }

  /** The bytes that complete a text after some character of a range, and at most {@code most}. */
  public int shortestAfter(int state, int first, int last, int most) {
    int best = NEVER;
    for (int i = alphabet.interval(first);
        i < alphabet.intervals() && alphabet.first(i) <= last;
        i++) {
      int kind = alphabet.kind(i);
      if (kind >= 0) {
        best = Math.min(best, shortest(next[state][kind], most));
      }
    }
    return best;
  }

  /** The fewest characters of a text; {@link #NEVER} if there is none. */
  public int fewest() {
    return next.length == 0 ? NEVER : ways.characters(0);
  }

  /** So many characters that with more to come no limit is felt at any state. */
  public int slack() {
    return slack;
  }

  /** Whether a text is allowed. */
  public boolean matches(String text) {
    int state = start();
    for (int at = 0; at < text.length() && state != DEAD; ) {
      int c = text.codePointAt(at);
      state = step(state, c);
      at += Character.charCount(c);
    }
    return accepts(state);
  }

  /** The same state for all from which so many characters, or more, lead to alike states. */
  public int representative(int state, int characters) {
    Groups known = groups;
    if (known.characters < characters) {
      known = new Groups(characters, AutomatonBuilder.representatives(this, characters));
      groups = known;
    }
    return known.representatives[state];
  }

  Alphabet alphabet() {
    return alphabet;
  }

  int next(int state, int kind) {
    return next[state][kind];
  }

  // Equal only to itself: nodes that are compared share one automaton.
}
