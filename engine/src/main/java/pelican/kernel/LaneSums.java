package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Sums of eight lanes, kept outside the heap, and how they become the values of a product. */
final class LaneSums {
  /**
   * Sums that the kernels for one token make at a time: many, so that rows are read in long runs.
   */
  private static final int DOT_SUMS = 1024;

  /** Rows that the kernels for one token read at once. */
  private static final int STREAMS = 4;

  /** Room for the sums that the kernels for one token make at a time. */
  static final int DOT_BYTES = DOT_SUMS * 32;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  private LaneSums() {}

  /** Whether there is room for the sums of so many parts of the rows that are read at once. */
  static boolean hold(int parts) {
    return parts * STREAMS <= DOT_SUMS;
  }

  /** How many of the rows that are left the kernels for one token take next. */
  static int dotRows(int left, int parts) {
    int most = DOT_SUMS / parts & -STREAMS;
    return left < STREAMS ? left : Math.min(most, left & -STREAMS);
  }

  /** How many of some rows the kernels for one token read at once. */
  static int streams(int rows) {
    return rows % STREAMS == 0 ? STREAMS : 1;
  }

  /** Adds the lanes of the sums that the kernels for one token made of some rows. */
  static void store(long sums, int rows, int streams, int parts, float[] out, int o) {
    int each = rows / streams;
    long from = sums;
    for (int r = 0; r < each; r++) {
      for (int p = 0; p < parts; p++) {
        for (int m = 0; m < streams; m++) {
          float sum = 0x1p-16f * sum(from);
          int at = o + m * each + r;
          out[at] = p > 0 ? out[at] + sum : sum;
          from += 32;
        }
      }
    }
  }

  /** Sets sums to zero. */
  static void clear(long sums, int count) {
    for (int i = 0; i < count; i++) {
      FloatVector.zero(F8).intoMemorySegment(Memory.ALL, sums + 32L * i & Memory.ANY, LITTLE);
    }
  }

  /**
   * The sum of eight lanes, in an order of its own: that of a vector's reduction is another one
   * once the method is compiled, and the same prompt would not give the same logits.
   */
  static float sum(long address) {
    long at = address & Memory.ANY;
    float a = Memory.ALL.get(Memory.FLOAT, at) + Memory.ALL.get(Memory.FLOAT, at + 16);
    float b = Memory.ALL.get(Memory.FLOAT, at + 4) + Memory.ALL.get(Memory.FLOAT, at + 20);
    float c = Memory.ALL.get(Memory.FLOAT, at + 8) + Memory.ALL.get(Memory.FLOAT, at + 24);
    float d = Memory.ALL.get(Memory.FLOAT, at + 12) + Memory.ALL.get(Memory.FLOAT, at + 28);
    return a + c + (b + d);
  }
}
