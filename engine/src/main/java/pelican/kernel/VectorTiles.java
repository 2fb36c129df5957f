package pelican.kernel;

import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products of decoded rows with several tokens: small tiles whose sums stay in registers, so that
 * each vector that is loaded is used several times. The number of columns is a multiple of 32.
 *
 * <p>Weights and tokens are in memory outside the heap, at multiples of the vectors' size: an
 * array's values begin 16 bytes after a multiple of 8, so that every other load of 32 bytes from it
 * crosses a cache line and counts twice. Tokens stand in {@link #pack panels}, which a tile reads
 * from one end to the other.
 *
 * <p>The fence at the end of a step costs no instruction on x86. It keeps the compiler from moving
 * the next steps' loads forward once it has unrolled the loop: they would take the registers of the
 * sums, which then go through memory in each step.
 *
 * <p>Whatever tile multiplies a row with a token, there is one vector of sums for the two, the
 * columns come in the same order, and the lanes are added in the same order: what a token's product
 * is does not depend on the tokens beside it. A tile leaves its sums in memory, a token's rows one
 * after the other, since the lanes are added there, see {@link VectorFloats#sumOfLanes}.
 */
final class VectorTiles {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Float> S = Processor.FLOATS;
  private static final int L = S.length();
  private static final int BYTES = S.vectorByteSize();

  /** AVX-512 and SVE have 32 registers, room for 4×4 sums; AVX2 has 16. */
  private static final boolean MANY_REGISTERS = S.vectorBitSize() >= 512;

  private static final int ROWS = MANY_REGISTERS ? 4 : 2;

  /** The tokens of a tile. */
  private static final int TOKENS = 4;

  /** Columns and rows of a block of weights, which stays in the level 1 cache. */
  static final int BLOCK_COLUMNS = 512;

  static final int BLOCK_ROWS = 12;

  /**
   * Bytes from one row of a block to the next: a cache line more than the columns need, or all rows
   * would meet in the same sets of the cache.
   */
  static final int ROW_BYTES = BLOCK_COLUMNS * Float.BYTES + 64;

  /** Room for the vectors of sums of a tile. */
  static final int SUMS_BYTES = 16 * BYTES;

  private VectorTiles() {}

  /** The tokens of the panels: of several, the last up to three times more. */
  static int padded(int tokens) {
    return tokens == 1 ? 1 : tokens + TOKENS - 1 & -TOKENS;
  }

  /**
   * Writes tokens in the order of the tiles: the tokens of a tile together, a vector of each in
   * turn.
   *
   * @param x [tokens][columns]
   * @param from the first token of the panels to write
   * @param to the end of the tokens to write
   * @param panels the address of the panels of all tokens, {@code 4·padded(tokens)·columns} bytes
   */
  static void pack(float[] x, int tokens, int columns, int from, int to, long panels) {
    int tile = Math.min(TOKENS, padded(tokens));
    for (int t = from; t < to; t++) {
      long first = panels + (long) Float.BYTES * (t - t % tile) * columns;
      long target = first + (long) BYTES * (t % tile);
      pack(x, Math.min(t, tokens - 1) * columns, columns, target, BYTES * tile);
    }
  }

  private static void pack(float[] x, int source, int columns, long target, int step) {
    for (int i = 0; i < columns / L; i++) {
      FloatVector.fromArray(S, x, source + L * i)
          .intoMemorySegment(Memory.ALL, target + (long) step * i & Memory.ANY, LITTLE);
    }
  }

  /**
   * Adds the products of all rows of a block with all tokens.
   *
   * @param w the address of the block: rows of {@link #ROW_BYTES}
   * @param panels the address of the tokens' panels
   * @param columns the tokens' columns
   * @param column the first of the block's columns
   * @param count the number of the block's columns
   * @param out {@code out[o + t·stride + r]}
   */
  static void multiply(
      long w,
      int rows,
      long panels,
      int tokens,
      int columns,
      int column,
      int count,
      float[] out,
      int o,
      int stride) {
    long sums = Scratch.ofThread().sums();
    int steps = count / L;
    if (tokens == 1) {
      one(w, rows, panels + (long) Float.BYTES * column, steps, out, o, sums);
      return;
    }
    for (int t = 0; t < tokens; t += TOKENS) {
      int tile = Math.min(TOKENS, tokens - t);
      long x = panels + (long) Float.BYTES * ((long) t * columns + (long) TOKENS * column);
      int to = o + t * stride;
      int r = 0;
      for (; r + ROWS <= rows; r += ROWS) {
        long wr = w + (long) r * ROW_BYTES;
        if (MANY_REGISTERS) {
          tile4x4(wr, x, steps, sums);
        } else {
          tile2x4(wr, x, steps, sums);
        }
        for (int i = 0; i < ROWS; i += 2) {
          addPairs(sums + (long) BYTES * i, tile, ROWS * BYTES, out, to + r + i, stride);
        }
      }
      for (; r < rows; r++) {
        for (int i = 0; i < tile; i++) {
          long xi = x + (long) BYTES * i;
          tile1x1(w + (long) r * ROW_BYTES, xi, steps, BYTES * TOKENS, sums);
          out[to + i * stride + r] += VectorFloats.sumOfLanes(sums);
        }
      }
    }
  }

  /** Adds the products of a block's rows with one token. */
  private static void one(long w, int rows, long x, int steps, float[] out, int o, long sums) {
    int r = 0;
    for (; r + 4 <= rows; r += 4) {
      tile4x1(w + (long) ROW_BYTES * r, x, steps, sums);
      addPairs(sums, 2, 2 * BYTES, out, o + r, 2);
    }
    for (; r < rows; r++) {
      tile1x1(w + (long) ROW_BYTES * r, x, steps, BYTES, sums);
      out[o + r] += VectorFloats.sumOfLanes(sums);
    }
  }

  /**
   * Adds the lanes of two rows' sums for each of some tokens.
   *
   * @param sums the address of the first token's sums
   * @param step the bytes from one token's sums to the next token's
   * @param out {@code out[o + t·stride]} and the value after it
   */
  private static void addPairs(long sums, int tokens, int step, float[] out, int o, int stride) {
    for (int t = 0; t < tokens; t++) {
      long at = sums + (long) step * t;
      out[o + t * stride] += VectorFloats.sumOfLanes(at);
      out[o + t * stride + 1] += VectorFloats.sumOfLanes(at + BYTES);
    }
  }

  /** 4 rows times 4 tokens. */
  private static void tile4x4(long w, long x, int steps, long sums) {
    FloatVector a00 = FloatVector.zero(S);
    FloatVector a01 = FloatVector.zero(S);
    FloatVector a02 = FloatVector.zero(S);
    FloatVector a03 = FloatVector.zero(S);
    FloatVector a10 = FloatVector.zero(S);
    FloatVector a11 = FloatVector.zero(S);
    FloatVector a12 = FloatVector.zero(S);
    FloatVector a13 = FloatVector.zero(S);
    FloatVector a20 = FloatVector.zero(S);
    FloatVector a21 = FloatVector.zero(S);
    FloatVector a22 = FloatVector.zero(S);
    FloatVector a23 = FloatVector.zero(S);
    FloatVector a30 = FloatVector.zero(S);
    FloatVector a31 = FloatVector.zero(S);
    FloatVector a32 = FloatVector.zero(S);
    FloatVector a33 = FloatVector.zero(S);
    long wi = w;
    long xi = x;
    long end = w + (long) BYTES * steps;
    while (wi != end) {
      long wa = wi & Memory.ANY;
      long xa = xi & Memory.ANY;
      FloatVector w0 = FloatVector.fromMemorySegment(S, Memory.ALL, wa, LITTLE);
      FloatVector w1 = FloatVector.fromMemorySegment(S, Memory.ALL, wa + 1 * ROW_BYTES, LITTLE);
      FloatVector w2 = FloatVector.fromMemorySegment(S, Memory.ALL, wa + 2 * ROW_BYTES, LITTLE);
      FloatVector w3 = FloatVector.fromMemorySegment(S, Memory.ALL, wa + 3 * ROW_BYTES, LITTLE);
      FloatVector x0 = FloatVector.fromMemorySegment(S, Memory.ALL, xa, LITTLE);
      a00 = w0.fma(x0, a00);
      a10 = w1.fma(x0, a10);
      a20 = w2.fma(x0, a20);
      a30 = w3.fma(x0, a30);
      VarHandle.loadLoadFence();
      FloatVector x1 = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 1 * BYTES, LITTLE);
      a01 = w0.fma(x1, a01);
      a11 = w1.fma(x1, a11);
      a21 = w2.fma(x1, a21);
      a31 = w3.fma(x1, a31);
      VarHandle.loadLoadFence();
      FloatVector x2 = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 2 * BYTES, LITTLE);
      a02 = w0.fma(x2, a02);
      a12 = w1.fma(x2, a12);
      a22 = w2.fma(x2, a22);
      a32 = w3.fma(x2, a32);
      VarHandle.loadLoadFence();
      FloatVector x3 = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 3 * BYTES, LITTLE);
      a03 = w0.fma(x3, a03);
      a13 = w1.fma(x3, a13);
      a23 = w2.fma(x3, a23);
      a33 = w3.fma(x3, a33);
      VarHandle.loadLoadFence();
      FloatVector w0b = FloatVector.fromMemorySegment(S, Memory.ALL, wa + 1 * BYTES, LITTLE);
      FloatVector w1b =
          FloatVector.fromMemorySegment(S, Memory.ALL, wa + 1 * ROW_BYTES + 1 * BYTES, LITTLE);
      FloatVector w2b =
          FloatVector.fromMemorySegment(S, Memory.ALL, wa + 2 * ROW_BYTES + 1 * BYTES, LITTLE);
      FloatVector w3b =
          FloatVector.fromMemorySegment(S, Memory.ALL, wa + 3 * ROW_BYTES + 1 * BYTES, LITTLE);
      FloatVector x0b = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 4 * BYTES, LITTLE);
      a00 = w0b.fma(x0b, a00);
      a10 = w1b.fma(x0b, a10);
      a20 = w2b.fma(x0b, a20);
      a30 = w3b.fma(x0b, a30);
      VarHandle.loadLoadFence();
      FloatVector x1b = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 5 * BYTES, LITTLE);
      a01 = w0b.fma(x1b, a01);
      a11 = w1b.fma(x1b, a11);
      a21 = w2b.fma(x1b, a21);
      a31 = w3b.fma(x1b, a31);
      VarHandle.loadLoadFence();
      FloatVector x2b = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 6 * BYTES, LITTLE);
      a02 = w0b.fma(x2b, a02);
      a12 = w1b.fma(x2b, a12);
      a22 = w2b.fma(x2b, a22);
      a32 = w3b.fma(x2b, a32);
      VarHandle.loadLoadFence();
      FloatVector x3b = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 7 * BYTES, LITTLE);
      a03 = w0b.fma(x3b, a03);
      a13 = w1b.fma(x3b, a13);
      a23 = w2b.fma(x3b, a23);
      a33 = w3b.fma(x3b, a33);
      wi += 2L * BYTES;
      xi += 8L * BYTES;
      VarHandle.loadLoadFence();
    }
    long to = sums & Memory.ANY;
    a00.intoMemorySegment(Memory.ALL, to, LITTLE);
    a10.intoMemorySegment(Memory.ALL, to + 1 * BYTES, LITTLE);
    a20.intoMemorySegment(Memory.ALL, to + 2 * BYTES, LITTLE);
    a30.intoMemorySegment(Memory.ALL, to + 3 * BYTES, LITTLE);
    a01.intoMemorySegment(Memory.ALL, to + 4 * BYTES, LITTLE);
    a11.intoMemorySegment(Memory.ALL, to + 5 * BYTES, LITTLE);
    a21.intoMemorySegment(Memory.ALL, to + 6 * BYTES, LITTLE);
    a31.intoMemorySegment(Memory.ALL, to + 7 * BYTES, LITTLE);
    a02.intoMemorySegment(Memory.ALL, to + 8 * BYTES, LITTLE);
    a12.intoMemorySegment(Memory.ALL, to + 9 * BYTES, LITTLE);
    a22.intoMemorySegment(Memory.ALL, to + 10 * BYTES, LITTLE);
    a32.intoMemorySegment(Memory.ALL, to + 11 * BYTES, LITTLE);
    a03.intoMemorySegment(Memory.ALL, to + 12 * BYTES, LITTLE);
    a13.intoMemorySegment(Memory.ALL, to + 13 * BYTES, LITTLE);
    a23.intoMemorySegment(Memory.ALL, to + 14 * BYTES, LITTLE);
    a33.intoMemorySegment(Memory.ALL, to + 15 * BYTES, LITTLE);
  }

  /** 2 rows times 4 tokens. */
  private static void tile2x4(long w, long x, int steps, long sums) {
    FloatVector a00 = FloatVector.zero(S);
    FloatVector a01 = FloatVector.zero(S);
    FloatVector a02 = FloatVector.zero(S);
    FloatVector a03 = FloatVector.zero(S);
    FloatVector a10 = FloatVector.zero(S);
    FloatVector a11 = FloatVector.zero(S);
    FloatVector a12 = FloatVector.zero(S);
    FloatVector a13 = FloatVector.zero(S);
    long wi = w;
    long xi = x;
    long end = w + (long) BYTES * steps;
    while (wi != end) {
      long wa = wi & Memory.ANY;
      long xa = xi & Memory.ANY;
      FloatVector w0 = FloatVector.fromMemorySegment(S, Memory.ALL, wa, LITTLE);
      FloatVector w1 = FloatVector.fromMemorySegment(S, Memory.ALL, wa + 1 * ROW_BYTES, LITTLE);
      FloatVector x0 = FloatVector.fromMemorySegment(S, Memory.ALL, xa, LITTLE);
      a00 = w0.fma(x0, a00);
      a10 = w1.fma(x0, a10);
      VarHandle.loadLoadFence();
      FloatVector x1 = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 1 * BYTES, LITTLE);
      a01 = w0.fma(x1, a01);
      a11 = w1.fma(x1, a11);
      VarHandle.loadLoadFence();
      FloatVector x2 = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 2 * BYTES, LITTLE);
      a02 = w0.fma(x2, a02);
      a12 = w1.fma(x2, a12);
      VarHandle.loadLoadFence();
      FloatVector x3 = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 3 * BYTES, LITTLE);
      a03 = w0.fma(x3, a03);
      a13 = w1.fma(x3, a13);
      VarHandle.loadLoadFence();
      FloatVector w0b = FloatVector.fromMemorySegment(S, Memory.ALL, wa + 1 * BYTES, LITTLE);
      FloatVector w1b =
          FloatVector.fromMemorySegment(S, Memory.ALL, wa + 1 * ROW_BYTES + 1 * BYTES, LITTLE);
      FloatVector x0b = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 4 * BYTES, LITTLE);
      a00 = w0b.fma(x0b, a00);
      a10 = w1b.fma(x0b, a10);
      VarHandle.loadLoadFence();
      FloatVector x1b = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 5 * BYTES, LITTLE);
      a01 = w0b.fma(x1b, a01);
      a11 = w1b.fma(x1b, a11);
      VarHandle.loadLoadFence();
      FloatVector x2b = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 6 * BYTES, LITTLE);
      a02 = w0b.fma(x2b, a02);
      a12 = w1b.fma(x2b, a12);
      VarHandle.loadLoadFence();
      FloatVector x3b = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 7 * BYTES, LITTLE);
      a03 = w0b.fma(x3b, a03);
      a13 = w1b.fma(x3b, a13);
      wi += 2L * BYTES;
      xi += 8L * BYTES;
      VarHandle.loadLoadFence();
    }
    long to = sums & Memory.ANY;
    a00.intoMemorySegment(Memory.ALL, to, LITTLE);
    a10.intoMemorySegment(Memory.ALL, to + 1 * BYTES, LITTLE);
    a01.intoMemorySegment(Memory.ALL, to + 2 * BYTES, LITTLE);
    a11.intoMemorySegment(Memory.ALL, to + 3 * BYTES, LITTLE);
    a02.intoMemorySegment(Memory.ALL, to + 4 * BYTES, LITTLE);
    a12.intoMemorySegment(Memory.ALL, to + 5 * BYTES, LITTLE);
    a03.intoMemorySegment(Memory.ALL, to + 6 * BYTES, LITTLE);
    a13.intoMemorySegment(Memory.ALL, to + 7 * BYTES, LITTLE);
  }

  /** 4 rows times 1 token. */
  private static void tile4x1(long w, long x, int steps, long sums) {
    FloatVector a00 = FloatVector.zero(S);
    FloatVector a10 = FloatVector.zero(S);
    FloatVector a20 = FloatVector.zero(S);
    FloatVector a30 = FloatVector.zero(S);
    long wi = w;
    long xi = x;
    long end = w + (long) BYTES * steps;
    while (wi != end) {
      long wa = wi & Memory.ANY;
      long xa = xi & Memory.ANY;
      FloatVector w0 = FloatVector.fromMemorySegment(S, Memory.ALL, wa, LITTLE);
      FloatVector w1 = FloatVector.fromMemorySegment(S, Memory.ALL, wa + 1 * ROW_BYTES, LITTLE);
      FloatVector w2 = FloatVector.fromMemorySegment(S, Memory.ALL, wa + 2 * ROW_BYTES, LITTLE);
      FloatVector w3 = FloatVector.fromMemorySegment(S, Memory.ALL, wa + 3 * ROW_BYTES, LITTLE);
      FloatVector x0 = FloatVector.fromMemorySegment(S, Memory.ALL, xa, LITTLE);
      a00 = w0.fma(x0, a00);
      a10 = w1.fma(x0, a10);
      a20 = w2.fma(x0, a20);
      a30 = w3.fma(x0, a30);
      VarHandle.loadLoadFence();
      FloatVector w0b = FloatVector.fromMemorySegment(S, Memory.ALL, wa + 1 * BYTES, LITTLE);
      FloatVector w1b =
          FloatVector.fromMemorySegment(S, Memory.ALL, wa + 1 * ROW_BYTES + 1 * BYTES, LITTLE);
      FloatVector w2b =
          FloatVector.fromMemorySegment(S, Memory.ALL, wa + 2 * ROW_BYTES + 1 * BYTES, LITTLE);
      FloatVector w3b =
          FloatVector.fromMemorySegment(S, Memory.ALL, wa + 3 * ROW_BYTES + 1 * BYTES, LITTLE);
      FloatVector x0b = FloatVector.fromMemorySegment(S, Memory.ALL, xa + 1 * BYTES, LITTLE);
      a00 = w0b.fma(x0b, a00);
      a10 = w1b.fma(x0b, a10);
      a20 = w2b.fma(x0b, a20);
      a30 = w3b.fma(x0b, a30);
      wi += 2L * BYTES;
      xi += 2L * BYTES;
      VarHandle.loadLoadFence();
    }
    long to = sums & Memory.ANY;
    a00.intoMemorySegment(Memory.ALL, to, LITTLE);
    a10.intoMemorySegment(Memory.ALL, to + 1 * BYTES, LITTLE);
    a20.intoMemorySegment(Memory.ALL, to + 2 * BYTES, LITTLE);
    a30.intoMemorySegment(Memory.ALL, to + 3 * BYTES, LITTLE);
  }

  /** One row times one token, {@code xStep} bytes from one vector to the next. */
  private static void tile1x1(long w, long x, int steps, int xStep, long sums) {
    FloatVector a = FloatVector.zero(S);
    for (int i = 0; i < steps; i++) {
      long wi = w + (long) BYTES * i & Memory.ANY;
      long xi = x + (long) xStep * i & Memory.ANY;
      a =
          FloatVector.fromMemorySegment(S, Memory.ALL, wi, LITTLE)
              .fma(FloatVector.fromMemorySegment(S, Memory.ALL, xi, LITTLE), a);
    }
    long to = sums & Memory.ANY;
    a.intoMemorySegment(Memory.ALL, to, LITTLE);
  }
}
