package pelican.kernel;

import java.lang.ref.Reference;
import pelican.gguf.GgmlType;

/**
 * Products of rows of super-blocks with {@link QuantizedTokens} in vectors of 256 bits. A row
 * becomes {@link IntegerRows ints}; a tile multiplies 32 weights at a time with eight tokens, whose
 * sums stay in registers.
 *
 * <p>Each sum of a row and a token consists of the same operations in the same order as in {@link
 * Q4KDot} and {@link Q6KDot}, so that a token's product is the same to the last bit, whether it
 * comes alone or with others: a rounding that differed would now and then give the next product's
 * token another integer, and a sequence another answer.
 */
final class IntegerTiles {
  /** Runs of a token whose products are added up before the lanes of the sum are. */
  static final int PART_RUNS = 3;

  /** Super-blocks of a row that meet them. */
  static final int PART_BLOCKS = PART_RUNS * QuantizedTokens.RUN_BLOCKS;

  private static final int BLOCK = QuantizedTokens.BLOCK;

  /** Columns of all tokens and of a few rows that stay in the level 2 cache for all rows. */
  static final int PART_COLUMNS = PART_BLOCKS * BLOCK;

  /** Rows that are unpacked at a time. */
  private static final int ROWS = 16;

  /** Tokens whose sums are kept at a time. */
  private static final int TOKENS = 64;

  /** Room for a part of a row: weights with their scales, and minimums. */
  private static final int ROW_BYTES =
      PART_BLOCKS * (IntegerRows.BLOCK_BYTES + SuperBlockScales.VECTOR_BYTES);

  private static final int RUN_SUM_BYTES = IntegerTileKernels.STEP * IntegerTileKernels.SUMS_BYTES;

  static final int SCRATCH_BYTES = RUN_SUM_BYTES + ROWS * (ROW_BYTES + TOKENS * 32);

  private IntegerTiles() {}

  /** The parts of a row of so many super-blocks. */
  static int parts(int blocks) {
    return (blocks + PART_BLOCKS - 1) / PART_BLOCKS;
  }

  /** Whether products of rows of a type and so many columns are computed with integers. */
  static boolean has(GgmlType type, int columns) {
    return switch (type) {
          case Q4_K, Q5_K, Q6_K, Q4_0 -> true;
          default -> false;
        }
        && columns % BLOCK == 0;
  }

  /** Bytes of {@link QuantizedTokens#BLOCK} weights: a super-block, or eight blocks. */
  static int blockBytes(GgmlType type) {
    return BLOCK / type.blockSize() * type.blockBytes();
  }

  /**
   * {@code out[offset + t·stride + r] = Σ w[r][c]·x[t][c]} for rows [rowFrom, rowTo).
   *
   * @param w of a type that {@link #has products}
   */
  static void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset, int stride) {
    long address = Memory.address(w, rowFrom, rowTo);
    long scratch = Scratch.ofThread().block();
    GgmlType type = w.format().type();
    for (int part = 0; part < w.columns(); part += PART_COLUMNS) {
      int columns = Math.min(PART_COLUMNS, w.columns() - part);
      for (int r = rowFrom; r < rowTo; r += ROWS) {
        int rows = Math.min(ROWS, rowTo - r);
        long at = address + w.rowBytes() * (r - rowFrom) + (long) (part / BLOCK) * blockBytes(type);
        long next = r + 2 * ROWS <= rowTo ? ROWS * w.rowBytes() : 0;
        fetch(at, w.rowBytes(), rows, columns / BLOCK * blockBytes(type), next, scratch);
        unpack(type, at, w.rowBytes(), rows, columns, scratch);
        for (int t = 0; t < x.tokens(); t += TOKENS) {
          int tokens = Math.min(TOKENS, x.tokens() - t);
          tiles(type, rows, columns, x, t, tokens, part, scratch);
          store(scratch, rows, x, t, tokens, part > 0, out, offset + r, stride);
        }
      }
    }
    Reference.reachabilityFence(x);
  }

  private static long rows(long scratch) {
    return scratch + RUN_SUM_BYTES;
  }

  private static long sums(long scratch) {
    return rows(scratch) + ROWS * ROW_BYTES;
  }

  /**
   * Reads a value of each cache line of a few rows' columns, so that they come from memory many at
   * a time: what unpacks them does too much with each to have many on the way. And one of each row
   * after them, so that their pages' addresses are looked up meanwhile.
   *
   * @param next how many bytes after each row is another that comes next, or 0
   */
  private static void fetch(long at, long rowBytes, int rows, int bytes, long next, long scratch) {
    int sum = 0;
    for (int r = 0; r < rows; r++) {
      long row = at + rowBytes * r;
      sum += Memory.ALL.get(Memory.INT, row + next & Memory.ANY);
      for (int i = 0; i < bytes; i += 64) {
        sum += Memory.ALL.get(Memory.INT, row + i & Memory.ANY);
      }
    }
    Memory.ALL.set(Memory.INT, scratch & Memory.ANY, sum);
  }

  private static void unpack(
      GgmlType type, long at, long rowBytes, int rows, int columns, long scratch) {
    for (int r = 0; r < rows; r++) {
      long row = rows(scratch) + (long) ROW_BYTES * r;
      long from = at + rowBytes * r;
      IntegerRows.unpack(type, from, columns / BLOCK, row, minimums(row));
    }
  }

  private static long minimums(long row) {
    return row + PART_BLOCKS * IntegerRows.BLOCK_BYTES;
  }

  /**
   * The products of a few rows' columns with some tokens: sums whose lanes are still to be added,
   * of a tile's tokens for each row in turn.
   *
   * @param first the first token
   * @param part the columns' first
   */
  private static void tiles(
      GgmlType type,
      int rows,
      int columns,
      Activations x,
      int first,
      int tokens,
      int part,
      long scratch) {
    QuantizedTokens q = x.quantizedTokens();
    int all = x.tokens();
    LaneSums.clear(sums(scratch), rows * (tokens + 7 & -8));
    for (int b = 0; b < columns / BLOCK; b += QuantizedTokens.RUN_BLOCKS) {
      int blocks = Math.min(QuantizedTokens.RUN_BLOCKS, columns / BLOCK - b);
      int withMinimums = IntegerRows.hasMinimums(type) ? blocks : 0;
      int column = part + BLOCK * b;
      long to = sums(scratch);
      int tile;
      for (int t = first; t < first + tokens; t += tile) {
        tile = q.tile(all - t);
        long values = q.values(t, tile, column);
        long sumsOfX = q.sums(t, tile, column);
        long factors = q.factors(t, tile, column);
        for (int r = 0; r < rows; r++) {
          long row = rows(scratch) + (long) ROW_BYTES * r;
          long weights = row + (long) IntegerRows.BLOCK_BYTES * b;
          long minimums = minimums(row) + (long) SuperBlockScales.VECTOR_BYTES * b;
          long odd = weights + IntegerRows.GROUP_BYTES;
          long oddValues = values + (long) tile * QuantizedTokens.GROUP_BYTES;
          long oddSums = scratch + IntegerTileKernels.SUMS_BYTES;
          switch (tile) {
            case 8 -> {
              IntegerTileKernels.tile8(weights, blocks, values, scratch);
              IntegerTileKernels.tile8(odd, blocks, oddValues, oddSums);
              IntegerTileKernels.finish8(scratch, withMinimums, minimums, sumsOfX, factors, to);
            }
            case 4 -> {
              IntegerTileKernels.tile4(weights, blocks, values, scratch);
              IntegerTileKernels.tile4(odd, blocks, oddValues, oddSums);
              IntegerTileKernels.finish4(scratch, withMinimums, minimums, sumsOfX, factors, to);
            }
            default -> {
              IntegerTileKernels.tile1(weights, blocks, values, scratch);
              IntegerTileKernels.tile1(odd, blocks, oddValues, oddSums);
              IntegerTileKernels.finish1(scratch, withMinimums, minimums, sumsOfX, factors, to);
            }
          }
          to += 32L * tile;
        }
      }
    }
  }

  /** Adds the lanes of the sums, and what is there already where that is wanted. */
  private static void store(
      long scratch,
      int rows,
      Activations x,
      int first,
      int tokens,
      boolean add,
      float[] out,
      int o,
      int stride) {
    QuantizedTokens q = x.quantizedTokens();
    int all = x.tokens();
    long from = sums(scratch);
    int tile;
    for (int t = first; t < first + tokens; t += tile) {
      tile = q.tile(all - t);
      for (int r = 0; r < rows; r++) {
        for (int i = 0; i < Math.min(tile, first + tokens - t); i++) {
          int at = o + (t + i) * stride + r;
          float sum = 0x1p-16f * LaneSums.sum(from + 32L * i);
          out[at] = add ? out[at] + sum : sum;
        }
        from += 32L * tile;
      }
    }
  }
}
