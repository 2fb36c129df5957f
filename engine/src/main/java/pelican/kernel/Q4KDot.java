package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q4_K rows with one vector, without quantizing the vector.
 *
 * <p>A nibble becomes a float without a conversion: moved into the upper mantissa bits under a
 * fixed exponent it reads as {@code base + q}. With the base's share, {@code base · Σx}, and the
 * minimums' taken off at the end by sums over groups, a weight costs one AND-OR (one instruction
 * with AVX-512) and one FMA, and a shift serves two nibbles: low ones are read under base 16, high
 * ones, four bits further down the mantissa, under base 256.
 */
final class Q4KDot {
  private static final int BYTES = 144;

  /** Super-blocks whose scales are decoded at a time: they stay in the level 1 cache. */
  private static final int BLOCKS = 8;

  private static final int LOW_MASK = 0x00780000;
  private static final int LOW_BASE = Float.floatToRawIntBits(16);
  private static final int HIGH_MASK = 0x00078000;
  private static final int HIGH_BASE = Float.floatToRawIntBits(256);

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;

  // Where the eight scales and minimums are in the three ints that hold them: see SixBitScales.
  private static final IntVector SHIFT = ints(0, 8, 16, 24, 2, 10, 18, 26);
  private static final IntVector MASK = ints(63, 63, 63, 63, 48, 48, 48, 48);
  private static final IntVector SCALE_SHIFT = ints(0, 0, 0, 0, 0, 8, 16, 24);
  private static final IntVector MIN_SHIFT = ints(0, 0, 0, 0, 4, 12, 20, 28);
  private static final IntVector LOW_NIBBLE = ints(0, 0, 0, 0, 15, 15, 15, 15);
  private static final FloatVector BASES =
      FloatVector.fromArray(F8, new float[] {16, 256, 16, 256, 16, 256, 16, 256}, 0);

  // The scales of two pairs of groups, spread over the lanes of their nibbles.
  private static final VectorShuffle<Float> LOW_SCALES =
      VectorShuffle.fromValues(F16, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2);
  private static final VectorShuffle<Float> HIGH_SCALES =
      VectorShuffle.fromValues(F16, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3);

  private Q4KDot() {}

  private static IntVector ints(int... values) {
    return IntVector.fromArray(I8, values, 0);
  }

  /** {@code out[offset + r] = Σ w[r][c]·x[c]} for rows [rowFrom, rowTo). */
  static void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset, boolean wide) {
    Activations.Arranged a = x.arranged(ActivationOrder.NIBBLES);
    long address = Memory.address(w, rowFrom, rowTo);
    long rowBytes = w.rowBytes();
    int blocks = w.columns() / 256;
    float[] scales = new float[2 * 8 * BLOCKS + 16];
    float[] sums = new float[2];
    for (int r = rowFrom; r < rowTo; r += 2) {
      // An odd last row is computed together with itself.
      long row0 = address + (r - rowFrom) * rowBytes;
      long row1 = r + 1 < rowTo ? row0 + rowBytes : row0;
      sums[0] = 0;
      sums[1] = 0;
      for (int b = 0; b < blocks; b += BLOCKS) {
        int n = Math.min(BLOCKS, blocks - b);
        long at = (long) b * BYTES;
        sums[0] -= scales(row0 + at, n, scales, 0, a.sums, 8 * b);
        sums[1] -= scales(row1 + at, n, scales, 8 * BLOCKS, a.sums, 8 * b);
        if (wide) {
          dot512(row0 + at, row1 + at, n, a.values, b, scales, sums);
        } else {
          dot256(row0 + at, n, a.values, b, scales, 0, sums, 0);
          dot256(row1 + at, n, a.values, b, scales, 8 * BLOCKS, sums, 1);
        }
      }
      out[offset + r] = sums[0];
      if (r + 1 < rowTo) {
        out[offset + r + 1] = sums[1];
      }
    }
  }

  /**
   * Decodes the scales of some super-blocks.
   *
   * @return what is to be taken off: {@code Σ (base·scale + min) · Σx} over their groups
   */
  private static float scales(
      long address, int blocks, float[] scales, int scaleOffset, float[] xSums, int sumOffset) {
    FloatVector correction = FloatVector.zero(F8);
    for (int b = 0; b < blocks; b++) {
      long at = address + (long) b * BYTES;
      int u0 = Memory.ALL.get(Memory.INT, at + 4);
      int u1 = Memory.ALL.get(Memory.INT, at + 8);
      IntVector u2 = IntVector.broadcast(I8, Memory.ALL.get(Memory.INT, at + 12));
      FloatVector s =
          (FloatVector)
              IntVector.broadcast(I8, u0)
                  .lanewise(VectorOperators.LSHR, SHIFT)
                  .and(MASK)
                  .or(u2.lanewise(VectorOperators.LSHR, SCALE_SHIFT).and(LOW_NIBBLE))
                  .convertShape(VectorOperators.I2F, F8, 0);
      FloatVector m =
          (FloatVector)
              IntVector.broadcast(I8, u1)
                  .lanewise(VectorOperators.LSHR, SHIFT)
                  .and(MASK)
                  .or(u2.lanewise(VectorOperators.LSHR, MIN_SHIFT).and(LOW_NIBBLE))
                  .convertShape(VectorOperators.I2F, F8, 0);
      s = s.mul(Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at)));
      m = m.mul(Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + 2)));
      s.intoArray(scales, scaleOffset + 8 * b);
      FloatVector x = FloatVector.fromArray(F8, xSums, sumOffset + 8 * b);
      correction = s.fma(BASES, m).fma(x, correction);
    }
    return correction.reduceLanes(VectorOperators.ADD);
  }

  /** Two rows: each value of the vector is loaded once for both. Adds to sums[0] and sums[1]. */
  private static void dot512(
      long row0, long row1, int blocks, float[] x, int firstBlock, float[] scales, float[] sums) {
    IntVector lowMask = IntVector.broadcast(I16, LOW_MASK);
    IntVector lowBase = IntVector.broadcast(I16, LOW_BASE);
    IntVector highMask = IntVector.broadcast(I16, HIGH_MASK);
    IntVector highBase = IntVector.broadcast(I16, HIGH_BASE);
    FloatVector a0 = FloatVector.zero(F16);
    FloatVector a1 = FloatVector.zero(F16);
    FloatVector b0 = FloatVector.zero(F16);
    FloatVector b1 = FloatVector.zero(F16);
    for (int c = 0; c < 2 * blocks; c++) {
      long at = (c >> 1) * (long) BYTES + 16 + (c & 1) * 64;
      int p = 256 * firstBlock + 128 * c;
      FloatVector x0 = FloatVector.fromArray(F16, x, p);
      FloatVector x1 = FloatVector.fromArray(F16, x, p + 16);
      FloatVector x2 = FloatVector.fromArray(F16, x, p + 32);
      FloatVector x3 = FloatVector.fromArray(F16, x, p + 48);
      FloatVector x4 = FloatVector.fromArray(F16, x, p + 64);
      FloatVector x5 = FloatVector.fromArray(F16, x, p + 80);
      FloatVector x6 = FloatVector.fromArray(F16, x, p + 96);
      FloatVector x7 = FloatVector.fromArray(F16, x, p + 112);
      IntVector u = IntVector.fromMemorySegment(I16, Memory.ALL, row0 + at, LITTLE);
      IntVector uA = u.lanewise(VectorOperators.LSHL, 3);
      IntVector uB = u.lanewise(VectorOperators.LSHR, 5);
      IntVector uC = u.lanewise(VectorOperators.LSHL, 11);
      IntVector uD = u.lanewise(VectorOperators.LSHL, 19);
      IntVector uE = u.lanewise(VectorOperators.LSHR, 13);
      FloatVector uLow = uA.and(lowMask).or(lowBase).reinterpretAsFloats().mul(x2);
      FloatVector uHigh = uA.and(highMask).or(highBase).reinterpretAsFloats().mul(x5);
      uLow = uB.and(lowMask).or(lowBase).reinterpretAsFloats().fma(x3, uLow);
      uHigh = uB.and(highMask).or(highBase).reinterpretAsFloats().fma(x6, uHigh);
      uLow = uC.and(lowMask).or(lowBase).reinterpretAsFloats().fma(x1, uLow);
      uHigh = uC.and(highMask).or(highBase).reinterpretAsFloats().fma(x4, uHigh);
      uLow = uD.and(lowMask).or(lowBase).reinterpretAsFloats().fma(x0, uLow);
      uHigh = uE.and(highMask).or(highBase).reinterpretAsFloats().fma(x7, uHigh);
      FloatVector s = FloatVector.fromArray(F16, scales, 4 * c);
      a0 = uLow.fma(s.rearrange(LOW_SCALES), a0);
      a1 = uHigh.fma(s.rearrange(HIGH_SCALES), a1);
      IntVector v = IntVector.fromMemorySegment(I16, Memory.ALL, row1 + at, LITTLE);
      IntVector vA = v.lanewise(VectorOperators.LSHL, 3);
      IntVector vB = v.lanewise(VectorOperators.LSHR, 5);
      IntVector vC = v.lanewise(VectorOperators.LSHL, 11);
      IntVector vD = v.lanewise(VectorOperators.LSHL, 19);
      IntVector vE = v.lanewise(VectorOperators.LSHR, 13);
      FloatVector vLow = vA.and(lowMask).or(lowBase).reinterpretAsFloats().mul(x2);
      FloatVector vHigh = vA.and(highMask).or(highBase).reinterpretAsFloats().mul(x5);
      vLow = vB.and(lowMask).or(lowBase).reinterpretAsFloats().fma(x3, vLow);
      vHigh = vB.and(highMask).or(highBase).reinterpretAsFloats().fma(x6, vHigh);
      vLow = vC.and(lowMask).or(lowBase).reinterpretAsFloats().fma(x1, vLow);
      vHigh = vC.and(highMask).or(highBase).reinterpretAsFloats().fma(x4, vHigh);
      vLow = vD.and(lowMask).or(lowBase).reinterpretAsFloats().fma(x0, vLow);
      vHigh = vE.and(highMask).or(highBase).reinterpretAsFloats().fma(x7, vHigh);
      FloatVector t = FloatVector.fromArray(F16, scales, 8 * BLOCKS + 4 * c);
      b0 = vLow.fma(t.rearrange(LOW_SCALES), b0);
      b1 = vHigh.fma(t.rearrange(HIGH_SCALES), b1);
    }
    sums[0] += a0.add(a1).reduceLanes(VectorOperators.ADD);
    sums[1] += b0.add(b1).reduceLanes(VectorOperators.ADD);
  }

  /** One row. Adds to sums[index]. */
  private static void dot256(
      long row,
      int blocks,
      float[] x,
      int firstBlock,
      float[] scales,
      int scaleOffset,
      float[] sums,
      int index) {
    IntVector lowMask = IntVector.broadcast(I8, LOW_MASK);
    IntVector lowBase = IntVector.broadcast(I8, LOW_BASE);
    IntVector highMask = IntVector.broadcast(I8, HIGH_MASK);
    IntVector highBase = IntVector.broadcast(I8, HIGH_BASE);
    FloatVector a0 = FloatVector.zero(F8);
    FloatVector a1 = FloatVector.zero(F8);
    for (int c = 0; c < 4 * blocks; c++) {
      long at = (c >> 2) * (long) BYTES + 16 + (c & 3) * 32;
      int p = 256 * firstBlock + 128 * (c >> 1) + 8 * (c & 1);
      FloatVector x0 = FloatVector.fromArray(F8, x, p);
      FloatVector x1 = FloatVector.fromArray(F8, x, p + 16);
      FloatVector x2 = FloatVector.fromArray(F8, x, p + 32);
      FloatVector x3 = FloatVector.fromArray(F8, x, p + 48);
      FloatVector x4 = FloatVector.fromArray(F8, x, p + 64);
      FloatVector x5 = FloatVector.fromArray(F8, x, p + 80);
      FloatVector x6 = FloatVector.fromArray(F8, x, p + 96);
      FloatVector x7 = FloatVector.fromArray(F8, x, p + 112);
      IntVector u = IntVector.fromMemorySegment(I8, Memory.ALL, row + at, LITTLE);
      IntVector uA = u.lanewise(VectorOperators.LSHL, 3);
      IntVector uB = u.lanewise(VectorOperators.LSHR, 5);
      IntVector uC = u.lanewise(VectorOperators.LSHL, 11);
      IntVector uD = u.lanewise(VectorOperators.LSHL, 19);
      IntVector uE = u.lanewise(VectorOperators.LSHR, 13);
      FloatVector uLow = uA.and(lowMask).or(lowBase).reinterpretAsFloats().mul(x2);
      FloatVector uHigh = uA.and(highMask).or(highBase).reinterpretAsFloats().mul(x5);
      uLow = uB.and(lowMask).or(lowBase).reinterpretAsFloats().fma(x3, uLow);
      uHigh = uB.and(highMask).or(highBase).reinterpretAsFloats().fma(x6, uHigh);
      uLow = uC.and(lowMask).or(lowBase).reinterpretAsFloats().fma(x1, uLow);
      uHigh = uC.and(highMask).or(highBase).reinterpretAsFloats().fma(x4, uHigh);
      uLow = uD.and(lowMask).or(lowBase).reinterpretAsFloats().fma(x0, uLow);
      uHigh = uE.and(highMask).or(highBase).reinterpretAsFloats().fma(x7, uHigh);
      a0 = uLow.fma(FloatVector.broadcast(F8, scales[scaleOffset + 2 * c]), a0);
      a1 = uHigh.fma(FloatVector.broadcast(F8, scales[scaleOffset + 2 * c + 1]), a1);
    }
    sums[index] += a0.add(a1).reduceLanes(VectorOperators.ADD);
  }
}
