package pelican.kernel;

/** How a kernel wants the values of the vector that it multiplies with. */
public enum ActivationOrder {
  /** As they come. */
  PLAIN {
    @Override
    void arrange(float[] values, int columns, float[] ordered, float[] sums) {
      System.arraycopy(values, 0, ordered, 0, columns);
    }
  },
  /**
   * For 64 bytes of nibbles seen as 16 ints: position k·16 + lane of a run of 128 holds the value that
   * meets byte k of the int (low nibbles, k = 0..3; high nibbles, k = 4..7). Sums: over each 32 values.
   */
  NIBBLES_OF_16_INTS {
    @Override
    void arrange(float[] values, int columns, float[] ordered, float[] sums) {
      for (int run = 0; run < columns; run += 128) {
        for (int k = 0; k < 8; k++) {
          int to = run + 16 * k;
          int from = run + 32 * (k >> 2) + (k & 3);
          for (int lane = 0; lane < 8; lane++) {
            ordered[to + lane] = values[from + 4 * lane];
            ordered[to + 8 + lane] = values[from + 64 + 4 * lane];
          }
        }
      }
      sum(values, columns, 32, sums);
    }
  },
  /** The same for 32 bytes seen as 8 ints: runs of 64, position k·8 + lane. */
  NIBBLES_OF_8_INTS {
    @Override
    void arrange(float[] values, int columns, float[] ordered, float[] sums) {
      for (int run = 0; run < columns; run += 64) {
        for (int k = 0; k < 8; k++) {
          int to = run + 8 * k;
          int from = run + 32 * (k >> 2) + (k & 3);
          for (int lane = 0; lane < 8; lane++) {
            ordered[to + lane] = values[from + 4 * lane];
          }
        }
      }
      sum(values, columns, 32, sums);
    }
  };

  /**
   * Writes one vector in this order.
   *
   * @param values the vector
   * @param columns its length, a multiple of the order's run
   * @param ordered gets the values in this order
   * @param sums gets the sums of groups of values
   */
  abstract void arrange(float[] values, int columns, float[] ordered, float[] sums);

  private static void sum(float[] values, int columns, int group, float[] sums) {
    for (int g = 0; g < columns / group; g++) {
      float sum = 0;
      for (int i = 0; i < group; i++) {
        sum += values[g * group + i];
      }
      sums[g] = sum;
    }
  }
}
