package pelican.grammar;

import java.util.Set;

/**
 * The inside of a string and its closing quote. Escapes are those of RFC 8259 but for surrogates,
 * whose characters are written as UTF-8.
 *
 * @param phase what the byte before was part of
 * @param least code points that have to come
 * @param most code points that may come
 */
record StringText(Phase phase, int least, int most) implements Node {
  enum Phase {
    TEXT(0),
    ESCAPE(1),
    HEX_1(4),
    HEX_2(3),
    /** After D, which begins surrogates too. */
    HEX_2_OF_D(3),
    HEX_3(2),
    HEX_4(1),
    TAIL_1(1),
    TAIL_2(2),
    TAIL_3(3),
    /** After E0: A0 to BF, as the shorter form is to be used otherwise. */
    AFTER_E0(2),
    /** After ED: 80 to 9F, as surrogates follow. */
    AFTER_ED(2),
    /** After F0: 90 to BF. */
    AFTER_F0(3),
    /** After F4: 80 to 8F, as there is nothing beyond U+10FFFF. */
    AFTER_F4(3);

    final int bytes;

    Phase(int bytes) {
      this.bytes = bytes;
    }
  }

  /** As {@code most}: any number, which is not counted. */
  private static final int UNBOUNDED = Integer.MAX_VALUE;

  /** A string of so many code points, opening quote excluded. */
  static StringText of(int least, int most) {
    return new StringText(Phase.TEXT, least, most);
  }

  /** What follows the first byte of a character of several bytes, or null if it is none. */
  static Phase lead(int value) {
    if (value < 0xc2 || value > 0xf4) {
      return null;
    }
    return switch (value) {
      case 0xe0 -> Phase.AFTER_E0;
      case 0xed -> Phase.AFTER_ED;
      case 0xf0 -> Phase.AFTER_F0;
      case 0xf4 -> Phase.AFTER_F4;
      default -> value < 0xe0 ? Phase.TAIL_1 : value < 0xf0 ? Phase.TAIL_2 : Phase.TAIL_3;
    };
  }

  /** What follows a further byte of such a character, or null if it may not come. */
  static Phase tail(Phase phase, int value) {
    int low = phase == Phase.AFTER_E0 ? 0xa0 : phase == Phase.AFTER_F0 ? 0x90 : 0x80;
    int high = phase == Phase.AFTER_ED ? 0x9f : phase == Phase.AFTER_F4 ? 0x8f : 0xbf;
    if (value < low || value > high) {
      return null;
    }
    return switch (phase) {
      case TAIL_1 -> Phase.TEXT;
      case TAIL_2, AFTER_E0, AFTER_ED -> Phase.TAIL_1;
      default -> Phase.TAIL_2;
    };
  }

  @Override
  public void step(int value, Stack rest, Set<Stack> out) {
    if (phase == Phase.TEXT && value == '"') {
      if (least == 0) {
        out.add(rest);
      }
      return;
    }
    boolean hex = value < 128 && Character.digit(value, 16) >= 0;
    Phase next =
        switch (phase) {
          case TEXT -> most == 0 ? null : begin(value);
          case ESCAPE ->
              value == 'u' ? Phase.HEX_1 : "\"\\/bfnrt".indexOf(value) >= 0 ? Phase.TEXT : null;
          case HEX_1 -> !hex ? null : value == 'd' || value == 'D' ? Phase.HEX_2_OF_D : Phase.HEX_2;
          case HEX_2 -> hex ? Phase.HEX_3 : null;
          case HEX_2_OF_D -> value >= '0' && value <= '7' ? Phase.HEX_3 : null;
          case HEX_3 -> hex ? Phase.HEX_4 : null;
          case HEX_4 -> hex ? Phase.TEXT : null;
          default -> tail(phase, value);
        };
    if (next != null) {
      boolean begins = phase == Phase.TEXT;
      out.add(
          rest.push(
              new StringText(
                  next,
                  begins ? Math.max(0, least - 1) : least,
                  begins && most < UNBOUNDED ? most - 1 : most)));
    }
  }

  private static Phase begin(int value) {
    if (value == '\\') {
      return Phase.ESCAPE;
    }
    return value >= 0x20 && value < 0x80 ? Phase.TEXT : lead(value);
  }

  @Override
  public int shortest() {
    return phase.bytes + least + 1;
  }

  @Override
  public Node clamp(int bytes) {
    return least <= bytes && most <= bytes
        ? this
        : new StringText(phase, Math.min(least, bytes), most <= bytes ? most : UNBOUNDED);
  }
}
