package pelican.grammar.regex;

import java.util.Arrays;
import java.util.BitSet;

/** A regular expression as states with moves; several at once. */
final class Nfa {
  /** The most states; what repeats is there many times. */
  static final int MOST_STATES = 20_000;

  private enum Kind {
    /** Reads a character of a set. */
    CHARS,
    /** Goes on to both. */
    SPLIT,
    START,
    END,
    MATCH
  }

  private Kind[] kinds = new Kind[64];
  private CodePoints[] sets = new CodePoints[64];
  private int[] first = new int[64];
  private int[] second = new int[64];
  private int size;
  private final int start;

  /** The states after which anything may follow; empty where the end of the text has to match. */
  private final BitSet anything = new BitSet();

  /**
   * @param within whether it is enough that a part of the text matches
   */
  Nfa(Regex regex, boolean within) throws RegexException {
    int match = add(Kind.MATCH, null, -1, -1);
    if (within) {
      Regex any = new Regex.Repeat(new Regex.Chars(CodePoints.ALL), 0, -1);
      int after = build(any, match);
      close(after, false, false, anything);
      start = build(any, build(regex, after));
    } else {
      start = build(regex, match);
    }
  }

  /** The states that matter of some that were reached. */
  BitSet kept(BitSet reached) {
    boolean all = !anything.isEmpty() && reached.stream().anyMatch(this::matches);
    BitSet kept = new BitSet();
    (all ? anything : reached).stream().filter(this::counts).forEach(kept::set);
    return kept;
  }

  private int add(Kind kind, CodePoints set, int to, int other) throws RegexException {
    if (size == MOST_STATES) {
      throw new RegexException(
          "it is too large: with its repeats it has more than " + MOST_STATES + " parts");
    }
    if (size == kinds.length) {
      kinds = Arrays.copyOf(kinds, 2 * size);
      sets = Arrays.copyOf(sets, 2 * size);
      first = Arrays.copyOf(first, 2 * size);
      second = Arrays.copyOf(second, 2 * size);
    }
    kinds[size] = kind;
    sets[size] = set;
    first[size] = to;
    second[size] = other;
    return size++;
  }

  /** Adds the states of a part that goes on to {@code next}; returns its first. */
  private int build(Regex regex, int next) throws RegexException {
    return switch (regex) {
      case Regex.Chars chars -> add(Kind.CHARS, chars.set(), next, -1);
      case Regex.Start anchor -> add(Kind.START, null, next, -1);
      case Regex.End anchor -> add(Kind.END, null, next, -1);
      case Regex.Sequence sequence -> {
        int to = next;
        for (int i = sequence.parts().size() - 1; i >= 0; i--) {
          to = build(sequence.parts().get(i), to);
        }
        yield to;
      }
      case Regex.Either either -> {
        int all = build(either.options().getLast(), next);
        for (int i = either.options().size() - 2; i >= 0; i--) {
          all = add(Kind.SPLIT, null, build(either.options().get(i), next), all);
        }
        yield all;
      }
      case Regex.Repeat repeat -> repeat(repeat, next);
    };
  }

  private int repeat(Regex.Repeat repeat, int next) throws RegexException {
    int to = next;
    if (repeat.most() < 0) {
      int loop = add(Kind.SPLIT, null, -1, next);
      first[loop] = build(repeat.part(), loop);
      to = loop;
    } else {
      for (int i = repeat.least(); i < repeat.most(); i++) {
        to = add(Kind.SPLIT, null, build(repeat.part(), to), next);
      }
    }
    for (int i = 0; i < repeat.least(); i++) {
      // An empty part may be repeated any number of times without becoming any larger.
      int before = to;
      int states = size;
      to = build(repeat.part(), to);
      if (to == before && size == states) {
        break;
      }
    }
    return to;
  }

  CodePoints set(int state) {
    return sets[state];
  }

  int next(int state) {
    return first[state];
  }

  boolean reads(int state) {
    return kinds[state] == Kind.CHARS;
  }

  boolean matches(int state) {
    return kinds[state] == Kind.MATCH;
  }

  int size() {
    return size;
  }

  int start() {
    return start;
  }

  /**
   * Adds a state and all that is reached from it without reading: those that read, that match, and
   * the ends that have to come.
   *
   * @param atStart whether nothing was read before
   * @param atEnd whether nothing is read after
   * @return how many were added
   */
  int close(int state, boolean atStart, boolean atEnd, BitSet seen) {
    int[] stack = new int[16];
    int count = 0;
    int added = 0;
    stack[count++] = state;
    while (count > 0) {
      int at = stack[--count];
      if (at < 0 || seen.get(at)) {
        continue;
      }
      seen.set(at);
      added++;
      boolean on =
          switch (kinds[at]) {
            case SPLIT -> true;
            case START -> atStart;
            case END -> atEnd;
            default -> false;
          };
      if (on) {
        if (count + 2 > stack.length) {
          stack = Arrays.copyOf(stack, 2 * stack.length);
        }
        stack[count++] = second[at];
        stack[count++] = first[at];
      }
    }
    return added;
  }

  private boolean counts(int state) {
    return kinds[state] == Kind.CHARS || kinds[state] == Kind.MATCH || kinds[state] == Kind.END;
  }
}
