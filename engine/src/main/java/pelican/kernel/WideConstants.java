package pelican.kernel;

/**
 * Masks, shifts and orders of lanes of kernels for vectors of 512 bits, 16 lanes each. From an
 * array: see {@link Q4KDot}.
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

  /**
   * Of 32 ints in two vectors, those with the first halves of groups of 32 weights, and the second
   * ones: four of each second group in turn, whose nibbles are the lower ones; the upper ones are
   * of the groups after them.
   */
  static final int FIRST_HALVES = 5 * 16;

  static final int SECOND_HALVES = 6 * 16;

  /** The numbers of the groups whose weights then stand there. */
  static final int EVEN_GROUPS = 7 * 16;

  static final int ODD_GROUPS = 8 * 16;

  /** Four ints, or the next four, for all groups. */
  static final int FIRST_FOUR = 9 * 16;

  static final int NEXT_FOUR = 10 * 16;

  /** How far the bits of those groups have to be rotated, from a group's number to the fifth. */
  static final int EVEN_FIFTHS = 11 * 16;

  static final int ODD_FIFTHS = 12 * 16;

  /** The upper half, for both halves. */
  static final int LATER_HALF = 13 * 16;

  /** How the upper bits of four groups of Q6_K come to their place. */
  static final int LEFT = 14 * 16;

  static final int RIGHT = 15 * 16;

  /** The numbers of the scales of 64 weights of Q6_K, four for each; and of the 64 after them. */
  static final int QUARTERS = 16 * 16;

  static final int QUARTERS_4 = 17 * 16;

  static final int QUARTERS_8 = 18 * 16;

  static final int QUARTERS_12 = 19 * 16;

  /**
   * Which words the six bits of scales, in the lower half, and of minimums come from, and how: see
   * {@link SuperBlockScales#SIX_BITS}.
   */
  static final int WORDS = 20 * 16;

  static final int SHIFT = 21 * 16;

  static final int MASK = 22 * 16;

  static final int LOW_SHIFT = 23 * 16;

  static final int LOW_MASK = 24 * 16;

  static final int[] INTS = new int[25 * 16];

  static {
    for (int i = 0; i < 16; i++) {
      int half = i >> 3;
      int quarter = i >> 2;
      int six = i & 7;
      INTS[NIBBLES + i] = 0x0f0f0f0f;
      INTS[UPPER_BITS + i] = 0x30303030;
      INTS[FIFTHS + i] = 0x10101010;
      INTS[EIGHT + i] = 0x00080008;
      INTS[TWELVE + i] = 0x000c000c;
      INTS[FIRST_HALVES + i] = 8 * quarter + (i & 3);
      INTS[SECOND_HALVES + i] = 8 * quarter + 4 + (i & 3);
      INTS[EVEN_GROUPS + i] = 2 * quarter;
      INTS[ODD_GROUPS + i] = 2 * quarter + 1;
      INTS[FIRST_FOUR + i] = i & 3;
      INTS[NEXT_FOUR + i] = 4 + (i & 3);
      INTS[EVEN_FIFTHS + i] = 4 - 2 * quarter;
      INTS[ODD_FIFTHS + i] = 3 - 2 * quarter;
      INTS[LATER_HALF + i] = 8 + (i & 7);
      INTS[LEFT + i] = half == 0 ? 4 : 2;
      INTS[RIGHT + i] = half == 0 ? 0 : 2;
      INTS[QUARTERS + i] = quarter;
      INTS[QUARTERS_4 + i] = 4 + quarter;
      INTS[QUARTERS_8 + i] = 8 + quarter;
      INTS[QUARTERS_12 + i] = 12 + quarter;
      INTS[WORDS + i] = 1 + half;
      INTS[SHIFT + i] = SuperBlockScales.SIX_BITS[six];
      INTS[MASK + i] = SuperBlockScales.SIX_BITS[8 + six];
      INTS[LOW_SHIFT + i] = SuperBlockScales.SIX_BITS[16 + 8 * half + six];
      INTS[LOW_MASK + i] = SuperBlockScales.SIX_BITS[32 + six];
    }
  }

  private WideConstants() {}
}
