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
 * Products of quantized rows with a few tokens in vectors of 256 bits. A row becomes {@link
 * ByteRows bytes}; a tile makes eight weights at a time of them and multiplies these with eight
 * tokens. Its sums stay in registers, and each FMA takes its other factor from memory, as a core
 * that loads as many vectors a cycle as it multiplies can do. So there is no pass that decodes
 * weights to floats, which for a few tokens takes longer than their products.
 */
final class ByteTiles {
  /** Columns of all tokens and of a few rows that stay in the level 2 cache for all rows. */
  private static final int PART_COLUMNS = 3072;

  /** Columns of eight tokens that stay in the level 1 cache for a few rows. */
  private static final int TILE_COLUMNS = 512;

  /** Rows that are unpacked at a time. */
  private static final int ROWS = 16;

  /** Room for the unpacked weights, their scales, and the sums. */
  static final int SCRATCH_BYTES =
      ROWS * (PART_COLUMNS / ByteRows.GROUP) * (ByteRows.GROUP + ByteRows.SCALE_BYTES)
          + ROWS * Activations.SMALL_BATCH * 32;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // Which of two scales and two minimums is whose; from an array: see Q4KDot.
  private static final int[] CONSTANTS = new int[2 * 8];

  static {
    for (int i = 0; i < 8; i++) {
      CONSTANTS[i] = i >> 2;
      CONSTANTS[8 + i] = 2 + (i >> 2);
    }
  }

  private ByteTiles() {}

  /** The tokens of the panels: those there are and up to three of zeros. */
  static int padded(int tokens) {
    int whole = tokens & -8;
    return tokens == whole ? whole : whole + tile(tokens - whole);
  }

  /** The tokens of the next tile; the last may have half as many as the others, or one. */
  private static int tile(int tokens) {
    return tokens > 4 ? 8 : tokens > 1 ? 4 : 1;
  }

  /**
   * Writes tokens in the order of the tiles: for a tile, its tokens' vectors for byte 0 of the ints
   * of a group, then for byte 1, and so on.
   *
   * @param x [tokens][columns]
   * @param groupFrom the first group of columns to write
   * @param groupTo the end of the groups to write
   * @param panels the address of the panels of all tokens, {@code 4·padded(tokens)·columns} bytes
   */
  static void pack(float[] x, int tokens, int columns, int groupFrom, int groupTo, long panels) {
    int tile;
    for (int first = 0; first < tokens; first += tile) {
      tile = tile(tokens - first);
      long to = panels + 4L * (first * columns + tile * groupFrom * ByteRows.GROUP);
      for (int i = 4 * groupFrom; i < 4 * groupTo; i++) {
        int column = (i >> 2) * ByteRows.GROUP + (i & 3);
        for (int t = first; t < first + tile; t++) {
          if (t < tokens) {
            pack(x, t * columns + column, to);
          } else {
            FloatVector.zero(F8).intoMemorySegment(Memory.ALL, to & Memory.ANY, LITTLE);
          }
          to += 32;
        }
      }
    }
  }

  /** Every fourth value. */
  private static void pack(float[] x, int from, long to) {
    for (int lane = 0; lane < 8; lane++) {
      Memory.ALL.set(Memory.FLOAT, to + 4L * lane & Memory.ANY, x[from + 4 * lane]);
    }
  }

  /**
   * {@code out[offset + t·stride + r] = Σ w[r][c]·x[t][c]} for rows [rowFrom, rowTo).
   *
   * @param w of a type that {@link ByteRows#has} a form for
   * @param x at most {@link Activations#SMALL_BATCH} tokens
   * @param panels the address of what {@link #pack} made of them
   */
  static void multiply(
      Matrix w,
      int rowFrom,
      int rowTo,
      Activations x,
      long panels,
      float[] out,
      int offset,
      int stride) {
    long address = Memory.address(w, rowFrom, rowTo);
    long scratch = Scratch.ofThread().block();
    for (int c = 0; c < w.columns(); c += PART_COLUMNS) {
      int count = Math.min(PART_COLUMNS, w.columns() - c);
      for (int r = rowFrom; r < rowTo; r += ROWS) {
        int rows = Math.min(ROWS, rowTo - r);
        long from = address + w.rowBytes() * (r - rowFrom);
        long sums =
            scratch
                + (long) ROWS * count / ByteRows.GROUP * (ByteRows.GROUP + ByteRows.SCALE_BYTES);
        part(w, from, rows, c, count, x.tokens(), panels, scratch, sums);
        store(sums, rows, x.tokens(), c > 0, out, offset + r, stride);
      }
    }
    Reference.reachabilityFence(x);
  }

  /**
   * The products of a few rows' columns [column, column + count) with all tokens: sums whose lanes
   * are still to be added, of a tile's tokens for each row in turn.
   */
  private static void part(
      Matrix w,
      long from,
      int rows,
      int column,
      int count,
      int tokens,
      long panels,
      long bytes,
      long sums) {
    GgmlType type = w.format().type();
    long scales = bytes + (long) rows * count;
    long scaleBytes = (long) (count / ByteRows.GROUP) * ByteRows.SCALE_BYTES;
    long at = from + (long) (column / type.blockSize()) * type.blockBytes();
    int blocks = count / type.blockSize();
    for (int r = 0; r < rows; r++) {
      long to = bytes + (long) count * r;
      // the minimums that are not needed go where the sums will be
      ByteRows.unpack(type, at + w.rowBytes() * r, blocks, to, scales + scaleBytes * r);
    }
    LaneSums.clear(sums, rows * padded(tokens));
    for (int c = 0; c < count; c += TILE_COLUMNS) {
      int groups = Math.min(TILE_COLUMNS, count - c) / ByteRows.GROUP;
      long scalesAt = scales + (long) (c / ByteRows.GROUP) * ByteRows.SCALE_BYTES;
      long to = sums;
      int tile;
      for (int t = 0; t < tokens; t += tile) {
        tile = tile(tokens - t);
        long panel = panels + 4L * ((long) t * w.columns() + (long) tile * (column + c));
        for (int r = 0; r < rows; r++) {
          long weights = bytes + c + (long) count * r;
          switch (tile) {
            case 8 -> tile8(weights, scalesAt + scaleBytes * r, groups, panel, to);
            case 4 -> tile4(weights, scalesAt + scaleBytes * r, groups, panel, to);
            default -> tile1(weights, scalesAt + scaleBytes * r, groups, panel, to);
          }
          to += 32L * tile;
        }
      }
    }
  }

  /** Adds the lanes of the sums, and what is there already where that is wanted. */
  private static void store(
      long sums, int rows, int tokens, boolean add, float[] out, int o, int stride) {
    long from = sums;
    int tile;
    for (int t = 0; t < tokens; t += tile) {
      tile = tile(tokens - t);
      for (int r = 0; r < rows; r++) {
        for (int i = 0; i < Math.min(tile, tokens - t); i++) {
          int at = o + (t + i) * stride + r;
          float sum = LaneSums.sum(from + 32L * i);
          out[at] = add ? out[at] + sum : sum;
        }
        from += 32L * tile;
      }
    }
  }

  /**
   * Adds the products of one row with eight tokens.
   *
   * @param w the address of the row's bytes
   * @param scales the address of their scales and minimums
   * @param x the address of the tokens' panel
   * @param sums the address of a vector of sums for each token
   */
  private static void tile8(long w, long scales, int groups, long x, long sums) {
    VectorShuffle<Float> spreadScale = IntVector.fromArray(I8, CONSTANTS, 0).toShuffle().cast(F8);
    VectorShuffle<Float> spreadMinimum = IntVector.fromArray(I8, CONSTANTS, 8).toShuffle().cast(F8);
    long to = sums & Memory.ANY;
    FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE);
    FloatVector a1 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 32, LITTLE);
    FloatVector a2 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 64, LITTLE);
    FloatVector a3 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 96, LITTLE);
    FloatVector a4 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 128, LITTLE);
    FloatVector a5 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 160, LITTLE);
    FloatVector a6 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 192, LITTLE);
    FloatVector a7 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 224, LITTLE);
    for (int g = 0; g < groups; g++) {
      long at = w + (long) ByteRows.GROUP * g & Memory.ANY;
      long scaleAt = scales + (long) ByteRows.SCALE_BYTES * g & Memory.ANY;
      long p = x + 1024L * g & Memory.ANY;
      IntVector u = IntVector.fromMemorySegment(I8, Memory.ALL, at, LITTLE);
      FloatVector pair = FloatVector.fromMemorySegment(F8, Memory.ALL, scaleAt, LITTLE);
      FloatVector scale = pair.rearrange(spreadScale);
      FloatVector minimum = pair.rearrange(spreadMinimum);
      FloatVector w0 =
          ((FloatVector) u.and(255).convertShape(VectorOperators.I2F, F8, 0)).fma(scale, minimum);
      a0 = w0.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p, LITTLE), a0);
      a1 = w0.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 32, LITTLE), a1);
      a2 = w0.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 64, LITTLE), a2);
      a3 = w0.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 96, LITTLE), a3);
      a4 = w0.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 128, LITTLE), a4);
      a5 = w0.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 160, LITTLE), a5);
      a6 = w0.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 192, LITTLE), a6);
      a7 = w0.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 224, LITTLE), a7);
      VarHandle.loadLoadFence();
      FloatVector w1 =
          ((FloatVector)
                  u.lanewise(VectorOperators.LSHR, 8)
                      .and(255)
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, minimum);
      a0 = w1.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 256, LITTLE), a0);
      a1 = w1.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 288, LITTLE), a1);
      a2 = w1.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 320, LITTLE), a2);
      a3 = w1.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 352, LITTLE), a3);
      a4 = w1.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 384, LITTLE), a4);
      a5 = w1.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 416, LITTLE), a5);
      a6 = w1.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 448, LITTLE), a6);
      a7 = w1.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 480, LITTLE), a7);
      VarHandle.loadLoadFence();
      FloatVector w2 =
          ((FloatVector)
                  u.lanewise(VectorOperators.LSHR, 16)
                      .and(255)
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, minimum);
      a0 = w2.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 512, LITTLE), a0);
      a1 = w2.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 544, LITTLE), a1);
      a2 = w2.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 576, LITTLE), a2);
      a3 = w2.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 608, LITTLE), a3);
      a4 = w2.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 640, LITTLE), a4);
      a5 = w2.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 672, LITTLE), a5);
      a6 = w2.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 704, LITTLE), a6);
      a7 = w2.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 736, LITTLE), a7);
      VarHandle.loadLoadFence();
      FloatVector w3 =
          ((FloatVector)
                  u.lanewise(VectorOperators.LSHR, 24).convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, minimum);
      a0 = w3.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 768, LITTLE), a0);
      a1 = w3.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 800, LITTLE), a1);
      a2 = w3.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 832, LITTLE), a2);
      a3 = w3.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 864, LITTLE), a3);
      a4 = w3.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 896, LITTLE), a4);
      a5 = w3.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 928, LITTLE), a5);
      a6 = w3.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 960, LITTLE), a6);
      a7 = w3.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 992, LITTLE), a7);
      VarHandle.loadLoadFence();
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

  /**
   * The same with four tokens, which have two sums each: with fewer than eight the FMAs would wait
   * for each other.
   */
  private static void tile4(long w, long scales, int groups, long x, long sums) {
    VectorShuffle<Float> spreadScale = IntVector.fromArray(I8, CONSTANTS, 0).toShuffle().cast(F8);
    VectorShuffle<Float> spreadMinimum = IntVector.fromArray(I8, CONSTANTS, 8).toShuffle().cast(F8);
    long to = sums & Memory.ANY;
    FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE);
    FloatVector a1 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 32, LITTLE);
    FloatVector a2 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 64, LITTLE);
    FloatVector a3 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 96, LITTLE);
    FloatVector a4 = FloatVector.zero(F8);
    FloatVector a5 = FloatVector.zero(F8);
    FloatVector a6 = FloatVector.zero(F8);
    FloatVector a7 = FloatVector.zero(F8);
    for (int g = 0; g < groups; g++) {
      long at = w + (long) ByteRows.GROUP * g & Memory.ANY;
      long scaleAt = scales + (long) ByteRows.SCALE_BYTES * g & Memory.ANY;
      long p = x + 512L * g & Memory.ANY;
      IntVector u = IntVector.fromMemorySegment(I8, Memory.ALL, at, LITTLE);
      FloatVector pair = FloatVector.fromMemorySegment(F8, Memory.ALL, scaleAt, LITTLE);
      FloatVector scale = pair.rearrange(spreadScale);
      FloatVector minimum = pair.rearrange(spreadMinimum);
      FloatVector w0 =
          ((FloatVector) u.and(255).convertShape(VectorOperators.I2F, F8, 0)).fma(scale, minimum);
      a0 = w0.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p, LITTLE), a0);
      a1 = w0.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 32, LITTLE), a1);
      a2 = w0.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 64, LITTLE), a2);
      a3 = w0.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 96, LITTLE), a3);
      VarHandle.loadLoadFence();
      FloatVector w1 =
          ((FloatVector)
                  u.lanewise(VectorOperators.LSHR, 8)
                      .and(255)
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, minimum);
      a4 = w1.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 128, LITTLE), a4);
      a5 = w1.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 160, LITTLE), a5);
      a6 = w1.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 192, LITTLE), a6);
      a7 = w1.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 224, LITTLE), a7);
      VarHandle.loadLoadFence();
      FloatVector w2 =
          ((FloatVector)
                  u.lanewise(VectorOperators.LSHR, 16)
                      .and(255)
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, minimum);
      a0 = w2.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 256, LITTLE), a0);
      a1 = w2.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 288, LITTLE), a1);
      a2 = w2.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 320, LITTLE), a2);
      a3 = w2.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 352, LITTLE), a3);
      VarHandle.loadLoadFence();
      FloatVector w3 =
          ((FloatVector)
                  u.lanewise(VectorOperators.LSHR, 24).convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, minimum);
      a4 = w3.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 384, LITTLE), a4);
      a5 = w3.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 416, LITTLE), a5);
      a6 = w3.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 448, LITTLE), a6);
      a7 = w3.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 480, LITTLE), a7);
      VarHandle.loadLoadFence();
    }
    a0.add(a4).intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.add(a5).intoMemorySegment(Memory.ALL, to + 32, LITTLE);
    a2.add(a6).intoMemorySegment(Memory.ALL, to + 64, LITTLE);
    a3.add(a7).intoMemorySegment(Memory.ALL, to + 96, LITTLE);
  }

  /** The same with one token, which has four sums. */
  private static void tile1(long w, long scales, int groups, long x, long sums) {
    VectorShuffle<Float> spreadScale = IntVector.fromArray(I8, CONSTANTS, 0).toShuffle().cast(F8);
    VectorShuffle<Float> spreadMinimum = IntVector.fromArray(I8, CONSTANTS, 8).toShuffle().cast(F8);
    long to = sums & Memory.ANY;
    FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE);
    FloatVector a1 = FloatVector.zero(F8);
    FloatVector a2 = FloatVector.zero(F8);
    FloatVector a3 = FloatVector.zero(F8);
    for (int g = 0; g < groups; g++) {
      long at = w + (long) ByteRows.GROUP * g & Memory.ANY;
      long scaleAt = scales + (long) ByteRows.SCALE_BYTES * g & Memory.ANY;
      long p = x + 128L * g & Memory.ANY;
      IntVector u = IntVector.fromMemorySegment(I8, Memory.ALL, at, LITTLE);
      FloatVector pair = FloatVector.fromMemorySegment(F8, Memory.ALL, scaleAt, LITTLE);
      FloatVector scale = pair.rearrange(spreadScale);
      FloatVector minimum = pair.rearrange(spreadMinimum);
      a0 =
          ((FloatVector) u.and(255).convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, minimum)
              .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p, LITTLE), a0);
      a1 =
          ((FloatVector)
                  u.lanewise(VectorOperators.LSHR, 8)
                      .and(255)
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, minimum)
              .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 32, LITTLE), a1);
      a2 =
          ((FloatVector)
                  u.lanewise(VectorOperators.LSHR, 16)
                      .and(255)
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, minimum)
              .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 64, LITTLE), a2);
      a3 =
          ((FloatVector)
                  u.lanewise(VectorOperators.LSHR, 24).convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, minimum)
              .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 96, LITTLE), a3);
      VarHandle.loadLoadFence();
    }
    a0.add(a1).add(a2.add(a3)).intoMemorySegment(Memory.ALL, to, LITTLE);
  }
}
