package pelican.kernel;

import java.lang.ref.Reference;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import pelican.gguf.GgmlType;

/**
 * Products of rows of super-blocks with one token, by {@link Q4KDot}, {@link Q5KDot}, {@link
 * Q6KDot} and {@link Q40Dot}, which leave a sum of eight lanes for each part of a row.
 *
 * <p>A few rows are read at once, far apart: the machine's own prefetching follows each, and so has
 * more memory lines on their way than one row would give. Two that stand beside each other it takes
 * for one, and gives up.
 */
final class RowDots {
  /** Rows that are read at once, a set: two or four. */
  static final int ROWS = Processor.STREAMS;

  /** Sums that are made at a time: many, so that rows are read in long runs. */
  private static final int SUMS = 1024;

  /** Room for them. */
  static final int SUMS_BYTES = SUMS * 32;

  /** A row's sums of a run: of products of even groups, then of odd ones, then of minimums. */
  static final int ROW_SUMS_BYTES = 3 * 32;

  static final int ODD = 32;
  static final int MINIMUMS = 64;

  /** Those of all rows of a set. */
  static final int RUN_SUMS_BYTES = ROWS * ROW_SUMS_BYTES;

  /** Room for these, and for the scales of a super-block of each row. */
  static final int SCRATCH_BYTES = RUN_SUMS_BYTES + ROWS * 32;

  /**
   * By how many bits shorts are shifted, 16 lanes each: where {@link Processor#SHIFTS_SHORTS}, odd
   * bytes of ints come to even places by that alone.
   */
  static final short[] SHIFTS = new short[2 * 16];

  static {
    Arrays.fill(SHIFTS, 0, 16, (short) 8);
    Arrays.fill(SHIFTS, 16, 32, (short) 12);
  }

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  private RowDots() {}

  /** Whether rows of a type and so many columns can be multiplied here. */
  static boolean has(GgmlType type, int columns) {
    return IntegerTiles.has(type, columns)
        && ROWS * IntegerTiles.parts(columns / QuantizedTokens.BLOCK) <= SUMS;
  }

  /**
   * {@code out[offset + r] = Σ w[r][c]·x[token][c]} for rows [rowFrom, rowTo).
   *
   * @param w a matrix that there {@link #has are products} of
   */
  static void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, int token, float[] out, int offset) {
    QuantizedTokens q = x.quantizedTokens();
    long address = Memory.address(w, rowFrom, rowTo);
    GgmlType type = w.format().type();
    long scratch = Scratch.ofThread().scales();
    long sums = Scratch.ofThread().block();
    int blocks = w.columns() / QuantizedTokens.BLOCK;
    int parts = IntegerTiles.parts(blocks);
    long values = q.values(token, 1, 0);
    long factors = q.factors(token, 1, 0);
    long lastFactor = factors + 4L * (QuantizedTokens.runs(w.columns()) - 1);
    int most = SUMS / parts & -ROWS;
    LaneSums.clear(scratch, RUN_SUMS_BYTES / 32);
    int rows;
    for (int row = rowFrom; row < rowTo; row += rows) {
      int left = rowTo - row;
      // the last few are sets by themselves, each of the same row
      rows = left < ROWS ? 1 : Math.min(most, left & -ROWS);
      int sets = (rows + ROWS - 1) / ROWS;
      long at = address + (row - rowFrom) * w.rowBytes();
      long distance = rows == 1 ? 0 : sets * w.rowBytes();
      LaneSums.clear(sums, ROWS * sets * parts);
      switch (type) {
        case Q4_K -> Q4KDot.dot(at, distance, sets, blocks, values, factors, scratch, sums);
        case Q5_K -> Q5KDot.dot(at, distance, sets, blocks, values, factors, scratch, sums);
        case Q6_K -> Q6KDot.dot(at, distance, sets, blocks, values, factors, scratch, sums);
        case Q4_0 -> Q40Dot.dot(at, distance, sets, blocks, values, factors, scratch, sums);
        default -> throw new IllegalArgumentException(type.toString());
      }
      endRun(scratch, lastFactor, sums + 32L * ROWS * (sets * parts - 1));
      store(sums, rows, sets, parts, out, offset + row);
    }
    Reference.reachabilityFence(x);
  }

  /**
   * Ends a run of a set's rows as {@link IntegerTileKernels} do that of a tile: adds both sums of
   * products and that of minimums, times the token's factor, to those of a part, and sets them to
   * zero for the next run.
   */
  static void endRun(long scratch, long factor, long sums) {
    long first = scratch & Memory.ANY;
    long firstSum = sums & Memory.ANY;
    for (int row = 0; row < ROWS; row++) {
      int m = row & 3;
      long at = first + (long) ROW_SUMS_BYTES * m;
      long to = firstSum + 32L * m;
      FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
          .add(FloatVector.fromMemorySegment(F8, Memory.ALL, at + ODD, LITTLE))
          .add(FloatVector.fromMemorySegment(F8, Memory.ALL, at + MINIMUMS, LITTLE))
          .fma(
              FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor & Memory.ANY)),
              FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE))
          .intoMemorySegment(Memory.ALL, to, LITTLE);
      FloatVector.zero(F8).intoMemorySegment(Memory.ALL, at, LITTLE);
      FloatVector.zero(F8).intoMemorySegment(Memory.ALL, at + ODD, LITTLE);
      FloatVector.zero(F8).intoMemorySegment(Memory.ALL, at + MINIMUMS, LITTLE);
    }
  }

  /** Adds the lanes of the sums of parts, and the parts of a row. */
  private static void store(long sums, int rows, int sets, int parts, float[] out, int o) {
    for (int p = 0; p < parts; p++) {
      for (int m = 0; m < Math.min(rows, ROWS); m++) {
        addLanes(sums + 32L * (ROWS * p + m), ROWS * parts, sets, p > 0, out, o + m * sets);
      }
    }
  }

  private static void addLanes(long sums, int step, int count, boolean add, float[] out, int o) {
    for (int i = 0; i < count; i++) {
      float sum = 0x1p-16f * LaneSums.sum(sums + 32L * step * i);
      out[o + i] = add ? out[o + i] + sum : sum;
    }
  }
}
