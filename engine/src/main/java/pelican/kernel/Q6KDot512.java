package pelican.kernel;

import java.lang.ref.Reference;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q6_K rows with one vector in vectors of 512 bits, by the trick of {@link
 * Q4KDot512}: the six bits go into the mantissa under a fixed exponent. The low nibbles of a byte
 * and the high ones need their two upper bits from places that are four bits apart as well, so one
 * shift of each source serves two weights: those of low nibbles are read under base 1024, those of
 * high ones under base 64.
 */
final class Q6KDot512 {
  private static final int BYTES = 210;
  private static final int HIGH_BITS = 128;
  private static final int SCALES = 192;
  private static final int D = 208;

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

  private Q6KDot512() {}

  /** {@code out[offset + r] = Σ w[r][c]·x[token][c]} for rows [rowFrom, rowTo). */
  static void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, int token, float[] out, int offset) {
    Activations.Arranged a = x.arranged(ActivationOrder.SIX_BITS_512);
    long address = Memory.address(w, rowFrom, rowTo);
    long rowBytes = w.rowBytes();
    int blocks = w.columns() / 256;
    for (int r = rowFrom; r < rowTo; r++) {
      out[offset + r] =
          dot(address + (r - rowFrom) * rowBytes, blocks, a.values(token), a.sums(token));
    }
    Reference.reachabilityFence(x);
  }

  // Constants of the wide kernel, 16 lanes each, from an array as those of Q4KDot512.
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
   * One row in vectors of 512 bits, its bytes in order: see {@link Q4KDot512}.
   *
   * @param x the address of the vector's values
   * @param sums the address, for each super-block, of what its 16 scales are multiplied with to be
   *     taken off
   */
  private static float dot(long row, int blocks, long x, long sums) {
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
      long at = row + (long) BYTES * b & Memory.ANY;
      long p = x + 1024L * b & Memory.ANY;
      float d = Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + D));
      FloatVector s =
          ((FloatVector)
                  ByteVector.fromMemorySegment(B16, Memory.ALL, at + SCALES, LITTLE)
                      .convertShape(VectorOperators.B2F, F16, 0))
              .mul(d);
      off =
          s.fma(
              FloatVector.fromMemorySegment(F16, Memory.ALL, sums + 64L * b & Memory.ANY, LITTLE),
              off);
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
              .mul(FloatVector.fromMemorySegment(F16, Memory.ALL, p, LITTLE));
      FloatVector qHigh =
          q0.and(highNibble)
              .or(highBase)
              .or(qUp0.and(highUpper))
              .reinterpretAsFloats()
              .mul(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 64, LITTLE));
      IntVector q1 = q.lanewise(VectorOperators.LSHL, 5);
      IntVector qUp1 = qUp.lanewise(VectorOperators.LSHL, 9);
      qLow =
          q1.and(lowNibble)
              .or(lowBase)
              .or(qUp1.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 128, LITTLE), qLow);
      qHigh =
          q1.and(highNibble)
              .or(highBase)
              .or(qUp1.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 192, LITTLE), qHigh);
      IntVector q2 = q.lanewise(VectorOperators.LSHR, 3);
      IntVector qUp2 = qUp.lanewise(VectorOperators.LSHL, 1);
      qLow =
          q2.and(lowNibble)
              .or(lowBase)
              .or(qUp2.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 256, LITTLE), qLow);
      qHigh =
          q2.and(highNibble)
              .or(highBase)
              .or(qUp2.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 320, LITTLE), qHigh);
      IntVector q3 = q.lanewise(VectorOperators.LSHR, 11);
      IntVector qUp3 = qUp.lanewise(VectorOperators.LSHR, 7);
      qLow =
          q3.and(lowNibble)
              .or(lowBase)
              .or(qUp3.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 384, LITTLE), qLow);
      qHigh =
          q3.and(highNibble)
              .or(highBase)
              .or(qUp3.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 448, LITTLE), qHigh);
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
              .mul(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 512, LITTLE));
      FloatVector rHigh =
          r0.and(highNibble)
              .or(highBase)
              .or(rUp0.and(highUpper))
              .reinterpretAsFloats()
              .mul(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 576, LITTLE));
      IntVector r1 = r.lanewise(VectorOperators.LSHL, 5);
      IntVector rUp1 = rUp.lanewise(VectorOperators.LSHL, 9);
      rLow =
          r1.and(lowNibble)
              .or(lowBase)
              .or(rUp1.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 640, LITTLE), rLow);
      rHigh =
          r1.and(highNibble)
              .or(highBase)
              .or(rUp1.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 704, LITTLE), rHigh);
      IntVector r2 = r.lanewise(VectorOperators.LSHR, 3);
      IntVector rUp2 = rUp.lanewise(VectorOperators.LSHL, 1);
      rLow =
          r2.and(lowNibble)
              .or(lowBase)
              .or(rUp2.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 768, LITTLE), rLow);
      rHigh =
          r2.and(highNibble)
              .or(highBase)
              .or(rUp2.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 832, LITTLE), rHigh);
      IntVector r3 = r.lanewise(VectorOperators.LSHR, 11);
      IntVector rUp3 = rUp.lanewise(VectorOperators.LSHR, 7);
      rLow =
          r3.and(lowNibble)
              .or(lowBase)
              .or(rUp3.and(lowUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 896, LITTLE), rLow);
      rHigh =
          r3.and(highNibble)
              .or(highBase)
              .or(rUp3.and(highUpper))
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 960, LITTLE), rHigh);
      low = rLow.fma(s.rearrange(SCALES_8), low);
      high = rHigh.fma(s.rearrange(SCALES_12), high);
    }
    return low.add(high).sub(off).reduceLanes(VectorOperators.ADD);
  }
}
