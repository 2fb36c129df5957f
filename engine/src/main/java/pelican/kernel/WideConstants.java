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

  /** Of 32 ints in two vectors, the lower halves of both, and the upper ones. */
  static final int LOWER_HALVES = 13 * 16;

  static final int UPPER_HALVES = 14 * 16;

  /** The numbers of the scales of groups 0 and 4 of Q6_K, two for each; of 1 and 5, and so on. */
  static final int FOURTHS_0 = 15 * 16;

  static final int FOURTHS_1 = 16 * 16;

  static final int FOURTHS_2 = 17 * 16;

  static final int FOURTHS_3 = 18 * 16;

  /**
   * Which words the six bits of scales, in the lower half, and of minimums come from, and how: see
   * {@link SuperBlockScales#SIX_BITS}.
   */
  static final int WORDS = 19 * 16;

  static final int SHIFT = 20 * 16;

  static final int MASK = 21 * 16;

  static final int LOW_SHIFT = 22 * 16;

  static final int LOW_MASK = 23 * 16;

  static final int[] INTS = new int[24 * 16];

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
      INTS[LOWER_HALVES + i] = i + 8 * half;
      INTS[UPPER_HALVES + i] = 8 + i + 8 * half;
      INTS[FOURTHS_0 + i] = 6 * half + quarter;
      INTS[FOURTHS_1 + i] = 2 + 6 * half + quarter;
      INTS[FOURTHS_2 + i] = 4 + 6 * half + quarter;
      INTS[FOURTHS_3 + i] = 6 + 6 * half + quarter;
      INTS[WORDS + i] = 1 + half;
      INTS[SHIFT + i] = SuperBlockScales.SIX_BITS[six];
      INTS[MASK + i] = SuperBlockScales.SIX_BITS[8 + six];
      INTS[LOW_SHIFT + i] = SuperBlockScales.SIX_BITS[16 + 8 * half + six];
      INTS[LOW_MASK + i] = SuperBlockScales.SIX_BITS[32 + six];
    }
  }

  private WideConstants() {}
}
