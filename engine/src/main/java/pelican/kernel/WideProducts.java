package pelican.kernel;

import java.lang.ref.Reference;
import pelican.gguf.GgmlType;

/**
 * Products of rows of super-blocks with {@link WideTokens} in vectors of 512 bits, by {@link
 * WideQ4K}, {@link WideQ5K}, {@link WideQ6K} and {@link WideQ40}.
 *
 * <p>Each sum of a row and a token consists of the same operations in the same order, whether the
 * token comes alone or with others: see {@link IntegerTiles}.
 */
final class WideProducts {
  /**
   * Rows that are read at once, far apart: see {@link RowDots}. The compiler writes out a loop over
   * two, but not over four, and without that one load follows all of them, which keeps the machine
   * from fetching ahead: half as fast from memory.
   */
  static final int STREAMS = 2;

  /**
   * How many bytes before they are multiplied an int of each cache line is read. A processor takes
   * up some hundred instructions beyond one that waits for memory, but only those of two or three
   * super-blocks where they wait with it for vectors, which is too few for enough lines to be on
   * the way; these ints wait for nothing. Further ahead they would disturb the machine's own
   * prefetching.
   */
  static final int AHEAD = 128;

  /**
   * Rows that are multiplied with one token at a time: many, since behind them both streams jump,
   * and nothing is fetched ahead there.
   */
  private static final int SINGLE_ROWS = 4096;

  /** Rows, and tokens, of a tile: its sums and a block of its tokens stay in the level 1 cache. */
  private static final int ROWS = WideSums.COUNT;

  private static final int TOKENS = 16;

  /** What is read of sums beyond those that are wanted: see {@link WideSums#COUNT}. */
  private static final int BEYOND = STREAMS * WideSums.COUNT;

  private static final int SUMS_BYTES =
      WideSums.BYTES * (Math.max(SINGLE_ROWS, ROWS * TOKENS) + BEYOND);

  /** Room for the sums, for {@link WideSums#store}, and for the unpacked weights of a tile. */
  static final int SCRATCH_BYTES = SUMS_BYTES + WideSums.SCRATCH_BYTES + WideTiles.ROW_BYTES * ROWS;

  private WideProducts() {}

  /**
   * {@code out[offset + t·stride + r] = Σ w[r][c]·x[t][c]} for rows [rowFrom, rowTo).
   *
   * @param w of a type that {@link IntegerTiles#has has products of integers}
   */
  static void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset, int stride) {
    if (x.tokens() == 1 && !x.isAsBatch()) {
      single(w, rowFrom, rowTo, x, out, offset);
    } else {
      batch(w, rowFrom, rowTo, x, out, offset, stride);
    }
    Reference.reachabilityFence(x);
  }

  private static void single(
      Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset) {
    GgmlType type = w.format().type();
    WideTokens q = x.wideTokens(type);
    long address = Memory.address(w, rowFrom, rowTo);
    long sums = Scratch.ofThread().block();
    int blocks = w.columns() / WideTokens.BLOCK;
    int rows;
    for (int row = rowFrom; row < rowTo; row += rows) {
      int left = rowTo - row;
      // the last few are sets by themselves, each of the same row
      rows = left < STREAMS ? 1 : Math.min(SINGLE_ROWS, left & -STREAMS);
      int sets = (rows + STREAMS - 1) / STREAMS;
      long at = address + (row - rowFrom) * w.rowBytes();
      long distance = rows == 1 ? 0 : sets * w.rowBytes();
      long values = q.values(0, 0);
      long factors = q.factors(0, 0);
      WideSums.clear(sums, STREAMS * sets);
      int ahead =
          switch (type) {
            case Q4_K -> WideQ4K.dot(at, distance, sets, blocks, values, factors, sums);
            case Q5_K -> WideQ5K.dot(at, distance, sets, blocks, values, factors, sums);
            case Q6_K -> WideQ6K.dot(at, distance, sets, blocks, values, factors, sums);
            case Q4_0 -> WideQ40.dot(at, distance, sets, blocks, values, factors, sums);
            default -> throw new IllegalArgumentException(type.toString());
          };
      // the compiler leaves out reads that nobody uses
      Memory.ALL.set(Memory.INT, sums + SUMS_BYTES & Memory.ANY, ahead);
      for (int m = 0; m < Math.min(STREAMS, rows); m++) {
        for (int i = 0; i < sets; i += WideSums.COUNT) {
          WideSums.store(
              sums + (long) WideSums.BYTES * (STREAMS * i + m),
              WideSums.BYTES * STREAMS,
              sums + SUMS_BYTES,
              out,
              offset + row + m * sets + i,
              Math.min(WideSums.COUNT, sets - i));
        }
      }
    }
  }

  private static void batch(
      Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset, int stride) {
    GgmlType type = w.format().type();
    WideTokens q = x.wideTokens(type);
    long address = Memory.address(w, rowFrom, rowTo);
    long sums = Scratch.ofThread().block();
    int blocks = w.columns() / WideTokens.BLOCK;
    long weights = sums + SUMS_BYTES + WideSums.SCRATCH_BYTES;
    int all = x.tokens();
    for (int row = rowFrom; row < rowTo; row += ROWS) {
      int rows = Math.min(ROWS, rowTo - row);
      long at = address + (row - rowFrom) * w.rowBytes();
      fetch(at, rows * w.rowBytes(), sums);
      for (int t = 0; t < all; t += TOKENS) {
        int tokens = Math.min(TOKENS, all - t);
        WideSums.clear(sums, rows * tokens);
        for (int b = 0; b < blocks; b++) {
          tile(
              type,
              at + (long) IntegerTiles.blockBytes(type) * b,
              w.rowBytes(),
              rows,
              q.values(b, t),
              q.factors(b, t),
              tokens,
              weights,
              sums);
        }
        for (int i = 0; i < tokens; i++) {
          WideSums.store(
              sums + (long) WideSums.BYTES * i,
              (long) WideSums.BYTES * tokens,
              sums + SUMS_BYTES,
              out,
              offset + (t + i) * stride + row,
              rows);
        }
      }
    }
  }

  /** A block of some tokens with that of some rows. */
  private static void tile(
      GgmlType type,
      long at,
      long distance,
      int rows,
      long values,
      long factors,
      int tokens,
      long weights,
      long sums) {
    switch (type) {
      case Q4_K -> WideQ4K.unpack(at, distance, rows, weights);
      case Q5_K -> WideQ5K.unpack(at, distance, rows, weights);
      case Q6_K -> WideQ6K.unpack(at, distance, rows, weights);
      case Q4_0 -> WideQ40.unpack(at, distance, rows, weights);
      default -> throw new IllegalArgumentException(type.toString());
    }
    switch (type) {
      case Q5_K -> WideTiles.fiveBits(weights, rows, values, factors, tokens, sums);
      case Q6_K -> WideTiles.sixBits(weights, rows, values, factors, tokens, sums);
      default -> WideTiles.nibbles(weights, rows, values, factors, tokens, sums);
    }
  }

  /**
   * Reads a value of each cache line of some rows, so that they come from memory many at a time:
   * what multiplies them does too much with each to have many on the way.
   */
  private static void fetch(long at, long bytes, long scratch) {
    int sum = 0;
    for (long i = 0; i < bytes; i += 64) {
      sum += Memory.ALL.get(Memory.INT, at + i & Memory.ANY);
    }
    Memory.ALL.set(Memory.INT, scratch & Memory.ANY, sum);
  }
}
