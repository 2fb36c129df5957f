package pelican.grammar;

import java.util.Set;
import pelican.grammar.regex.Automaton;
import pelican.grammar.regex.Encoding;

/**
 * The inside of a string that an automaton allows, and its closing quote. Each string is written in
 * one way: escaped is only what has to be.
 *
 * @param state of the automaton, before the character that is being read
 * @param phase what the byte before was part of; while in a character of several bytes, 8 times its
 *     length and the bytes that have to come
 * @param bits of that character so far
 * @param count characters so far, up to {@code limit}
 * @param limit characters after which the string takes the shortest way to its end
 */
record PatternText(Automaton automaton, int state, int phase, int bits, int count, int limit)
    implements Node {
  private static final int TEXT = 0;
  private static final int ESCAPE = 1;

  /** After the {@code u} of an escape, and after one, two, and three digits. */
  private static final int DIGIT_1 = 2;

  private static final int DIGIT_2 = 3;
  private static final int DIGIT_3 = 4;
  private static final int DIGIT_4 = 5;

  /** A string, opening quote excluded. */
  static PatternText of(Automaton automaton, int limit) {
    return new PatternText(automaton, automaton.start(), TEXT, 0, 0, limit);
  }

  @Override
  public void step(int value, Stack rest, Set<Stack> out) {
    if (state == Automaton.DEAD) {
      return;
    }
    if (phase == TEXT && value == '"') {
      if (automaton.accepts(state)) {
        out.add(rest);
      }
      return;
    }
    PatternText next = next(value);
    if (next != null) {
      int after = next.shortest();
      if (after < NEVER && (count < limit || after < shortest())) {
        out.add(rest.push(next));
      }
    }
  }

  private PatternText next(int value) {
    return switch (phase) {
      case TEXT ->
          value == '\\'
              ? at(ESCAPE, 0)
              : value < 0x20 ? null : value < 0x80 ? read(value) : lead(value);
      case ESCAPE -> {
        int c = Encoding.escaped(value);
        yield value == 'u' ? at(DIGIT_1, 0) : c < 0 ? null : read(c);
      }
      case DIGIT_1 -> value == '0' ? at(DIGIT_2, 0) : null;
      case DIGIT_2 -> value == '0' ? at(DIGIT_3, 0) : null;
      case DIGIT_3 -> value == '0' || value == '1' ? at(DIGIT_4, (value - '0') << 4) : null;
      case DIGIT_4 -> {
        int digit = "0123456789abcdef".indexOf(value);
        yield digit < 0 || Encoding.isShort(bits | digit) ? null : read(bits | digit);
      }
      default -> tail(value);
    };
  }

  private PatternText at(int next, int value) {
    return new PatternText(automaton, state, next, value, count, limit);
  }

  private PatternText read(int codePoint) {
    int to = automaton.step(state, codePoint);
    return to == Automaton.DEAD
        ? null
        : new PatternText(automaton, to, TEXT, 0, Math.min(limit, count + 1), limit);
  }

  private PatternText lead(int value) {
    int length = value < 0xc2 ? 0 : value < 0xe0 ? 2 : value < 0xf0 ? 3 : value < 0xf5 ? 4 : 0;
    return length == 0 ? null : at(8 * length + length - 1, value & (0x7f >> length));
  }

  private PatternText tail(int value) {
    if (value < 0x80 || value > 0xbf) {
      return null;
    }
    int all = bits << 6 | value & 0x3f;
    return phase % 8 > 1 ? at(phase - 1, all) : all < least() ? null : read(all);
  }

  /** The least character of the length of this one. */
  private int least() {
    return phase / 8 == 2 ? 0x80 : phase / 8 == 3 ? 0x800 : 0x10000;
  }

  @Override
  public int shortest() {
    if (state == Automaton.DEAD) {
      return NEVER;
    }
    int best =
        switch (phase) {
          case TEXT -> automaton.shortest(state);
          case ESCAPE -> {
            int way = 5 + control(0, 0x1f);
            for (int c : new int[] {'"', '\\', '\b', '\t', '\n', '\f', '\r'}) {
              way = Math.min(way, 1 + automaton.shortestAfter(state, c, c));
            }
            yield way;
          }
          case DIGIT_1, DIGIT_2, DIGIT_3 -> 6 - phase + control(0, 0x1f);
          case DIGIT_4 -> 1 + control(bits, bits + 0xf);
          default -> {
            int left = phase % 8;
            int first = Math.max(least(), bits << 6 * left);
            int last = Math.min(Character.MAX_CODE_POINT, ((bits + 1) << 6 * left) - 1);
            yield first > last ? NEVER : left + automaton.shortestAfter(state, first, last);
          }
        };
    return Math.min(NEVER, best + 1);
  }

  /** The fewest bytes after a control character of a range that has no short escape. */
  private int control(int first, int last) {
    int best = Automaton.NEVER;
    for (int c = first; c <= last; c++) {
      if (!Encoding.isShort(c)) {
        best = Math.min(best, automaton.shortestAfter(state, c, c));
      }
    }
    return best;
  }

  @Override
  public Node clamp(int bytes) {
    if (state == Automaton.DEAD) {
      return this;
    }
    int alike = automaton.representative(state, bytes);
    int few = (long) count + bytes < limit ? 0 : count;
    return alike == state && few == count
        ? this
        : new PatternText(automaton, alike, phase, bits, few, limit);
  }
}
