package pelican.kernel;

/**
 * Masks, shifts and shuffles of kernels for vectors of 512 bits, 16 lanes each. From an array: see
 * {@link Q4KDot}.
 */
final class WideConstants {
  /** The lower nibbles of bytes. */
  static final int NIBBLES = 0;

  /** Where the upper bits of Q6_K belong. */
  static final int UPPER_BITS = 1 * 16;

  /** Where the fifth bits of Q5_K belong. */
  static final int FIFTHS = 2 * 16;

  /** By how many bits shorts are shifted, two in each lane. */
  static final int EIGHT = 3 * 16;

  static final int TWELVE = 4 * 16;

  /** The lower half, for both halves. */
  static final int TWICE = 5 * 16;

  /** How the upper bits of four groups of Q6_K come to their place. */
  static final int LEFT = 6 * 16;

  static final int RIGHT = 7 * 16;

  /** How the fifth bits of four groups of Q5_K do. */
  static final int EVEN_FIFTHS = 8 * 16;

  static final int ODD_FIFTHS = 9 * 16;

  /** The low nibbles of 16 bytes of Q4_0 are 16 weights, the high ones the next 16. */
  static final int NIBBLE_SHIFT = 10 * 16;

  /**
   * Scales of groups, spread over their weights: of 0 and 2, of 1 and 3; and which come after four.
   */
  static final int EVEN_SCALES = 11 * 16;

  static final int ODD_SCALES = 12 * 16;

  static final int AFTER_FOUR = 13 * 16;

  /** Scales of 16 weights: the first four, the next four, and which come after eight. */
  static final int FIRST_QUARTERS = 14 * 16;

  static final int NEXT_QUARTERS = 15 * 16;

  static final int AFTER_EIGHT = 16 * 16;

  /**
   * Which words the six bits of scales, in the lower half, and of minimums come from, and how: see
   * {@link SuperBlockScales#SIX_BITS}.
   */
  static final int WORDS = 17 * 16;

  static final int SHIFT = 18 * 16;

  static final int MASK = 19 * 16;

  static final int LOW_SHIFT = 20 * 16;

  static final int LOW_MASK = 21 * 16;

  /** The upper half, for both halves. */
  static final int UPPER_TWICE = 22 * 16;

  static final int[] INTS = new int[23 * 16];

  /**
   * Where 64 bytes begin that have the second and the fourth of four blocks of Q4_0, and no more.
   */
  static final int SECOND = 4 * 18 - 64;

  /** The nibbles of two blocks of Q4_0, each twice. */
  static final int FIRST_AND_THIRD = 0;

  static final int SECOND_AND_FOURTH = 64;

  static final byte[] BYTES = new byte[2 * 64];

  static {
    for (int i = 0; i < 16; i++) {
      int half = i >> 3;
      int six = i & 7;
      INTS[NIBBLES + i] = 0x0f0f0f0f;
      INTS[UPPER_BITS + i] = 0x30303030;
      INTS[FIFTHS + i] = 0x10101010;
      INTS[EIGHT + i] = 0x00080008;
      INTS[TWELVE + i] = 0x000c000c;
      INTS[TWICE + i] = six;
      INTS[LEFT + i] = half == 0 ? 4 : 2;
      INTS[RIGHT + i] = half == 0 ? 0 : 2;
      INTS[EVEN_FIFTHS + i] = half == 0 ? 4 : 2;
      INTS[ODD_FIFTHS + i] = half == 0 ? 3 : 1;
      INTS[NIBBLE_SHIFT + i] = i & 4;
      INTS[EVEN_SCALES + i] = 2 * half;
      INTS[ODD_SCALES + i] = 1 + 2 * half;
      INTS[AFTER_FOUR + i] = i + 4 & 15;
      INTS[FIRST_QUARTERS + i] = i >> 2;
      INTS[NEXT_QUARTERS + i] = 4 + (i >> 2);
      INTS[AFTER_EIGHT + i] = i + 8 & 15;
      INTS[WORDS + i] = 1 + half;
      INTS[SHIFT + i] = SuperBlockScales.SIX_BITS[six];
      INTS[MASK + i] = SuperBlockScales.SIX_BITS[8 + six];
      INTS[LOW_SHIFT + i] = SuperBlockScales.SIX_BITS[16 + 8 * half + six];
      INTS[UPPER_TWICE + i] = 8 + six;
      INTS[LOW_MASK + i] = SuperBlockScales.SIX_BITS[32 + six];
    }
    for (int i = 0; i < 64; i++) {
      int at = 2 * 18 * (i >> 5) + 2 + (i & 15);
      BYTES[FIRST_AND_THIRD + i] = (byte) at;
      BYTES[SECOND_AND_FOURTH + i] = (byte) (at + 18 - SECOND);
    }
  }

  private WideConstants() {}
}
