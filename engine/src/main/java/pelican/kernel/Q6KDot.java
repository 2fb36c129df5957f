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

  /** What the base and the format's own 32 add to each q of a low nibble, and of a high one. */
  static final float LOW_OFFSET = 1024 + 32;

  static final float HIGH_OFFSET = 64 + 32;

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
      if (wide) {
        sum = dot512(row, blocks, a.values, a.sums);
      } else {
        for (int b = 0; b < blocks; b += BLOCKS) {
          int n = Math.min(BLOCKS, blocks - b);
          long at = row + (long) b * BYTES;
          sum -= scales(at, n, scales, a.sums, 16 * b);
          sum += dot256(at, n, a.values, 256 * b, scales);
        }
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
      correction = s0.fma(x0, correction);
      correction = s1.fma(x1, correction);
    }
    return correction.reduceLanes(VectorOperators.ADD);
  }

  // Constants of the wide kernel, 16 lanes each, from an array as those of Q4KDot.
  private static final int[] CONSTANTS = new int[7 * 16];

  static {
    for (int i = 0; i < 16; i++) {
      CONSTANTS[i] = LOW_NIBBLE;
      CONSTANTS[16 + i] = LOW_UPPER;
      CONSTANTS[32 + i] = LOW_BASE;
      CONSTANTS[48 + i] = HIGH_NIBBLE;
      CONSTANTS[64 + i] = HIGH_UPPER;
      CONSTANTS[80 + i] = HIGH_BASE;
      CONSTANTS[96 + i] = i < 8 ? 0 : 2;
    }
  }

  // The upper bits of half a block for both halves of a vector, those of the second two bits
  // further down.
  private static final VectorShuffle<Integer> FIRST_HALF =
      VectorShuffle.fromValues(I16, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7);
  private static final VectorShuffle<Integer> SECOND_HALF =
      VectorShuffle.fromValues(I16, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);

  // Four scales, spread over the lanes of their weights.
  private static final VectorShuffle<Float> SCALES_0 = four(0);
  private static final VectorShuffle<Float> SCALES_4 = four(4);
  private static final VectorShuffle<Float> SCALES_8 = four(8);
  private static final VectorShuffle<Float> SCALES_12 = four(12);

  private static VectorShuffle<Float> four(int a) {
    return VectorShuffle.fromOp(F16, i -> a + (i >> 2));
  }

  /**
   * One row in vectors of 512 bits, its bytes in order: see {@link Q4KDot}.
   *
   * @param sums for each super-block what its 16 scales are multiplied with to be taken off
   */
  private static float dot512(long row, int blocks, float[] x, float[] sums) {
    IntVector lowNibble = IntVector.fromArray(I16, CONSTANTS, 0);
    IntVector lowUpper = IntVector.fromArray(I16, CONSTANTS, 16);
    IntVector lowBase = IntVector.fromArray(I16, CONSTANTS, 32);
    IntVector highNibble = IntVector.fromArray(I16, CONSTANTS, 48);
    IntVector highUpper = IntVector.fromArray(I16, CONSTANTS, 64);
    IntVector highBase = IntVector.fromArray(I16, CONSTANTS, 80);
    IntVector secondDown = IntVector.fromArray(I16, CONSTANTS, 96);
    FloatVector low = FloatVector.zero(F16);
    FloatVector high = FloatVector.zero(F16);
    FloatVector off = FloatVector.zero(F16);
    for (int b = 0; b < blocks; b++) {
      long at = row + b * (long) BYTES;
      int p = 256 * b;
      float d = Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + D));
      FloatVector s =
          ((FloatVector)
                  ByteVector.fromMemorySegment(B16, Memory.ALL, at + SCALES, LITTLE)
                      .convertShape(VectorOperators.B2F, F16, 0))
              .mul(d);
      off = s.fma(FloatVector.fromArray(F16, sums, 16 * b), off);
      IntVector bits = IntVector.fromMemorySegment(I16, Memory.ALL, at + HIGH_BITS, LITTLE);

      IntVector q = IntVector.fromMemorySegment(I16, Memory.ALL, at, LITTLE);
      IntVector qUp = bits.rearrange(FIRST_HALF).lanewise(VectorOperators.LSHR, secondDown);
      IntVector q0 = q.lanewise(VectorOperators.LSHL, 13);
      IntVector qUp0 = qUp.lanewise(VectorOperators.LSHL, 17);
      FloatVector qLow =
          q0.and(lowNibble)
              .or(lowBase)
              .or(qUp0.and(lowUpper))
              .reinterpretAsFloats()
              .mul(FloatVector.fromArray(F16, x, p));
      FloatVector qHigh =
          q0.and(highNibble)
              .or(highBase)
              .or(qUp0.and(highUpper))
              .reinterpretAsFloats()
              .mul(FloatVector.fromArray(F16, x, p + 16));
      IntVector q1 = q.lanewise(VectorOperators.LSHL, 5);
      IntVector qUp1 = qUp.lanewise(VectorOperators.LSHL, 9);
      qLow =
          q1.and(lowNibble)
              .or(lowBase)
              .or(qUp1.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 32), qLow);
      qHigh =
          q1.and(highNibble)
              .or(highBase)
              .or(qUp1.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 48), qHigh);
      IntVector q2 = q.lanewise(VectorOperators.LSHR, 3);
      IntVector qUp2 = qUp.lanewise(VectorOperators.LSHL, 1);
      qLow =
          q2.and(lowNibble)
              .or(lowBase)
              .or(qUp2.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 64), qLow);
      qHigh =
          q2.and(highNibble)
              .or(highBase)
              .or(qUp2.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 80), qHigh);
      IntVector q3 = q.lanewise(VectorOperators.LSHR, 11);
      IntVector qUp3 = qUp.lanewise(VectorOperators.LSHR, 7);
      qLow =
          q3.and(lowNibble)
              .or(lowBase)
              .or(qUp3.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 96), qLow);
      qHigh =
          q3.and(highNibble)
              .or(highBase)
              .or(qUp3.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 112), qHigh);
      low = qLow.fma(s.rearrange(SCALES_0), low);
      high = qHigh.fma(s.rearrange(SCALES_4), high);

      IntVector r = IntVector.fromMemorySegment(I16, Memory.ALL, at + 64, LITTLE);
      IntVector rUp = bits.rearrange(SECOND_HALF).lanewise(VectorOperators.LSHR, secondDown);
      IntVector r0 = r.lanewise(VectorOperators.LSHL, 13);
      IntVector rUp0 = rUp.lanewise(VectorOperators.LSHL, 17);
      FloatVector rLow =
          r0.and(lowNibble)
              .or(lowBase)
              .or(rUp0.and(lowUpper))
              .reinterpretAsFloats()
              .mul(FloatVector.fromArray(F16, x, p + 128));
      FloatVector rHigh =
          r0.and(highNibble)
              .or(highBase)
              .or(rUp0.and(highUpper))
              .reinterpretAsFloats()
              .mul(FloatVector.fromArray(F16, x, p + 144));
      IntVector r1 = r.lanewise(VectorOperators.LSHL, 5);
      IntVector rUp1 = rUp.lanewise(VectorOperators.LSHL, 9);
      rLow =
          r1.and(lowNibble)
              .or(lowBase)
              .or(rUp1.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 160), rLow);
      rHigh =
          r1.and(highNibble)
              .or(highBase)
              .or(rUp1.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 176), rHigh);
      IntVector r2 = r.lanewise(VectorOperators.LSHR, 3);
      IntVector rUp2 = rUp.lanewise(VectorOperators.LSHL, 1);
      rLow =
          r2.and(lowNibble)
              .or(lowBase)
              .or(rUp2.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 192), rLow);
      rHigh =
          r2.and(highNibble)
              .or(highBase)
              .or(rUp2.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 208), rHigh);
      IntVector r3 = r.lanewise(VectorOperators.LSHR, 11);
      IntVector rUp3 = rUp.lanewise(VectorOperators.LSHR, 7);
      rLow =
          r3.and(lowNibble)
              .or(lowBase)
              .or(rUp3.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 224), rLow);
      rHigh =
          r3.and(highNibble)
              .or(highBase)
              .or(rUp3.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 240), rHigh);
      low = rLow.fma(s.rearrange(SCALES_8), low);
      high = rHigh.fma(s.rearrange(SCALES_12), high);
    }
    return low.add(high).sub(off).reduceLanes(VectorOperators.ADD);
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
