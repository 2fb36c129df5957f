package pelican.kernel;

import java.lang.ref.Reference;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q4_K rows with one vector in vectors of 512 bits, without quantizing the vector.
 *
 * <p>A nibble becomes a float without a conversion: moved into the upper mantissa bits under a
 * fixed exponent it reads as {@code base + q}. With the base's share, {@code base · Σx}, and the
 * minimums' taken off at the end by sums over groups, a weight costs one AND-OR (one instruction
 * with AVX-512) and one FMA, and a shift serves two nibbles: low ones are read under base 16, high
 * ones, four bits further down the mantissa, under base 256.
 */
final class Q4KDot512 {
  private static final int BYTES = 144;

  /** The bases that low and high nibbles are read under. */
  static final float LOW = 16;

  static final float HIGH = 256;

  static final int LOW_MASK = 0x00780000;
  static final int LOW_BASE = Float.floatToRawIntBits(LOW);
  static final int HIGH_MASK = 0x00078000;
  static final int HIGH_BASE = Float.floatToRawIntBits(HIGH);

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;

  private static final int HALF_MASK = 0x8fffe000;

  // Constants of the wide kernel, from an array since the compiler loads what it knows to be
  // constant anew for each use, though there are registers enough. In the order of their use, 16
  // lanes each.
  private static final int[] CONSTANTS = new int[11 * 16];

  static {
    for (int i = 0; i < 16; i++) {
      int k = i & 3;
      boolean second = (i & 7) >= 4;
      CONSTANTS[i] = LOW_MASK;
      CONSTANTS[16 + i] = LOW_BASE;
      CONSTANTS[32 + i] = HIGH_MASK;
      CONSTANTS[48 + i] = HIGH_BASE;
      CONSTANTS[64 + i] = 8 * k + (i < 8 ? 0 : 2);
      CONSTANTS[80 + i] = i < 8 ? 63 : 48;
      CONSTANTS[96 + i] = 8 * k + (second ? 4 : 0);
      CONSTANTS[112 + i] = i < 8 ? 0 : 15;
      CONSTANTS[128 + i] = second ? 0 : 16;
      CONSTANTS[144 + i] = HALF_MASK;
      CONSTANTS[160 + i] = Float.floatToRawIntBits(Memory.WIDEN_C);
    }
  }

  // Lanes of the four ints that a super-block begins with: two halves, then twelve bytes of scales.
  private static final VectorShuffle<Integer> FIRST_AND_SECOND =
      VectorShuffle.fromValues(I16, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2);
  private static final VectorShuffle<Integer> THIRD =
      VectorShuffle.fromValues(I16, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3);
  private static final VectorShuffle<Integer> HALVES =
      VectorShuffle.fromValues(I16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

  // The scales of two groups, spread over the lanes of their nibbles.
  private static final VectorShuffle<Float> SCALES_0_2 = pair(0, 2);
  private static final VectorShuffle<Float> SCALES_1_3 = pair(1, 3);
  private static final VectorShuffle<Float> SCALES_4_6 = pair(8, 10);
  private static final VectorShuffle<Float> SCALES_5_7 = pair(9, 11);

  private static VectorShuffle<Float> pair(int a, int b) {
    return VectorShuffle.fromValues(F16, a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b);
  }

  private Q4KDot512() {}

  /** {@code out[offset + r] = Σ w[r][c]·x[token][c]} for rows [rowFrom, rowTo). */
  static void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, int token, float[] out, int offset) {
    Activations.Arranged a = x.arranged(ActivationOrder.NIBBLES_512);
    long address = Memory.address(w, rowFrom, rowTo);
    long rowBytes = w.rowBytes();
    int blocks = w.columns() / 256;
    for (int r = rowFrom; r < rowTo; r++) {
      out[offset + r] =
          dot(address + (r - rowFrom) * rowBytes, blocks, a.values(token), a.sums(token));
    }
    Reference.reachabilityFence(x);
  }

  /**
   * One row in vectors of 512 bits: a super-block's scales and minimums become the 16 lanes of one
   * vector, [scales 0-3, minimums 0-3, scales 4-7, minimums 4-7], from which each product takes its
   * own. One pass reads the row's bytes in order, since reads that jump ahead leave memory waiting.
   *
   * @param x the address of the vector's values
   * @param sums the address, for each super-block, of what the lanes are multiplied with to be
   *     taken off
   */
  private static float dot(long row, int blocks, long x, long sums) {
    Memory.mayFault(row);
    IntVector lowMask = IntVector.fromArray(I16, CONSTANTS, 0);
    IntVector lowBase = IntVector.fromArray(I16, CONSTANTS, 16);
    IntVector highMask = IntVector.fromArray(I16, CONSTANTS, 32);
    IntVector highBase = IntVector.fromArray(I16, CONSTANTS, 48);
    IntVector firstShift = IntVector.fromArray(I16, CONSTANTS, 64);
    IntVector firstMask = IntVector.fromArray(I16, CONSTANTS, 80);
    IntVector thirdShift = IntVector.fromArray(I16, CONSTANTS, 96);
    IntVector thirdMask = IntVector.fromArray(I16, CONSTANTS, 112);
    IntVector halfShift = IntVector.fromArray(I16, CONSTANTS, 128);
    IntVector halfMask = IntVector.fromArray(I16, CONSTANTS, 144);
    FloatVector halfFactor = IntVector.fromArray(I16, CONSTANTS, 160).reinterpretAsFloats();
    FloatVector low = FloatVector.zero(F16);
    FloatVector high = FloatVector.zero(F16);
    FloatVector off = FloatVector.zero(F16);
    for (int b = 0; b < blocks; b++) {
      long at = row + (long) BYTES * b & Memory.ANY;
      long p = x + 1024L * b & Memory.ANY;
      IntVector head = IntVector.fromMemorySegment(I16, Memory.ALL, at, LITTLE);
      IntVector first =
          head.rearrange(FIRST_AND_SECOND)
              .lanewise(VectorOperators.LSHR, firstShift)
              .and(firstMask);
      IntVector third = head.rearrange(THIRD).lanewise(VectorOperators.LSHR, thirdShift);
      FloatVector d =
          head.rearrange(HALVES)
              .lanewise(VectorOperators.LSHL, halfShift)
              .lanewise(VectorOperators.ASHR, 3)
              .and(halfMask)
              .reinterpretAsFloats()
              .mul(Memory.WIDEN_A)
              .mul(Memory.WIDEN_B)
              .mul(halfFactor);
      FloatVector s =
          ((FloatVector) third.and(thirdMask).or(first).convertShape(VectorOperators.I2F, F16, 0))
              .mul(d);
      off =
          s.fma(
              FloatVector.fromMemorySegment(F16, Memory.ALL, sums + 64L * b & Memory.ANY, LITTLE),
              off);

      IntVector u = IntVector.fromMemorySegment(I16, Memory.ALL, at + 16, LITTLE);
      IntVector uA = u.lanewise(VectorOperators.LSHL, 3);
      IntVector uB = u.lanewise(VectorOperators.LSHR, 5);
      IntVector uC = u.lanewise(VectorOperators.LSHL, 11);
      IntVector uD = u.lanewise(VectorOperators.LSHL, 19);
      IntVector uE = u.lanewise(VectorOperators.LSHR, 13);
      FloatVector uLow =
          uA.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .mul(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 128, LITTLE));
      FloatVector uHigh =
          uA.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .mul(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 320, LITTLE));
      uLow =
          uB.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 192, LITTLE), uLow);
      uHigh =
          uB.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 384, LITTLE), uHigh);
      uLow =
          uC.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 64, LITTLE), uLow);
      uHigh =
          uC.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 256, LITTLE), uHigh);
      uLow =
          uD.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p, LITTLE), uLow);
      uHigh =
          uE.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 448, LITTLE), uHigh);
      low = uLow.fma(s.rearrange(SCALES_0_2), low);
      high = uHigh.fma(s.rearrange(SCALES_1_3), high);

      IntVector v = IntVector.fromMemorySegment(I16, Memory.ALL, at + 80, LITTLE);
      IntVector vA = v.lanewise(VectorOperators.LSHL, 3);
      IntVector vB = v.lanewise(VectorOperators.LSHR, 5);
      IntVector vC = v.lanewise(VectorOperators.LSHL, 11);
      IntVector vD = v.lanewise(VectorOperators.LSHL, 19);
      IntVector vE = v.lanewise(VectorOperators.LSHR, 13);
      FloatVector vLow =
          vA.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .mul(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 640, LITTLE));
      FloatVector vHigh =
          vA.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .mul(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 832, LITTLE));
      vLow =
          vB.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 704, LITTLE), vLow);
      vHigh =
          vB.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 896, LITTLE), vHigh);
      vLow =
          vC.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 576, LITTLE), vLow);
      vHigh =
          vC.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 768, LITTLE), vHigh);
      vLow =
          vD.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 512, LITTLE), vLow);
      vHigh =
          vE.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromMemorySegment(F16, Memory.ALL, p + 960, LITTLE), vHigh);
      low = vLow.fma(s.rearrange(SCALES_4_6), low);
      high = vHigh.fma(s.rearrange(SCALES_5_7), high);
    }
    return low.add(high).sub(off).reduceLanes(VectorOperators.ADD);
  }
}
