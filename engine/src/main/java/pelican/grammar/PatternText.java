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
 *     length and the bytes that have to come; below 0, so many bytes of a character that counts as
 *     read already, whatever they are
 * @param bits of that character so far
 * @param left characters that may come at most; if they are not counted, {@link #UNCOUNTED}
 */
record PatternText(Automaton automaton, int state, int phase, int bits, int left) implements Node {
  static final int UNCOUNTED = Integer.MAX_VALUE;

  private static final int TEXT = 0;
  private static final int ESCAPE = 1;

  /** After the {@code u} of an escape, and after one, two, and three digits. */
  private static final int DIGIT_1 = 2;

  private static final int DIGIT_2 = 3;
  private static final int DIGIT_3 = 4;
  private static final int DIGIT_4 = 5;

  /** A string of so many characters at most, opening quote excluded. */
  static PatternText of(Automaton automaton, int most) {
    return new PatternText(automaton, automaton.start(), TEXT, 0, most);
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
    if (next != null && next.shortest() < NEVER) {
      out.add(rest.push(next));
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
    return new PatternText(automaton, state, next, value, left);
  }

  private PatternText read(int codePoint) {
    int to = automaton.step(state, codePoint);
    return to == Automaton.DEAD ? null : after(to, TEXT);
  }

  private PatternText after(int to, int next) {
    return new PatternText(automaton, to, next, 0, left == UNCOUNTED ? left : left - 1);
  }

  private PatternText lead(int value) {
    int length = value < 0xc2 ? 0 : value < 0xe0 ? 2 : value < 0xf0 ? 3 : value < 0xf5 ? 4 : 0;
    return length == 0 ? null : at(8 * length + length - 1, value & (0x7f >> length)).decided();
  }

  private PatternText tail(int value) {
    if (value < 0x80 || value > 0xbf) {
      return null;
    }
    if (phase < 0) {
      return at(phase + 1, 0);
    }
    int all = bits << 6 | value & 0x3f;
    return phase % 8 > 1 ? at(phase - 1, all).decided() : all < least() ? null : read(all);
  }

  /** The same, but without the bits so far if they decide what state follows. */
  private PatternText decided() {
    int left = phase % 8;
    int first = bits << 6 * left;
    int last = ((bits + 1) << 6 * left) - 1;
    if (first < least() || last > Character.MAX_CODE_POINT || !automaton.alike(first, last)) {
      return this;
    }
    int to = automaton.step(state, first);
    return to == Automaton.DEAD ? null : after(to, -left);
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
          case TEXT -> automaton.shortest(state, left);
          case ESCAPE -> {
            int way = 5 + control(0, 0x1f);
            for (int c : new int[] {'"', '\\', '\b', '\t', '\n', '\f', '\r'}) {
              way = Math.min(way, 1 + bytesAfter(c, c));
            }
            yield way;
          }
          case DIGIT_1, DIGIT_2, DIGIT_3 -> 6 - phase + control(0, 0x1f);
          case DIGIT_4 -> 1 + control(bits, bits + 0xf);
          case -3, -2, -1 -> automaton.shortest(state, left) - phase;
          default -> {
            int more = phase % 8;
            int first = Math.max(least(), bits << 6 * more);
            int last = Math.min(Character.MAX_CODE_POINT, ((bits + 1) << 6 * more) - 1);
            yield first > last ? NEVER : more + bytesAfter(first, last);
          }
        };
    return Math.min(NEVER, best + 1);
  }

  /** The fewest bytes after some character of a range. */
  private int bytesAfter(int first, int last) {
    return automaton.shortestAfter(state, first, last, left == UNCOUNTED ? left : left - 1);
  }

  /** The fewest bytes after a control character of a range that has no short escape. */
  private int control(int first, int last) {
    int best = Automaton.NEVER;
    for (int c = first; c <= last; c++) {
      if (!Encoding.isShort(c)) {
        best = Math.min(best, bytesAfter(c, c));
      }
    }
    return best;
  }

  @Override
  public Node clamp(int bytes) {
    if (state == Automaton.DEAD || left < (long) bytes + automaton.slack()) {
      return this;
    }
    int alike = automaton.representative(state, bytes);
    return new PatternText(automaton, alike, phase, bits, UNCOUNTED);
  }
}
