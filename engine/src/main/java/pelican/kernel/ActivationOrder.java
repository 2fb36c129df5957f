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
  NIBBLES_512 {
    @Override
    int source(int position) {
      int k = position >> 4;
      int lane = position & 15;
      return 64 * (lane >> 3) + 32 * (k >> 2) + 4 * (lane & 7) + (k & 3);
    }

    /** For each four groups their sums times the bases that nibbles are read under, then bare. */
    @Override
    void sums(float[] values, int from, int columns, float[] sums, int o) {
      for (int g = 0; g < columns / 32; g++) {
        float sum = sum(values, from + 32 * g, 32);
        int at = o + 8 * (g >> 2) + (g & 3);
        sums[at] = sum * ((g & 1) == 0 ? Q4KDot512.LOW : Q4KDot512.HIGH);
        sums[at + 4] = sum;
      }
    }
  },
  /**
   * For 32 bytes of nibbles as 8 ints: position 8·k + lane of a run of 64 holds the value that
   * meets byte k of the int, in the low nibble for k &lt; 4, in the high one of byte k − 4
   * otherwise.
   */
  NIBBLES_256 {
    @Override
    int source(int position) {
      int k = position >> 3 & 7;
      return (position & 64) + 32 * (k >> 2) + 4 * (position & 7) + (k & 3);
    }

    @Override
    void sums(float[] values, int from, int columns, float[] sums, int o) {
      for (int g = 0; g < columns / 32; g++) {
        int at = o + 8 * (g >> 2) + (g & 3);
        sums[at] = 0;
        sums[at + 4] = sum(values, from + 32 * g, 32);
      }
    }

    @Override
    float factor(int position) {
      return 1f / (1 << 8 * (position >> 3 & 3));
    }
  },
  /**
   * For half a block of six bits: position 32·k + 8·quarter + lane of a run of 128 holds the value
   * that meets byte k of the int in a quarter of 32 weights.
   */
  SIX_BITS_512 {
    @Override
    int source(int position) {
      return 32 * (position >> 3 & 3) + 4 * (position & 7) + (position >> 5);
    }

    /** For each group its sum times what is added to its weights. */
    @Override
    void sums(float[] values, int from, int columns, float[] sums, int o) {
      for (int g = 0; g < columns / 16; g++) {
        sums[o + g] =
            sum(values, from + 16 * g, 16)
                * ((g & 4) == 0 ? Q6KDot512.LOW_OFFSET : Q6KDot512.HIGH_OFFSET);
      }
    }
  },
  /** The same order, for the kernel of 256 bits. */
  SIX_BITS_256 {
    @Override
    int source(int position) {
      return SIX_BITS_512.source(position);
    }

    /** For each group its sum times what is added to its weights. */
    @Override
    void sums(float[] values, int from, int columns, float[] sums, int o) {
      for (int g = 0; g < columns / 16; g++) {
        sums[o + g] = sum(values, from + 16 * g, 16) * Q6KDot256.OFFSET;
      }
    }

    @Override
    float factor(int position) {
      int k = position >> 5;
      return 1f / (1 << 8 * k);
    }
  };

  private static final int RUN = 128;

  private final int[] sources = new int[RUN];
  private final float[] factors = new float[RUN];

  ActivationOrder() {
    for (int i = 0; i < RUN; i++) {
      sources[i] = source(i);
      factors[i] = factor(i);
    }
  }

  /** Which value of a run stands at a position. */
  abstract int source(int position);

  /** What a value is multiplied with, by its position in a run. */
  float factor(int position) {
    return 1;
  }

  /**
   * Writes the sums that take the bases and minimums out of a product.
   *
   * @param sums gets a value for every 16 columns, from {@code o} on
   */
  abstract void sums(float[] values, int from, int columns, float[] sums, int o);

  private static float sum(float[] values, int from, int count) {
    float sum = 0;
    for (int i = from; i < from + count; i++) {
      sum += values[i];
    }
    return sum;
  }

  /**
   * Writes one vector in this order.
   *
   * @param values the vector, from {@code from} on
   * @param columns its length, a multiple of 128
   * @param ordered gets the values in this order, then the {@link #sums}, columns / 16 of them
   */
  void arrange(float[] values, int from, int columns, float[] ordered) {
    for (int run = 0; run < columns; run += RUN) {
      for (int i = 0; i < RUN; i++) {
        ordered[run + i] = values[from + run + sources[i]] * factors[i];
      }
    }
    sums(values, from, columns, ordered, columns);
  }
}
