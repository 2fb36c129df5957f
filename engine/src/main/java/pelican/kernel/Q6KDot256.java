package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q6_K rows with one vector in vectors of 256 bits. The nibbles and the upper bits
 * of 32 weights are first put together byte by byte, which four AND, OR and shifts do for all 32;
 * then each byte goes into the mantissa under the exponent of {@value #BASE}, as in {@link
 * Q4KDot256}.
 */
final class Q6KDot256 {
  private static final int BYTES = 210;
  private static final int HIGH_BITS = 128;
  private static final int SCALES = 192;
  private static final int D = 208;

  /** What six bits at the top of the mantissa are read under. */
  private static final float BASE = 64;

  /** What the base and the format's own 32 add to each weight. */
  static final float OFFSET = BASE + 32;

  private static final int SIX_BITS = 0x3f << 17;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Byte> B16 = ByteVector.SPECIES_128;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // From an array, 8 lanes each: see Q4KDot256.
  private static final int[] CONSTANTS = new int[4 * 8];

  static {
    for (int i = 0; i < 8; i++) {
      CONSTANTS[i] = 0x0f0f0f0f;
      CONSTANTS[8 + i] = 0x30303030;
      CONSTANTS[16 + i] = SIX_BITS;
      CONSTANTS[24 + i] = Float.floatToRawIntBits(BASE);
    }
  }

  /** Two scales, spread over the lanes of their weights. */
  private static final VectorShuffle<Float> TWO_FIRST =
      VectorShuffle.fromValues(F8, 0, 0, 0, 0, 1, 1, 1, 1);

  private Q6KDot256() {}

  /** {@code out[offset + r] = Σ w[r][c]·x[c]} for rows [rowFrom, rowTo). */
  static void multiply(Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset) {
    Activations.Arranged a = x.arranged(ActivationOrder.SIX_BITS_256);
    long address = Memory.address(w, rowFrom, rowTo);
    long rowBytes = w.rowBytes();
    int blocks = w.columns() / 256;
    // the last scales are read as eight
    float[] scales = new float[16 + 8];
    dot(
        address,
        rowBytes,
        rowTo - rowFrom,
        blocks,
        a.values,
        a.sums,
        scales,
        out,
        offset + rowFrom);
  }

  /**
   * Some rows, one after the other, in one pass over their bytes. All rows in one call, so that the
   * checks of the arrays' bounds, 150 instructions, leave this loop too.
   *
   * @param sums for each group of 16 weights what its scale is multiplied with to be taken off
   * @param scales room for a super-block's scales: to spread one over a vector costs no instruction
   *     of its own when it comes from memory
   */
  private static void dot(
      long address,
      long rowBytes,
      int rows,
      int blocks,
      float[] x,
      float[] sums,
      float[] scales,
      float[] out,
      int o) {
    IntVector nibble = IntVector.fromArray(I8, CONSTANTS, 0);
    IntVector upper = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector sixBits = IntVector.fromArray(I8, CONSTANTS, 16);
    IntVector base = IntVector.fromArray(I8, CONSTANTS, 24);
    for (int r = 0; r < rows; r++) {
      long row = address + r * rowBytes;
      FloatVector off = FloatVector.zero(F8);
      FloatVector sum = FloatVector.zero(F8);
      for (int b = 0; b < blocks; b++) {
        long at = row + b * (long) BYTES;
        int p = 256 * b;
        float d = Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + D));
        ByteVector bytes = ByteVector.fromMemorySegment(B16, Memory.ALL, at + SCALES, LITTLE);
        FloatVector s0 = ((FloatVector) bytes.convertShape(VectorOperators.B2F, F8, 0)).mul(d);
        FloatVector s1 = ((FloatVector) bytes.convertShape(VectorOperators.B2F, F8, 1)).mul(d);
        s0.intoArray(scales, 0);
        s1.intoArray(scales, 8);
        off = s0.fma(FloatVector.fromArray(F8, sums, 16 * b), off);
        off = s1.fma(FloatVector.fromArray(F8, sums, 16 * b + 8), off);

        IntVector q0 = IntVector.fromMemorySegment(I8, Memory.ALL, at + 0, LITTLE);
        IntVector r0 = IntVector.fromMemorySegment(I8, Memory.ALL, at + 32, LITTLE);
        IntVector u0 = IntVector.fromMemorySegment(I8, Memory.ALL, at + HIGH_BITS + 0, LITTLE);

        IntVector a0 = q0.and(nibble).or(u0.lanewise(VectorOperators.LSHL, 4).and(upper));
        FloatVector a0Sum =
            a0.lanewise(VectorOperators.LSHL, 17)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 0));
        a0Sum =
            a0.lanewise(VectorOperators.LSHL, 9)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 32), a0Sum);
        a0Sum =
            a0.lanewise(VectorOperators.LSHL, 1)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 64), a0Sum);
        a0Sum =
            a0.lanewise(VectorOperators.LSHR, 7)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 96), a0Sum);
        sum = a0Sum.fma(FloatVector.fromArray(F8, scales, 0).rearrange(TWO_FIRST), sum);

        IntVector b0 = r0.and(nibble).or(u0.lanewise(VectorOperators.LSHL, 2).and(upper));
        FloatVector b0Sum =
            b0.lanewise(VectorOperators.LSHL, 17)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 8));
        b0Sum =
            b0.lanewise(VectorOperators.LSHL, 9)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 40), b0Sum);
        b0Sum =
            b0.lanewise(VectorOperators.LSHL, 1)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 72), b0Sum);
        b0Sum =
            b0.lanewise(VectorOperators.LSHR, 7)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 104), b0Sum);
        sum = b0Sum.fma(FloatVector.fromArray(F8, scales, 2).rearrange(TWO_FIRST), sum);

        IntVector c0 = q0.lanewise(VectorOperators.LSHR, 4).and(nibble).or(u0.and(upper));
        FloatVector c0Sum =
            c0.lanewise(VectorOperators.LSHL, 17)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 16));
        c0Sum =
            c0.lanewise(VectorOperators.LSHL, 9)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 48), c0Sum);
        c0Sum =
            c0.lanewise(VectorOperators.LSHL, 1)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 80), c0Sum);
        c0Sum =
            c0.lanewise(VectorOperators.LSHR, 7)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 112), c0Sum);
        sum = c0Sum.fma(FloatVector.fromArray(F8, scales, 4).rearrange(TWO_FIRST), sum);

        IntVector d0 =
            r0.lanewise(VectorOperators.LSHR, 4)
                .and(nibble)
                .or(u0.lanewise(VectorOperators.LSHR, 2).and(upper));
        FloatVector d0Sum =
            d0.lanewise(VectorOperators.LSHL, 17)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 24));
        d0Sum =
            d0.lanewise(VectorOperators.LSHL, 9)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 56), d0Sum);
        d0Sum =
            d0.lanewise(VectorOperators.LSHL, 1)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 88), d0Sum);
        d0Sum =
            d0.lanewise(VectorOperators.LSHR, 7)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 120), d0Sum);
        sum = d0Sum.fma(FloatVector.fromArray(F8, scales, 6).rearrange(TWO_FIRST), sum);

        IntVector q1 = IntVector.fromMemorySegment(I8, Memory.ALL, at + 64, LITTLE);
        IntVector r1 = IntVector.fromMemorySegment(I8, Memory.ALL, at + 96, LITTLE);
        IntVector u1 = IntVector.fromMemorySegment(I8, Memory.ALL, at + HIGH_BITS + 32, LITTLE);

        IntVector a1 = q1.and(nibble).or(u1.lanewise(VectorOperators.LSHL, 4).and(upper));
        FloatVector a1Sum =
            a1.lanewise(VectorOperators.LSHL, 17)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 128));
        a1Sum =
            a1.lanewise(VectorOperators.LSHL, 9)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 160), a1Sum);
        a1Sum =
            a1.lanewise(VectorOperators.LSHL, 1)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 192), a1Sum);
        a1Sum =
            a1.lanewise(VectorOperators.LSHR, 7)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 224), a1Sum);
        sum = a1Sum.fma(FloatVector.fromArray(F8, scales, 8).rearrange(TWO_FIRST), sum);

        IntVector b1 = r1.and(nibble).or(u1.lanewise(VectorOperators.LSHL, 2).and(upper));
        FloatVector b1Sum =
            b1.lanewise(VectorOperators.LSHL, 17)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 136));
        b1Sum =
            b1.lanewise(VectorOperators.LSHL, 9)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 168), b1Sum);
        b1Sum =
            b1.lanewise(VectorOperators.LSHL, 1)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 200), b1Sum);
        b1Sum =
            b1.lanewise(VectorOperators.LSHR, 7)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 232), b1Sum);
        sum = b1Sum.fma(FloatVector.fromArray(F8, scales, 10).rearrange(TWO_FIRST), sum);

        IntVector c1 = q1.lanewise(VectorOperators.LSHR, 4).and(nibble).or(u1.and(upper));
        FloatVector c1Sum =
            c1.lanewise(VectorOperators.LSHL, 17)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 144));
        c1Sum =
            c1.lanewise(VectorOperators.LSHL, 9)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 176), c1Sum);
        c1Sum =
            c1.lanewise(VectorOperators.LSHL, 1)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 208), c1Sum);
        c1Sum =
            c1.lanewise(VectorOperators.LSHR, 7)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 240), c1Sum);
        sum = c1Sum.fma(FloatVector.fromArray(F8, scales, 12).rearrange(TWO_FIRST), sum);

        IntVector d1 =
            r1.lanewise(VectorOperators.LSHR, 4)
                .and(nibble)
                .or(u1.lanewise(VectorOperators.LSHR, 2).and(upper));
        FloatVector d1Sum =
            d1.lanewise(VectorOperators.LSHL, 17)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 152));
        d1Sum =
            d1.lanewise(VectorOperators.LSHL, 9)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 184), d1Sum);
        d1Sum =
            d1.lanewise(VectorOperators.LSHL, 1)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 216), d1Sum);
        d1Sum =
            d1.lanewise(VectorOperators.LSHR, 7)
                .and(sixBits)
                .or(base)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 248), d1Sum);
        sum = d1Sum.fma(FloatVector.fromArray(F8, scales, 14).rearrange(TWO_FIRST), sum);
      }
      out[o + r] = sum.sub(off).reduceLanes(VectorOperators.ADD);
    }
  }
}
