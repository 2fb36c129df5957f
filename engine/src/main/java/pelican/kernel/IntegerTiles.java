package pelican.kernel;

import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import pelican.gguf.GgmlType;

/**
 * Products of rows of super-blocks with {@link QuantizedTokens} in vectors of 256 bits. A row
 * becomes {@link ByteRows bytes}; a tile multiplies 32 of them at a time with eight tokens, whose
 * sums stay in registers.
 *
 * <p>Each sum of a row and a token consists of the same operations in the same order as in {@link
 * Q4KDot} and {@link Q6KDot}, so that a token's product is the same to the last bit, whether it
 * comes alone or with others: a rounding that differed would now and then give the next product's
 * token another integer, and a sequence another answer.
 */
final class IntegerTiles {
  /** Super-blocks of a row whose products are added up before the lanes of the sum are. */
  static final int PART_BLOCKS = 12;

  /** Rows that the kernels for one token take at a time. */
  static final int DOT_ROWS = 64;

  /** Rows that the kernels for one token read at once. */
  private static final int STREAMS = 4;

  private static final int BLOCK = QuantizedTokens.BLOCK;

  /** Columns of all tokens and of a few rows that stay in the level 2 cache for all rows. */
  static final int PART_COLUMNS = PART_BLOCKS * BLOCK;

  /** Super-blocks of eight tokens that stay in the level 1 cache for a few rows. */
  private static final int TILE_BLOCKS = 4;

  /** Rows that are unpacked at a time. */
  static final int ROWS = 16;

  /** Tokens whose sums are kept at a time. */
  private static final int TOKENS = 64;

  /** Room for a part of the rows: the bytes, their scales and minimums. */
  private static final int ROW_BYTES =
      PART_COLUMNS
          + PART_COLUMNS / ByteRows.GROUP * ByteRows.SCALE_BYTES
          + PART_BLOCKS * ByteRows.MINIMUM_BYTES;

  private static final int BLOCK_SUM_BYTES = 2 * TILE_BLOCKS * 8 * 32;

  static final int SCRATCH_BYTES = BLOCK_SUM_BYTES + ROWS * (ROW_BYTES + TOKENS * 32);

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // Which of two scales is whose, and the even bytes of shorts; from an array: see Q4KDot.
  private static final int[] CONSTANTS = new int[2 * 8];

  static {
    for (int i = 0; i < 8; i++) {
      CONSTANTS[i] = i >> 2;
      CONSTANTS[8 + i] = 0x00ff00ff;
    }
  }

  private IntegerTiles() {}

  /** Whether products of weights of a type are computed with integers. */
  static boolean has(GgmlType type) {
    return switch (type) {
      case Q4_K, Q5_K, Q6_K -> true;
      default -> false;
    };
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
        long at =
            address + w.rowBytes() * (r - rowFrom) + (long) (part / BLOCK) * type.blockBytes();
        unpack(type, at, w.rowBytes(), rows, columns, scratch);
        for (int t = 0; t < x.tokens(); t += TOKENS) {
          int tokens = Math.min(TOKENS, x.tokens() - t);
          tiles(type, rows, columns, x, t, tokens, part, scratch);
          store(scratch, rows, x.tokens(), t, tokens, part > 0, out, offset + r, stride);
        }
      }
    }
    Reference.reachabilityFence(x);
  }

  private static long rows(long scratch) {
    return scratch + BLOCK_SUM_BYTES;
  }

  private static long sums(long scratch) {
    return rows(scratch) + ROWS * ROW_BYTES;
  }

  private static void unpack(
      GgmlType type, long at, long rowBytes, int rows, int columns, long scratch) {
    for (int r = 0; r < rows; r++) {
      long row = rows(scratch) + (long) ROW_BYTES * r;
      ByteRows.unpack(type, at + rowBytes * r, columns / BLOCK, row, scales(row), minimums(row));
    }
  }

  private static long scales(long row) {
    return row + PART_COLUMNS;
  }

  private static long minimums(long row) {
    return scales(row) + PART_COLUMNS / ByteRows.GROUP * ByteRows.SCALE_BYTES;
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
    boolean minimums = type != GgmlType.Q6_K;
    // what the format takes off each weight, for the two of an int
    int base = type == GgmlType.Q6_K ? 0x00200020 : 0;
    QuantizedTokens q = x.quantizedTokens();
    int all = x.tokens();
    clear(sums(scratch), rows * (tokens + 7 & -8));
    for (int b = 0; b < columns / BLOCK; b += TILE_BLOCKS) {
      int blocks = Math.min(TILE_BLOCKS, columns / BLOCK - b);
      int halves = 2 * blocks;
      int column = part + BLOCK * b;
      long to = sums(scratch);
      int tile;
      for (int t = first; t < first + tokens; t += tile) {
        tile = QuantizedTokens.tile(all - t, all);
        long values = q.values(t, tile, column);
        long sumsOfX = q.sums(t, tile, column);
        long factors = q.factors(t, tile, column);
        for (int r = 0; r < rows; r++) {
          long row = rows(scratch) + (long) ROW_BYTES * r;
          long bytes = row + (long) BLOCK * b;
          long scales = scales(row) + (long) BLOCK / ByteRows.GROUP * ByteRows.SCALE_BYTES * b;
          long minimumsAt = minimums(row) + (long) ByteRows.MINIMUM_BYTES * b;
          switch (tile) {
            case 8 -> {
              if (minimums) {
                start8(minimumsAt, halves, sumsOfX, scratch);
              } else {
                clear(scratch, 8 * halves);
              }
              tile8(bytes, scales, halves, base, values, scratch);
              finish8(scratch, halves, factors, to);
            }
            case 4 -> {
              if (minimums) {
                start4(minimumsAt, halves, sumsOfX, scratch);
              } else {
                clear(scratch, 4 * halves);
              }
              tile4(bytes, scales, halves, base, values, scratch);
              finish4(scratch, halves, factors, to);
            }
            default -> {
              if (minimums) {
                start1(minimumsAt, halves, sumsOfX, scratch);
              } else {
                clear(scratch, 1 * halves);
              }
              tile1(bytes, scales, halves, base, values, scratch);
              finish1(scratch, halves, factors, to);
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
      int all,
      int first,
      int tokens,
      boolean add,
      float[] out,
      int o,
      int stride) {
    long from = sums(scratch);
    int tile;
    for (int t = first; t < first + tokens; t += tile) {
      tile = QuantizedTokens.tile(all - t, all);
      for (int r = 0; r < rows; r++) {
        for (int i = 0; i < Math.min(tile, first + tokens - t); i++) {
          int at = o + (t + i) * stride + r;
          float sum = 0x1p-16f * sum(from + 32L * i);
          out[at] = add ? out[at] + sum : sum;
        }
        from += 32L * tile;
      }
    }
  }

  /** How many of some rows the kernels for one token read at once. */
  static int streams(int rows) {
    return rows % STREAMS == 0 ? STREAMS : 1;
  }

  /** Adds the lanes of the sums that the kernels for one token made of some rows. */
  static void store(long sums, int rows, int streams, boolean add, float[] out, int o) {
    int each = rows / streams;
    long from = sums;
    for (int r = 0; r < each; r++) {
      for (int m = 0; m < streams; m++) {
        float sum = 0x1p-16f * sum(from);
        int at = o + m * each + r;
        out[at] = add ? out[at] + sum : sum;
        from += 32;
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

  /**
   * What the sums of some blocks of a row begin with for eight tokens: minimums times sums of the
   * tokens' values. Apart from {@link #tile8}, which would be too long for the first compiler.
   */
  private static void start8(long minimums, int halves, long sumsOfX, long sums) {
    for (int h = 0; h < halves; h++) {
      long s = sumsOfX + 256L * h & Memory.ANY;
      long to = sums + 256L * h & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(F8, Memory.ALL, minimums + 32L * h & Memory.ANY, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE))
          .intoMemorySegment(Memory.ALL, to, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 32, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 32, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 64, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 64, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 96, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 96, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 128, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 128, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 160, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 160, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 192, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 192, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 224, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 224, LITTLE);
    }
  }

  /**
   * Adds the products of some blocks of a row with eight tokens.
   *
   * @param w the address of the row's bytes
   * @param scales the address of their scales and minimums
   * @param base what is taken off the even and the odd bytes of a short
   * @param x the address of the tokens' values
   * @param sums the address of a vector for each block and token: what the sum begins with, then
   *     the sum
   */
  private static void tile8(long w, long scales, int halves, int base, long x, long sums) {
    VectorShuffle<Float> spreadScale = IntVector.fromArray(I8, CONSTANTS, 0).toShuffle().cast(F8);
    IntVector mask = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector bases = IntVector.broadcast(I8, base);
    for (int h = 0; h < halves; h++) {
      long sum = sums + 256L * h & Memory.ANY;
      FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum, LITTLE);
      FloatVector a1 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 32, LITTLE);
      FloatVector a2 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 64, LITTLE);
      FloatVector a3 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 96, LITTLE);
      FloatVector a4 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 128, LITTLE);
      FloatVector a5 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 160, LITTLE);
      FloatVector a6 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 192, LITTLE);
      FloatVector a7 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 224, LITTLE);
      for (int g = 4 * h; g < 4 * h + 4; g++) {
        long p = x + 512L * g & Memory.ANY;
        IntVector u =
            IntVector.fromMemorySegment(
                I8, Memory.ALL, w + (long) ByteRows.GROUP * g & Memory.ANY, LITTLE);
        FloatVector scale =
            FloatVector.fromMemorySegment(
                    F8, Memory.ALL, scales + (long) ByteRows.SCALE_BYTES * g & Memory.ANY, LITTLE)
                .rearrange(spreadScale);
        IntVector even = u.and(mask).sub(bases);
        IntVector odd = u.lanewise(VectorOperators.LSHR, 8).and(mask).sub(bases);
        a0 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a0);
        a1 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 64, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 96, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a1);
        VarHandle.loadLoadFence();
        a2 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 128, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 160, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a2);
        a3 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 192, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 224, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a3);
        VarHandle.loadLoadFence();
        a4 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 256, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 288, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a4);
        a5 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 320, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 352, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a5);
        VarHandle.loadLoadFence();
        a6 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 384, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 416, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a6);
        a7 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 448, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 480, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a7);
        VarHandle.loadLoadFence();
      }
      a0.intoMemorySegment(Memory.ALL, sum, LITTLE);
      a1.intoMemorySegment(Memory.ALL, sum + 32, LITTLE);
      a2.intoMemorySegment(Memory.ALL, sum + 64, LITTLE);
      a3.intoMemorySegment(Memory.ALL, sum + 96, LITTLE);
      a4.intoMemorySegment(Memory.ALL, sum + 128, LITTLE);
      a5.intoMemorySegment(Memory.ALL, sum + 160, LITTLE);
      a6.intoMemorySegment(Memory.ALL, sum + 192, LITTLE);
      a7.intoMemorySegment(Memory.ALL, sum + 224, LITTLE);
    }
  }

  /**
   * Adds what {@link #tile8} made of some blocks, times the tokens' factors.
   *
   * @param sums the address of a vector of sums for each token
   */
  private static void finish8(long from, int halves, long factors, long sums) {
    long to = sums & Memory.ANY;
    FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE);
    FloatVector a1 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 32, LITTLE);
    FloatVector a2 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 64, LITTLE);
    FloatVector a3 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 96, LITTLE);
    FloatVector a4 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 128, LITTLE);
    FloatVector a5 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 160, LITTLE);
    FloatVector a6 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 192, LITTLE);
    FloatVector a7 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 224, LITTLE);
    for (int h = 0; h < halves; h++) {
      long at = from + 256L * h & Memory.ANY;
      long factor = factors + 32L * (h >> 1) & Memory.ANY;
      a0 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor)), a0);
      a1 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 32, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 4)), a1);
      a2 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 64, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 8)), a2);
      a3 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 96, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 12)), a3);
      a4 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 128, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 16)), a4);
      a5 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 160, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 20)), a5);
      a6 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 192, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 24)), a6);
      a7 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 224, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 28)), a7);
    }
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.intoMemorySegment(Memory.ALL, to + 32, LITTLE);
    a2.intoMemorySegment(Memory.ALL, to + 64, LITTLE);
    a3.intoMemorySegment(Memory.ALL, to + 96, LITTLE);
    a4.intoMemorySegment(Memory.ALL, to + 128, LITTLE);
    a5.intoMemorySegment(Memory.ALL, to + 160, LITTLE);
    a6.intoMemorySegment(Memory.ALL, to + 192, LITTLE);
    a7.intoMemorySegment(Memory.ALL, to + 224, LITTLE);
  }

  /** The same with four tokens. */
  private static void start4(long minimums, int halves, long sumsOfX, long sums) {
    for (int h = 0; h < halves; h++) {
      long s = sumsOfX + 128L * h & Memory.ANY;
      long to = sums + 128L * h & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(F8, Memory.ALL, minimums + 32L * h & Memory.ANY, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE))
          .intoMemorySegment(Memory.ALL, to, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 32, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 32, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 64, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 64, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 96, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 96, LITTLE);
    }
  }

  /** The same with four tokens. */
  private static void tile4(long w, long scales, int halves, int base, long x, long sums) {
    VectorShuffle<Float> spreadScale = IntVector.fromArray(I8, CONSTANTS, 0).toShuffle().cast(F8);
    IntVector mask = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector bases = IntVector.broadcast(I8, base);
    for (int h = 0; h < halves; h++) {
      long sum = sums + 128L * h & Memory.ANY;
      FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum, LITTLE);
      FloatVector a1 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 32, LITTLE);
      FloatVector a2 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 64, LITTLE);
      FloatVector a3 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 96, LITTLE);
      for (int g = 4 * h; g < 4 * h + 4; g++) {
        long p = x + 256L * g & Memory.ANY;
        IntVector u =
            IntVector.fromMemorySegment(
                I8, Memory.ALL, w + (long) ByteRows.GROUP * g & Memory.ANY, LITTLE);
        FloatVector scale =
            FloatVector.fromMemorySegment(
                    F8, Memory.ALL, scales + (long) ByteRows.SCALE_BYTES * g & Memory.ANY, LITTLE)
                .rearrange(spreadScale);
        IntVector even = u.and(mask).sub(bases);
        IntVector odd = u.lanewise(VectorOperators.LSHR, 8).and(mask).sub(bases);
        a0 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a0);
        a1 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 64, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 96, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a1);
        VarHandle.loadLoadFence();
        a2 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 128, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 160, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a2);
        a3 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 192, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 224, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a3);
        VarHandle.loadLoadFence();
      }
      a0.intoMemorySegment(Memory.ALL, sum, LITTLE);
      a1.intoMemorySegment(Memory.ALL, sum + 32, LITTLE);
      a2.intoMemorySegment(Memory.ALL, sum + 64, LITTLE);
      a3.intoMemorySegment(Memory.ALL, sum + 96, LITTLE);
    }
  }

  /** The same with four tokens. */
  private static void finish4(long from, int halves, long factors, long sums) {
    long to = sums & Memory.ANY;
    FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE);
    FloatVector a1 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 32, LITTLE);
    FloatVector a2 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 64, LITTLE);
    FloatVector a3 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 96, LITTLE);
    for (int h = 0; h < halves; h++) {
      long at = from + 128L * h & Memory.ANY;
      long factor = factors + 16L * (h >> 1) & Memory.ANY;
      a0 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor)), a0);
      a1 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 32, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 4)), a1);
      a2 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 64, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 8)), a2);
      a3 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 96, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 12)), a3);
    }
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.intoMemorySegment(Memory.ALL, to + 32, LITTLE);
    a2.intoMemorySegment(Memory.ALL, to + 64, LITTLE);
    a3.intoMemorySegment(Memory.ALL, to + 96, LITTLE);
  }

  /** The same with one token. */
  private static void start1(long minimums, int halves, long sumsOfX, long sums) {
    for (int h = 0; h < halves; h++) {
      long s = sumsOfX + 32L * h & Memory.ANY;
      long to = sums + 32L * h & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(F8, Memory.ALL, minimums + 32L * h & Memory.ANY, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE))
          .intoMemorySegment(Memory.ALL, to, LITTLE);
    }
  }

  /** The same with one token. */
  private static void tile1(long w, long scales, int halves, int base, long x, long sums) {
    VectorShuffle<Float> spreadScale = IntVector.fromArray(I8, CONSTANTS, 0).toShuffle().cast(F8);
    IntVector mask = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector bases = IntVector.broadcast(I8, base);
    for (int h = 0; h < halves; h++) {
      long sum = sums + 32L * h & Memory.ANY;
      FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum, LITTLE);
      for (int g = 4 * h; g < 4 * h + 4; g++) {
        long p = x + 64L * g & Memory.ANY;
        IntVector u =
            IntVector.fromMemorySegment(
                I8, Memory.ALL, w + (long) ByteRows.GROUP * g & Memory.ANY, LITTLE);
        FloatVector scale =
            FloatVector.fromMemorySegment(
                    F8, Memory.ALL, scales + (long) ByteRows.SCALE_BYTES * g & Memory.ANY, LITTLE)
                .rearrange(spreadScale);
        IntVector even = u.and(mask).sub(bases);
        IntVector odd = u.lanewise(VectorOperators.LSHR, 8).and(mask).sub(bases);
        a0 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a0);
      }
      a0.intoMemorySegment(Memory.ALL, sum, LITTLE);
    }
  }

  /** The same with one token. */
  private static void finish1(long from, int halves, long factors, long sums) {
    long to = sums & Memory.ANY;
    FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE);
    for (int h = 0; h < halves; h++) {
      long at = from + 32L * h & Memory.ANY;
      long factor = factors + 4L * (h >> 1) & Memory.ANY;
      a0 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor)), a0);
    }
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
  }
}
