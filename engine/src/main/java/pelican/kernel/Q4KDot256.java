package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q4_K rows with one vector in vectors of 256 bits, by the trick of {@link
 * Q4KDot512}: nibbles become floats by AND and OR alone.
 *
 * <p>With 16 registers the order of the source matters: each shifted vector is used up before the
 * next is made, and there is one sum, since a second would be kept in memory.
 */
final class Q4KDot256 {
  private static final int BYTES = 144;

  private static final int HALF_MASK = 0x8fffe000;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // From an array, 8 lanes each, since the compiler loads what it knows to be constant anew for
  // each use.
  private static final int[] CONSTANTS = new int[4 * 8];

  static {
    for (int i = 0; i < 8; i++) {
      CONSTANTS[i] = Q4KDot512.LOW_MASK;
      CONSTANTS[8 + i] = Q4KDot512.LOW_BASE;
      CONSTANTS[16 + i] = Q4KDot512.HIGH_MASK;
      CONSTANTS[24 + i] = Q4KDot512.HIGH_BASE;
    }
  }

  // Where in their ints the scales (first four lanes) and the minimums are: see SixBitScales.
  private static final IntVector BYTE_SHIFT = ints(0, 8, 16, 24, 0, 8, 16, 24);
  private static final IntVector SECOND_SHIFT = ints(2, 10, 18, 26, 2, 10, 18, 26);
  private static final IntVector UPPER_SHIFT = ints(0, 8, 16, 24, 4, 12, 20, 28);
  private static final IntVector HALF_SHIFT = ints(16, 16, 16, 16, 0, 0, 0, 0);
  private static final VectorShuffle<Integer> FIRST_OR_SECOND =
      VectorShuffle.fromValues(I8, 1, 1, 1, 1, 2, 2, 2, 2);
  private static final VectorShuffle<Integer> THIRD_OF_8 =
      VectorShuffle.fromValues(I8, 3, 3, 3, 3, 3, 3, 3, 3);
  private static final VectorShuffle<Integer> HALVES_OF_8 =
      VectorShuffle.fromValues(I8, 0, 0, 0, 0, 0, 0, 0, 0);

  private Q4KDot256() {}

  private static IntVector ints(int... values) {
    return IntVector.fromArray(I8, values, 0);
  }

  /** {@code out[offset + r] = Σ w[r][c]·x[c]} for rows [rowFrom, rowTo). */
  static void multiply(Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset) {
    Activations.Arranged a = x.arranged(ActivationOrder.NIBBLES_256);
    long address = Memory.address(w, rowFrom, rowTo);
    long rowBytes = w.rowBytes();
    int blocks = w.columns() / 256;
    float[] scales = new float[16];
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
   * @param sums for each super-block what the lanes of its scales are multiplied with to be taken
   *     off
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
    Memory.mayFault(address);
    IntVector lowMask = IntVector.fromArray(I8, CONSTANTS, 0);
    IntVector lowBase = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector highMask = IntVector.fromArray(I8, CONSTANTS, 16);
    IntVector highBase = IntVector.fromArray(I8, CONSTANTS, 24);
    for (int r = 0; r < rows; r++) {
      long row = address + r * rowBytes;
      FloatVector off = FloatVector.zero(F8);
      FloatVector sum = FloatVector.zero(F8);
      for (int b = 0; b < blocks; b++) {
        long at = row + b * (long) BYTES;
        int p = 256 * b;
        IntVector head = IntVector.fromMemorySegment(I8, Memory.ALL, at, LITTLE);
        IntVector bytes = head.rearrange(FIRST_OR_SECOND);
        IntVector upper = head.rearrange(THIRD_OF_8).lanewise(VectorOperators.LSHR, UPPER_SHIFT);
        FloatVector d =
            head.rearrange(HALVES_OF_8)
                .lanewise(VectorOperators.LSHL, HALF_SHIFT)
                .lanewise(VectorOperators.ASHR, 3)
                .and(HALF_MASK)
                .reinterpretAsFloats()
                .mul(0x1p112f);
        IntVector first = bytes.lanewise(VectorOperators.LSHR, BYTE_SHIFT).and(63);
        IntVector second =
            bytes.lanewise(VectorOperators.LSHR, SECOND_SHIFT).and(48).or(upper.and(15));
        FloatVector s0 = ((FloatVector) first.convertShape(VectorOperators.I2F, F8, 0)).mul(d);
        FloatVector s1 = ((FloatVector) second.convertShape(VectorOperators.I2F, F8, 0)).mul(d);
        s0.intoArray(scales, 0);
        s1.intoArray(scales, 8);
        off = s0.fma(FloatVector.fromArray(F8, sums, 16 * b), off);
        off = s1.fma(FloatVector.fromArray(F8, sums, 16 * b + 8), off);

        IntVector u0 = IntVector.fromMemorySegment(I8, Memory.ALL, at + 16, LITTLE);
        FloatVector low0 =
            u0.lanewise(VectorOperators.LSHL, 19)
                .and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 0));
        FloatVector high0 =
            u0.lanewise(VectorOperators.LSHR, 13)
                .and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 56));
        IntVector v0 = u0.lanewise(VectorOperators.LSHL, 11);
        low0 =
            v0.and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 8), low0);
        high0 =
            v0.and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 32), high0);
        IntVector w0 = u0.lanewise(VectorOperators.LSHL, 3);
        low0 =
            w0.and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 16), low0);
        high0 =
            w0.and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 40), high0);
        IntVector y0 = u0.lanewise(VectorOperators.LSHR, 5);
        low0 =
            y0.and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 24), low0);
        high0 =
            y0.and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 48), high0);
        low0 = low0.mul(FloatVector.broadcast(F8, scales[0]));
        sum = high0.fma(FloatVector.broadcast(F8, scales[1]), low0).add(sum);

        IntVector u1 = IntVector.fromMemorySegment(I8, Memory.ALL, at + 48, LITTLE);
        FloatVector low1 =
            u1.lanewise(VectorOperators.LSHL, 19)
                .and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 64));
        FloatVector high1 =
            u1.lanewise(VectorOperators.LSHR, 13)
                .and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 120));
        IntVector v1 = u1.lanewise(VectorOperators.LSHL, 11);
        low1 =
            v1.and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 72), low1);
        high1 =
            v1.and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 96), high1);
        IntVector w1 = u1.lanewise(VectorOperators.LSHL, 3);
        low1 =
            w1.and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 80), low1);
        high1 =
            w1.and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 104), high1);
        IntVector y1 = u1.lanewise(VectorOperators.LSHR, 5);
        low1 =
            y1.and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 88), low1);
        high1 =
            y1.and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 112), high1);
        low1 = low1.mul(FloatVector.broadcast(F8, scales[2]));
        sum = high1.fma(FloatVector.broadcast(F8, scales[3]), low1).add(sum);

        IntVector u2 = IntVector.fromMemorySegment(I8, Memory.ALL, at + 80, LITTLE);
        FloatVector low2 =
            u2.lanewise(VectorOperators.LSHL, 19)
                .and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 128));
        FloatVector high2 =
            u2.lanewise(VectorOperators.LSHR, 13)
                .and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 184));
        IntVector v2 = u2.lanewise(VectorOperators.LSHL, 11);
        low2 =
            v2.and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 136), low2);
        high2 =
            v2.and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 160), high2);
        IntVector w2 = u2.lanewise(VectorOperators.LSHL, 3);
        low2 =
            w2.and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 144), low2);
        high2 =
            w2.and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 168), high2);
        IntVector y2 = u2.lanewise(VectorOperators.LSHR, 5);
        low2 =
            y2.and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 152), low2);
        high2 =
            y2.and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 176), high2);
        low2 = low2.mul(FloatVector.broadcast(F8, scales[8]));
        sum = high2.fma(FloatVector.broadcast(F8, scales[9]), low2).add(sum);

        IntVector u3 = IntVector.fromMemorySegment(I8, Memory.ALL, at + 112, LITTLE);
        FloatVector low3 =
            u3.lanewise(VectorOperators.LSHL, 19)
                .and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 192));
        FloatVector high3 =
            u3.lanewise(VectorOperators.LSHR, 13)
                .and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .mul(FloatVector.fromArray(F8, x, p + 248));
        IntVector v3 = u3.lanewise(VectorOperators.LSHL, 11);
        low3 =
            v3.and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 200), low3);
        high3 =
            v3.and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 224), high3);
        IntVector w3 = u3.lanewise(VectorOperators.LSHL, 3);
        low3 =
            w3.and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 208), low3);
        high3 =
            w3.and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 232), high3);
        IntVector y3 = u3.lanewise(VectorOperators.LSHR, 5);
        low3 =
            y3.and(lowMask)
                .or(lowBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 216), low3);
        high3 =
            y3.and(highMask)
                .or(highBase)
                .reinterpretAsFloats()
                .fma(FloatVector.fromArray(F8, x, p + 240), high3);
        low3 = low3.mul(FloatVector.broadcast(F8, scales[10]));
        sum = high3.fma(FloatVector.broadcast(F8, scales[11]), low3).add(sum);
      }
      out[o + r] = sum.sub(off).reduceLanes(VectorOperators.ADD);
    }
  }
}
