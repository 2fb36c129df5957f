package pelican.kernel;

import java.lang.invoke.VarHandle;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products of decoded rows with several tokens: small tiles whose sums stay in registers, so that
 * each vector that is loaded is used several times. The number of columns is a multiple of 32.
 *
 * <p>The fence at the end of a step costs no instruction on x86. It keeps the compiler from moving
 * the next steps' loads forward once it has unrolled the loop: they would take the registers of the
 * sums, which then go through memory in each step (35 instead of 70 GFLOP/s on a core whose FMA
 * units give 94).
 */
final class VectorTiles {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();

  /** AVX-512 and SVE have 32 registers, room for 4×4 sums; AVX2 has 16. */
  private static final boolean MANY_REGISTERS = S.vectorBitSize() >= 512;

  private static final int ROWS = MANY_REGISTERS ? 4 : 2;

  private VectorTiles() {}

  /**
   * Adds the products of all rows of a block with all tokens.
   *
   * @param w rows [rows][columns]
   * @param x tokens, {@code xStride} apart, the first at {@code xo}
   * @param out {@code out[o + t·stride + r]}
   */
  static void multiply(
      float[] w,
      int rows,
      float[] x,
      int xo,
      int xStride,
      int tokens,
      int columns,
      float[] out,
      int o,
      int stride) {
    int t = 0;
    while (t < tokens) {
      int at = xo + t * xStride;
      int to = o + t * stride;
      int count = next(tokens - t);
      int r = 0;
      if (count > 1) {
        for (; r + ROWS <= rows; r += ROWS) {
          int wo = r * columns;
          if (MANY_REGISTERS) {
            tile4x4(w, wo, columns, x, at, xStride, columns, out, to + r, stride);
          } else if (count == 5) {
            tile2x5(w, wo, columns, x, at, xStride, columns, out, to + r, stride);
          } else {
            tile2x4(w, wo, columns, x, at, xStride, columns, out, to + r, stride);
          }
        }
      } else {
        for (; r + 4 <= rows; r += 4) {
          tile4x1(w, r * columns, columns, x, at, columns, out, to + r);
        }
      }
      for (; r < rows; r++) {
        for (int i = 0; i < count; i++) {
          tile1x1(w, r * columns, x, at + i * xStride, columns, out, to + i * stride + r);
        }
      }
      t += count;
    }
  }

  /**
   * How many tokens the next tile takes. With 16 registers five at a time go fastest, and fours are
   * mixed in where that leaves no token over.
   */
  private static int next(int tokens) {
    if (MANY_REGISTERS) {
      return tokens >= 4 ? 4 : 1;
    }
    int over = tokens % 5;
    if (over != 0 && tokens >= 4 * (5 - over)) {
      return 4;
    }
    return tokens >= 5 ? 5 : 1;
  }

  /** 4 rows times 4 tokens. */
  private static void tile4x4(
      float[] w,
      int wo,
      int wStride,
      float[] x,
      int xo,
      int xStride,
      int columns,
      float[] out,
      int o,
      int stride) {
    int w0o = wo;
    int w1o = wo + 1 * wStride;
    int w2o = wo + 2 * wStride;
    int w3o = wo + 3 * wStride;
    int x0o = xo;
    int x1o = xo + 1 * xStride;
    int x2o = xo + 2 * xStride;
    int x3o = xo + 3 * xStride;
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
    for (int i = 0; i < columns; i += L) {
      FloatVector w0 = FloatVector.fromArray(S, w, w0o + i);
      FloatVector w1 = FloatVector.fromArray(S, w, w1o + i);
      FloatVector w2 = FloatVector.fromArray(S, w, w2o + i);
      FloatVector w3 = FloatVector.fromArray(S, w, w3o + i);
      FloatVector x0 = FloatVector.fromArray(S, x, x0o + i);
      a00 = w0.fma(x0, a00);
      a10 = w1.fma(x0, a10);
      a20 = w2.fma(x0, a20);
      a30 = w3.fma(x0, a30);
      FloatVector x1 = FloatVector.fromArray(S, x, x1o + i);
      a01 = w0.fma(x1, a01);
      a11 = w1.fma(x1, a11);
      a21 = w2.fma(x1, a21);
      a31 = w3.fma(x1, a31);
      FloatVector x2 = FloatVector.fromArray(S, x, x2o + i);
      a02 = w0.fma(x2, a02);
      a12 = w1.fma(x2, a12);
      a22 = w2.fma(x2, a22);
      a32 = w3.fma(x2, a32);
      FloatVector x3 = FloatVector.fromArray(S, x, x3o + i);
      a03 = w0.fma(x3, a03);
      a13 = w1.fma(x3, a13);
      a23 = w2.fma(x3, a23);
      a33 = w3.fma(x3, a33);
      VarHandle.loadLoadFence();
    }
    out[o] += a00.reduceLanes(VectorOperators.ADD);
    out[o + 1] += a10.reduceLanes(VectorOperators.ADD);
    out[o + 2] += a20.reduceLanes(VectorOperators.ADD);
    out[o + 3] += a30.reduceLanes(VectorOperators.ADD);
    out[o + stride] += a01.reduceLanes(VectorOperators.ADD);
    out[o + stride + 1] += a11.reduceLanes(VectorOperators.ADD);
    out[o + stride + 2] += a21.reduceLanes(VectorOperators.ADD);
    out[o + stride + 3] += a31.reduceLanes(VectorOperators.ADD);
    out[o + 2 * stride] += a02.reduceLanes(VectorOperators.ADD);
    out[o + 2 * stride + 1] += a12.reduceLanes(VectorOperators.ADD);
    out[o + 2 * stride + 2] += a22.reduceLanes(VectorOperators.ADD);
    out[o + 2 * stride + 3] += a32.reduceLanes(VectorOperators.ADD);
    out[o + 3 * stride] += a03.reduceLanes(VectorOperators.ADD);
    out[o + 3 * stride + 1] += a13.reduceLanes(VectorOperators.ADD);
    out[o + 3 * stride + 2] += a23.reduceLanes(VectorOperators.ADD);
    out[o + 3 * stride + 3] += a33.reduceLanes(VectorOperators.ADD);
  }

  /** 2 rows times 4 tokens. */
  private static void tile2x4(
      float[] w,
      int wo,
      int wStride,
      float[] x,
      int xo,
      int xStride,
      int columns,
      float[] out,
      int o,
      int stride) {
    int w0o = wo;
    int w1o = wo + 1 * wStride;
    int x0o = xo;
    int x1o = xo + 1 * xStride;
    int x2o = xo + 2 * xStride;
    int x3o = xo + 3 * xStride;
    FloatVector a00 = FloatVector.zero(S);
    FloatVector a01 = FloatVector.zero(S);
    FloatVector a02 = FloatVector.zero(S);
    FloatVector a03 = FloatVector.zero(S);
    FloatVector a10 = FloatVector.zero(S);
    FloatVector a11 = FloatVector.zero(S);
    FloatVector a12 = FloatVector.zero(S);
    FloatVector a13 = FloatVector.zero(S);
    for (int i = 0; i < columns; i += L) {
      FloatVector w0 = FloatVector.fromArray(S, w, w0o + i);
      FloatVector w1 = FloatVector.fromArray(S, w, w1o + i);
      FloatVector x0 = FloatVector.fromArray(S, x, x0o + i);
      a00 = w0.fma(x0, a00);
      a10 = w1.fma(x0, a10);
      FloatVector x1 = FloatVector.fromArray(S, x, x1o + i);
      a01 = w0.fma(x1, a01);
      a11 = w1.fma(x1, a11);
      FloatVector x2 = FloatVector.fromArray(S, x, x2o + i);
      a02 = w0.fma(x2, a02);
      a12 = w1.fma(x2, a12);
      FloatVector x3 = FloatVector.fromArray(S, x, x3o + i);
      a03 = w0.fma(x3, a03);
      a13 = w1.fma(x3, a13);
      VarHandle.loadLoadFence();
    }
    out[o] += a00.reduceLanes(VectorOperators.ADD);
    out[o + 1] += a10.reduceLanes(VectorOperators.ADD);
    out[o + stride] += a01.reduceLanes(VectorOperators.ADD);
    out[o + stride + 1] += a11.reduceLanes(VectorOperators.ADD);
    out[o + 2 * stride] += a02.reduceLanes(VectorOperators.ADD);
    out[o + 2 * stride + 1] += a12.reduceLanes(VectorOperators.ADD);
    out[o + 3 * stride] += a03.reduceLanes(VectorOperators.ADD);
    out[o + 3 * stride + 1] += a13.reduceLanes(VectorOperators.ADD);
  }

  /** 2 rows times 5 tokens. */
  private static void tile2x5(
      float[] w,
      int wo,
      int wStride,
      float[] x,
      int xo,
      int xStride,
      int columns,
      float[] out,
      int o,
      int stride) {
    int w0o = wo;
    int w1o = wo + 1 * wStride;
    int x0o = xo;
    int x1o = xo + 1 * xStride;
    int x2o = xo + 2 * xStride;
    int x3o = xo + 3 * xStride;
    int x4o = xo + 4 * xStride;
    FloatVector a00 = FloatVector.zero(S);
    FloatVector a01 = FloatVector.zero(S);
    FloatVector a02 = FloatVector.zero(S);
    FloatVector a03 = FloatVector.zero(S);
    FloatVector a04 = FloatVector.zero(S);
    FloatVector a10 = FloatVector.zero(S);
    FloatVector a11 = FloatVector.zero(S);
    FloatVector a12 = FloatVector.zero(S);
    FloatVector a13 = FloatVector.zero(S);
    FloatVector a14 = FloatVector.zero(S);
    for (int i = 0; i < columns; i += L) {
      FloatVector w0 = FloatVector.fromArray(S, w, w0o + i);
      FloatVector w1 = FloatVector.fromArray(S, w, w1o + i);
      FloatVector x0 = FloatVector.fromArray(S, x, x0o + i);
      a00 = w0.fma(x0, a00);
      a10 = w1.fma(x0, a10);
      FloatVector x1 = FloatVector.fromArray(S, x, x1o + i);
      a01 = w0.fma(x1, a01);
      a11 = w1.fma(x1, a11);
      FloatVector x2 = FloatVector.fromArray(S, x, x2o + i);
      a02 = w0.fma(x2, a02);
      a12 = w1.fma(x2, a12);
      FloatVector x3 = FloatVector.fromArray(S, x, x3o + i);
      a03 = w0.fma(x3, a03);
      a13 = w1.fma(x3, a13);
      FloatVector x4 = FloatVector.fromArray(S, x, x4o + i);
      a04 = w0.fma(x4, a04);
      a14 = w1.fma(x4, a14);
      VarHandle.loadLoadFence();
    }
    out[o] += a00.reduceLanes(VectorOperators.ADD);
    out[o + 1] += a10.reduceLanes(VectorOperators.ADD);
    out[o + stride] += a01.reduceLanes(VectorOperators.ADD);
    out[o + stride + 1] += a11.reduceLanes(VectorOperators.ADD);
    out[o + 2 * stride] += a02.reduceLanes(VectorOperators.ADD);
    out[o + 2 * stride + 1] += a12.reduceLanes(VectorOperators.ADD);
    out[o + 3 * stride] += a03.reduceLanes(VectorOperators.ADD);
    out[o + 3 * stride + 1] += a13.reduceLanes(VectorOperators.ADD);
    out[o + 4 * stride] += a04.reduceLanes(VectorOperators.ADD);
    out[o + 4 * stride + 1] += a14.reduceLanes(VectorOperators.ADD);
  }

  /** 4 rows times 1 token. */
  private static void tile4x1(
      float[] w, int wo, int wStride, float[] x, int xo, int columns, float[] out, int o) {
    int w0o = wo;
    int w1o = wo + 1 * wStride;
    int w2o = wo + 2 * wStride;
    int w3o = wo + 3 * wStride;
    int x0o = xo;
    FloatVector a00 = FloatVector.zero(S);
    FloatVector a10 = FloatVector.zero(S);
    FloatVector a20 = FloatVector.zero(S);
    FloatVector a30 = FloatVector.zero(S);
    for (int i = 0; i < columns; i += L) {
      FloatVector w0 = FloatVector.fromArray(S, w, w0o + i);
      FloatVector w1 = FloatVector.fromArray(S, w, w1o + i);
      FloatVector w2 = FloatVector.fromArray(S, w, w2o + i);
      FloatVector w3 = FloatVector.fromArray(S, w, w3o + i);
      FloatVector x0 = FloatVector.fromArray(S, x, x0o + i);
      a00 = w0.fma(x0, a00);
      a10 = w1.fma(x0, a10);
      a20 = w2.fma(x0, a20);
      a30 = w3.fma(x0, a30);
    }
    out[o] += a00.reduceLanes(VectorOperators.ADD);
    out[o + 1] += a10.reduceLanes(VectorOperators.ADD);
    out[o + 2] += a20.reduceLanes(VectorOperators.ADD);
    out[o + 3] += a30.reduceLanes(VectorOperators.ADD);
  }

  /** 1 rows times 1 token. */
  private static void tile1x1(
      float[] w, int wo, float[] x, int xo, int columns, float[] out, int o) {
    int w0o = wo;
    int x0o = xo;
    FloatVector a00 = FloatVector.zero(S);
    for (int i = 0; i < columns; i += L) {
      FloatVector w0 = FloatVector.fromArray(S, w, w0o + i);
      FloatVector x0 = FloatVector.fromArray(S, x, x0o + i);
      a00 = w0.fma(x0, a00);
    }
    out[o] += a00.reduceLanes(VectorOperators.ADD);
  }
}
