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

  /**
   * Rows that the kernels for one token read at once. One gives the machine too few memory lines to
   * fetch ahead; with four, Q6_K came from memory half as fast at hours when memory was slow.
   */
  static final int STREAMS = 2;

  /** Room for the sums that the kernels for one token make at a time. */
  static final int DOT_BYTES = DOT_SUMS * 32;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  private LaneSums() {}

  /** Whether there is room for so many sums of each of the rows that are read at once. */
  static boolean hold(int runs) {
    return runs * STREAMS <= DOT_SUMS;
  }

  /** How many of the rows that are left the kernels for one token take next. */
  static int dotRows(int left, int runs) {
    int most = DOT_SUMS / runs & -STREAMS;
    return left < STREAMS ? left : Math.min(most, left & -STREAMS);
  }

  /** How many of some rows the kernels for one token read at once. */
  static int streams(int rows) {
    return rows % STREAMS == 0 ? STREAMS : 1;
  }

  /**
   * Puts the sums of runs together to those of parts, as {@link IntegerTileKernels} do for a tile.
   *
   * @param sums the address of a sum for each run of each row, those of rows that are read at once
   *     together; then of such a sum for each part
   * @param factors the address of the factors of the token's runs
   */
  static void addRuns(long sums, int rows, int streams, int runs, long factors) {
    long to = sums;
    for (int r = 0; r < rows / streams; r++) {
      for (int first = 0; first < runs; first += IntegerTiles.PART_RUNS) {
        int end = Math.min(first + IntegerTiles.PART_RUNS, runs);
        for (int m = 0; m < streams; m++) {
          FloatVector all = FloatVector.zero(F8);
          for (int run = first; run < end; run++) {
            long at = sums + 32L * ((r * runs + run) * streams + m) & Memory.ANY;
            float factor = Memory.ALL.get(Memory.FLOAT, factors + 4L * run & Memory.ANY);
            all =
                FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
                    .fma(FloatVector.broadcast(F8, factor), all);
          }
          all.intoMemorySegment(Memory.ALL, to & Memory.ANY, LITTLE);
          to += 32;
        }
      }
    }
  }

  /**
   * Adds the lanes of what the kernels for one token made of some rows.
   *
   * @param sums the address of a sum for each part of each row, those of rows that are read at once
   *     together
   */
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
