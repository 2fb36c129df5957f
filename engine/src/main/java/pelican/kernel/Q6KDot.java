package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q6_K rows with one vector, by the trick of {@link Q4KDot}: the six bits go into
 * the mantissa under a fixed exponent. The low nibbles of a byte and the high ones need their two
 * upper bits from places that are four bits apart as well, so one shift of each source serves two
 * weights: those of low nibbles are read under base 1024, those of high ones under base 64.
 */
final class Q6KDot {
  private static final int BYTES = 210;
  private static final int HIGH_BITS = 128;
  private static final int SCALES = 192;
  private static final int D = 208;

  /** Super-blocks whose scales are decoded at a time: they stay in the level 1 cache. */
  private static final int BLOCKS = 8;

  // q of a low nibble in mantissa bits 13 to 18, of a high one in 17 to 22.
  private static final int LOW_NIBBLE = 0x0001e000;
  private static final int LOW_UPPER = 0x00060000;
  private static final int LOW_BASE = Float.floatToRawIntBits(1024);
  private static final int HIGH_NIBBLE = 0x001e0000;
  private static final int HIGH_UPPER = 0x00600000;
  private static final int HIGH_BASE = Float.floatToRawIntBits(64);

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Byte> B16 = ByteVector.SPECIES_128;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;

  /** What the bases and the format's own 32 add to each q, by group of 16 in half a block. */
  private static final FloatVector OFFSETS =
      FloatVector.fromArray(F8, new float[] {1056, 1056, 1056, 1056, 96, 96, 96, 96}, 0);

  private Q6KDot() {}

  /** {@code out[offset + r] = Σ w[r][c]·x[c]} for rows [rowFrom, rowTo). */
  static void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset, boolean wide) {
    Activations.Arranged a = x.arranged(ActivationOrder.SIX_BITS);
    long address = Memory.address(w, rowFrom, rowTo);
    long rowBytes = w.rowBytes();
    int blocks = w.columns() / 256;
    float[] scales = new float[16 * BLOCKS + 16];
    for (int r = rowFrom; r < rowTo; r++) {
      long row = address + (r - rowFrom) * rowBytes;
      float sum = 0;
      for (int b = 0; b < blocks; b += BLOCKS) {
        int n = Math.min(BLOCKS, blocks - b);
        long at = row + (long) b * BYTES;
        sum -= scales(at, n, scales, a.sums, 16 * b);
        sum +=
            wide
                ? dot512(at, n, a.values, 256 * b, scales)
                : dot256(at, n, a.values, 256 * b, scales);
      }
      out[offset + r] = sum;
    }
  }

  /**
   * Decodes the scales of some super-blocks.
   *
   * @return what is to be taken off: {@code Σ (base + 32)·scale·Σx} over their groups
   */
  private static float scales(
      long address, int blocks, float[] scales, float[] xSums, int sumOffset) {
    FloatVector correction = FloatVector.zero(F8);
    for (int b = 0; b < blocks; b++) {
      long at = address + (long) b * BYTES;
      float d = Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + D));
      ByteVector bytes = ByteVector.fromMemorySegment(B16, Memory.ALL, at + SCALES, LITTLE);
      FloatVector s0 = (FloatVector) bytes.convertShape(VectorOperators.B2F, F8, 0);
      FloatVector s1 = (FloatVector) bytes.convertShape(VectorOperators.B2F, F8, 1);
      s0 = s0.mul(d);
      s1 = s1.mul(d);
      s0.intoArray(scales, 16 * b);
      s1.intoArray(scales, 16 * b + 8);
      FloatVector x0 = FloatVector.fromArray(F8, xSums, sumOffset + 16 * b);
      FloatVector x1 = FloatVector.fromArray(F8, xSums, sumOffset + 16 * b + 8);
      correction = s0.mul(OFFSETS).fma(x0, correction);
      correction = s1.mul(OFFSETS).fma(x1, correction);
    }
    return correction.reduceLanes(VectorOperators.ADD);
  }

  // The upper bits of half a block for both halves of a vector of 16 ints, those of the second one
  // two
  // bits further down.
  private static final VectorShuffle<Integer> FIRST_HALF =
      VectorShuffle.fromValues(I16, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7);
  private static final VectorShuffle<Integer> SECOND_HALF =
      VectorShuffle.fromValues(I16, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
  private static final IntVector SECOND_DOWN =
      IntVector.fromArray(I16, new int[] {0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2}, 0);
  private static final VectorShuffle<Float> FOUR_EACH =
      VectorShuffle.fromValues(F16, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);

  private static float dot512(long row, int blocks, float[] x, int xOffset, float[] scales) {
    IntVector lowNibble = IntVector.broadcast(I16, LOW_NIBBLE);
    IntVector lowUpper = IntVector.broadcast(I16, LOW_UPPER);
    IntVector lowBase = IntVector.broadcast(I16, LOW_BASE);
    IntVector highNibble = IntVector.broadcast(I16, HIGH_NIBBLE);
    IntVector highUpper = IntVector.broadcast(I16, HIGH_UPPER);
    IntVector highBase = IntVector.broadcast(I16, HIGH_BASE);
    FloatVector a0 = FloatVector.zero(F16);
    FloatVector a1 = FloatVector.zero(F16);
    for (int h = 0; h < 2 * blocks; h++) {
      long at = row + (h >> 1) * (long) BYTES;
      int half = h & 1;
      int p = xOffset + 128 * h;
      IntVector q = IntVector.fromMemorySegment(I16, Memory.ALL, at + 64 * half, LITTLE);
      IntVector bits = IntVector.fromMemorySegment(I16, Memory.ALL, at + HIGH_BITS, LITTLE);
      IntVector u = bits.rearrange(half == 0 ? FIRST_HALF : SECOND_HALF);
      u = u.lanewise(VectorOperators.LSHR, SECOND_DOWN);
      IntVector q0 = q.lanewise(VectorOperators.LSHL, 13);
      IntVector u0 = u.lanewise(VectorOperators.LSHL, 17);
      FloatVector low0 = q0.and(lowNibble).or(lowBase).or(u0.and(lowUpper)).reinterpretAsFloats();
      FloatVector high0 =
          q0.and(highNibble).or(highBase).or(u0.and(highUpper)).reinterpretAsFloats();
      IntVector q1 = q.lanewise(VectorOperators.LSHL, 5);
      IntVector u1 = u.lanewise(VectorOperators.LSHL, 9);
      FloatVector low1 = q1.and(lowNibble).or(lowBase).or(u1.and(lowUpper)).reinterpretAsFloats();
      FloatVector high1 =
          q1.and(highNibble).or(highBase).or(u1.and(highUpper)).reinterpretAsFloats();
      IntVector q2 = q.lanewise(VectorOperators.LSHR, 3);
      IntVector u2 = u.lanewise(VectorOperators.LSHL, 1);
      FloatVector low2 = q2.and(lowNibble).or(lowBase).or(u2.and(lowUpper)).reinterpretAsFloats();
      FloatVector high2 =
          q2.and(highNibble).or(highBase).or(u2.and(highUpper)).reinterpretAsFloats();
      IntVector q3 = q.lanewise(VectorOperators.LSHR, 11);
      IntVector u3 = u.lanewise(VectorOperators.LSHR, 7);
      FloatVector low3 = q3.and(lowNibble).or(lowBase).or(u3.and(lowUpper)).reinterpretAsFloats();
      FloatVector high3 =
          q3.and(highNibble).or(highBase).or(u3.and(highUpper)).reinterpretAsFloats();
      FloatVector low = low0.mul(FloatVector.fromArray(F16, x, p));
      FloatVector high = high0.mul(FloatVector.fromArray(F16, x, p + 16));
      low = low1.fma(FloatVector.fromArray(F16, x, p + 32), low);
      high = high1.fma(FloatVector.fromArray(F16, x, p + 48), high);
      low = low2.fma(FloatVector.fromArray(F16, x, p + 64), low);
      high = high2.fma(FloatVector.fromArray(F16, x, p + 80), high);
      low = low3.fma(FloatVector.fromArray(F16, x, p + 96), low);
      high = high3.fma(FloatVector.fromArray(F16, x, p + 112), high);
      FloatVector s0 = FloatVector.fromArray(F16, scales, 8 * h);
      FloatVector s1 = FloatVector.fromArray(F16, scales, 8 * h + 4);
      a0 = low.fma(s0.rearrange(FOUR_EACH), a0);
      a1 = high.fma(s1.rearrange(FOUR_EACH), a1);
    }
    return a0.add(a1).reduceLanes(VectorOperators.ADD);
  }

  private static final VectorShuffle<Float> TWO_FIRST =
      VectorShuffle.fromValues(F8, 0, 0, 0, 0, 1, 1, 1, 1);

  private static float dot256(long row, int blocks, float[] x, int xOffset, float[] scales) {
    IntVector lowNibble = IntVector.broadcast(I8, LOW_NIBBLE);
    IntVector lowUpper = IntVector.broadcast(I8, LOW_UPPER);
    IntVector lowBase = IntVector.broadcast(I8, LOW_BASE);
    IntVector highNibble = IntVector.broadcast(I8, HIGH_NIBBLE);
    IntVector highUpper = IntVector.broadcast(I8, HIGH_UPPER);
    IntVector highBase = IntVector.broadcast(I8, HIGH_BASE);
    FloatVector a0 = FloatVector.zero(F8);
    FloatVector a1 = FloatVector.zero(F8);
    FloatVector a2 = FloatVector.zero(F8);
    FloatVector a3 = FloatVector.zero(F8);
    for (int h = 0; h < 2 * blocks; h++) {
      long at = row + (h >> 1) * (long) BYTES;
      int half = h & 1;
      int p = xOffset + 128 * h;
      IntVector q = IntVector.fromMemorySegment(I8, Memory.ALL, at + 64 * half, LITTLE);
      IntVector r = IntVector.fromMemorySegment(I8, Memory.ALL, at + 64 * half + 32, LITTLE);
      IntVector u = IntVector.fromMemorySegment(I8, Memory.ALL, at + HIGH_BITS + 32 * half, LITTLE);
      IntVector q0 = q.lanewise(VectorOperators.LSHL, 13);
      IntVector u0 = u.lanewise(VectorOperators.LSHL, 17);
      IntVector r0 = r.lanewise(VectorOperators.LSHL, 13);
      IntVector v0 = u.lanewise(VectorOperators.LSHL, 15);
      IntVector q1 = q.lanewise(VectorOperators.LSHL, 5);
      IntVector u1 = u.lanewise(VectorOperators.LSHL, 9);
      IntVector r1 = r.lanewise(VectorOperators.LSHL, 5);
      IntVector v1 = u.lanewise(VectorOperators.LSHL, 7);
      IntVector q2 = q.lanewise(VectorOperators.LSHR, 3);
      IntVector u2 = u.lanewise(VectorOperators.LSHL, 1);
      IntVector r2 = r.lanewise(VectorOperators.LSHR, 3);
      IntVector v2 = u.lanewise(VectorOperators.LSHR, 1);
      IntVector q3 = q.lanewise(VectorOperators.LSHR, 11);
      IntVector u3 = u.lanewise(VectorOperators.LSHR, 7);
      IntVector r3 = r.lanewise(VectorOperators.LSHR, 11);
      IntVector v3 = u.lanewise(VectorOperators.LSHR, 9);
      FloatVector s0 =
          q0.and(lowNibble)
              .or(lowBase)
              .or(u0.and(lowUpper))
              .reinterpretAsFloats()
              .mul(FloatVector.fromArray(F8, x, p));
      FloatVector s1 =
          r0.and(lowNibble)
              .or(lowBase)
              .or(v0.and(lowUpper))
              .reinterpretAsFloats()
              .mul(FloatVector.fromArray(F8, x, p + 8));
      FloatVector s2 =
          q0.and(highNibble)
              .or(highBase)
              .or(u0.and(highUpper))
              .reinterpretAsFloats()
              .mul(FloatVector.fromArray(F8, x, p + 16));
      FloatVector s3 =
          r0.and(highNibble)
              .or(highBase)
              .or(v0.and(highUpper))
              .reinterpretAsFloats()
              .mul(FloatVector.fromArray(F8, x, p + 24));
      s0 =
          q1.and(lowNibble)
              .or(lowBase)
              .or(u1.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 32), s0);
      s1 =
          r1.and(lowNibble)
              .or(lowBase)
              .or(v1.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 40), s1);
      s2 =
          q1.and(highNibble)
              .or(highBase)
              .or(u1.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 48), s2);
      s3 =
          r1.and(highNibble)
              .or(highBase)
              .or(v1.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 56), s3);
      s0 =
          q2.and(lowNibble)
              .or(lowBase)
              .or(u2.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 64), s0);
      s1 =
          r2.and(lowNibble)
              .or(lowBase)
              .or(v2.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 72), s1);
      s2 =
          q2.and(highNibble)
              .or(highBase)
              .or(u2.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 80), s2);
      s3 =
          r2.and(highNibble)
              .or(highBase)
              .or(v2.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 88), s3);
      s0 =
          q3.and(lowNibble)
              .or(lowBase)
              .or(u3.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 96), s0);
      s1 =
          r3.and(lowNibble)
              .or(lowBase)
              .or(v3.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 104), s1);
      s2 =
          q3.and(highNibble)
              .or(highBase)
              .or(u3.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 112), s2);
      s3 =
          r3.and(highNibble)
              .or(highBase)
              .or(v3.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 120), s3);
      FloatVector t0 = FloatVector.fromArray(F8, scales, 8 * h);
      FloatVector t1 = FloatVector.fromArray(F8, scales, 8 * h + 2);
      FloatVector t2 = FloatVector.fromArray(F8, scales, 8 * h + 4);
      FloatVector t3 = FloatVector.fromArray(F8, scales, 8 * h + 6);
      a0 = s0.fma(t0.rearrange(TWO_FIRST), a0);
      a1 = s1.fma(t1.rearrange(TWO_FIRST), a1);
      a2 = s2.fma(t2.rearrange(TWO_FIRST), a2);
      a3 = s3.fma(t3.rearrange(TWO_FIRST), a3);
    }
    return a0.add(a1).add(a2.add(a3)).reduceLanes(VectorOperators.ADD);
  }
}
