package pelican.kernel;

/**
 * The order in which a kernel meets the values of the vector that it multiplies with. Kernels see
 * the bytes of a block as little-endian ints, since vectors of ints shift and floats have as many
 * lanes: one vector then holds every fourth byte, and the vector's values have to stand in that
 * order.
 */
enum ActivationOrder {
  /**
   * For 64 bytes of nibbles as 16 ints: position 16·k + lane of a run of 128 holds the value that
   * meets byte k of the int, in the low nibble for k &lt; 4, in the high one of byte k − 4
   * otherwise. The low nibbles of 32 bytes are 32 consecutive weights, the high ones the next 32.
   */
  NIBBLES(32) {
    @Override
    int source(int position) {
      int k = position >> 4;
      int lane = position & 15;
      return 64 * (lane >> 3) + 32 * (k >> 2) + 4 * (lane & 7) + (k & 3);
    }
  },
  /**
   * For half a block of six bits: position 32·k + 8·quarter + lane of a run of 128 holds the value
   * that meets byte k of the int in a quarter of 32 weights.
   */
  SIX_BITS(16) {
    @Override
    int source(int position) {
      return 32 * (position >> 3 & 3) + 4 * (position & 7) + (position >> 5);
    }
  };

  private static final int RUN = 128;

  private final int group;
  private final int[] sources = new int[RUN];

  ActivationOrder(int group) {
    this.group = group;
    for (int i = 0; i < RUN; i++) {
      sources[i] = source(i);
    }
  }

  /** Which value of a run stands at a position. */
  abstract int source(int position);

  /** Over how many values each sum goes. */
  int group() {
    return group;
  }

  /**
   * Writes one vector in this order.
   *
   * @param values the vector
   * @param columns its length, a multiple of 128
   * @param ordered gets the values in this order
   * @param sums gets the sums of groups of values, in the values' own order
   */
  void arrange(float[] values, int columns, float[] ordered, float[] sums) {
    for (int run = 0; run < columns; run += RUN) {
      for (int i = 0; i < RUN; i++) {
        ordered[run + i] = values[run + sources[i]];
      }
    }
    for (int g = 0; g < columns / group; g++) {
      float sum = 0;
      for (int i = 0; i < group; i++) {
        sum += values[g * group + i];
      }
      sums[g] = sum;
    }
  }
}
