package pelican.kernel;

import java.lang.ref.Reference;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import pelican.gguf.GgmlType;

/**
 * Products of rows of super-blocks with one token, by {@link Q4KDot} and {@link Q6KDot}, which
 * leave a sum for each run of each row: here runs become rows.
 *
 * <p>Rows are read in pairs, the rows of a pair far apart: the machine's own prefetching follows
 * both, and so has more memory lines on their way than one row would give. With four, Q6_K came
 * from memory half as fast at hours when memory was slow.
 */
final class RowDots {
  /** Rows that are read at once. */
  private static final int PAIR = 2;

  /** Vectors of sums that are made at a time: many, so that rows are read in long runs. */
  private static final int SUMS = 512;

  /** Room for them. */
  static final int SUMS_BYTES = SUMS * 32;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  private RowDots() {}

  /** Whether rows of a type and so many columns can be multiplied here. */
  static boolean has(GgmlType type, int columns) {
    return (type == GgmlType.Q4_K || type == GgmlType.Q6_K)
        && QuantizedTokens.runs(columns) * vectors(type) * PAIR <= SUMS;
  }

  /** Vectors of sums for a run: of products, and of minimums where a type has them. */
  private static int vectors(GgmlType type) {
    return IntegerRows.hasMinimums(type) ? 2 : 1;
  }

  /**
   * {@code out[offset + r] = Σ w[r][c]·x[token][c]} for rows [rowFrom, rowTo).
   *
   * @param w a matrix that there {@link #has are products} of
   */
  static void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, int token, float[] out, int offset) {
    QuantizedTokens q = x.quantizedTokens();
    GgmlType type = w.format().type();
    long address = Memory.address(w, rowFrom, rowTo);
    Scratch scratch = Scratch.ofThread();
    long sums = scratch.block();
    int blocks = w.columns() / QuantizedTokens.BLOCK;
    int runs = QuantizedTokens.runs(w.columns());
    int vectors = vectors(type);
    int most = SUMS / (runs * vectors) & -PAIR;
    int rows;
    for (int row = rowFrom; row < rowTo; row += rows) {
      int left = rowTo - row;
      // the last of an odd number is a pair with itself
      rows = left == 1 ? 1 : Math.min(most, left & -PAIR);
      int pairs = (rows + 1) / PAIR;
      long at = address + (row - rowFrom) * w.rowBytes();
      long distance = (rows - pairs) * w.rowBytes();
      long values = q.values(token, 1, 0);
      LaneSums.clear(sums, pairs * PAIR * runs * vectors);
      if (type == GgmlType.Q4_K) {
        Q4KDot.dot(
            at, distance, pairs, blocks, values, q.sums(token, 1, 0), scratch.scales(), sums);
      } else {
        Q6KDot.dot(at, distance, pairs, blocks, values, sums);
      }
      finish(sums, vectors, rows, pairs, runs, q.factors(token, 1, 0), out, offset + row);
    }
    Reference.reachabilityFence(x);
  }

  /**
   * Adds up the runs of a row to those of its parts, as {@link IntegerTileKernels} do for a tile,
   * then the lanes of those.
   *
   * @param sums the address of the vectors of each run of each pair, those of its first row before
   *     those of its second
   * @param factors the address of the factors of the token's runs
   */
  private static void finish(
      long sums, int vectors, int rows, int pairs, int runs, long factors, float[] out, int o) {
    long step = 32L * vectors;
    for (int pair = 0; pair < pairs; pair++) {
      for (int m = 0; m < Math.min(rows, PAIR); m++) {
        long row = sums + step * (pair * runs * PAIR + m);
        float total = 0;
        for (int first = 0; first < runs; first += IntegerTiles.PART_RUNS) {
          int end = Math.min(first + IntegerTiles.PART_RUNS, runs);
          FloatVector all = FloatVector.zero(F8);
          for (int run = first; run < end; run++) {
            long at = row + step * PAIR * run & Memory.ANY;
            float factor = Memory.ALL.get(Memory.FLOAT, factors + 4L * run & Memory.ANY);
            FloatVector sum = FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE);
            if (vectors > 1) {
              sum = FloatVector.fromMemorySegment(F8, Memory.ALL, at + 32, LITTLE).add(sum);
            }
            all = sum.fma(FloatVector.broadcast(F8, factor), all);
          }
          all.intoMemorySegment(Memory.ALL, row & Memory.ANY, LITTLE);
          float part = 0x1p-16f * LaneSums.sum(row);
          total = first > 0 ? total + part : part;
        }
        out[o + m * pairs + pair] = total;
      }
    }
  }
}
