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

  /** The bases that low and high nibbles are read under. */
  static final float LOW = 16;

  static final float HIGH = 256;

  private static final int LOW_MASK = 0x00780000;
  private static final int LOW_BASE = Float.floatToRawIntBits(LOW);
  private static final int HIGH_MASK = 0x00078000;
  private static final int HIGH_BASE = Float.floatToRawIntBits(HIGH);

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;

  private static final int HALF_MASK = 0x8fffe000;

  // Where in their ints the scales (first four lanes) and the minimums are: see SixBitScales.
  private static final IntVector BYTE_SHIFT = ints(0, 8, 16, 24, 0, 8, 16, 24);
  private static final IntVector UPPER_SHIFT = ints(0, 8, 16, 24, 4, 12, 20, 28);
  private static final IntVector HALF_SHIFT = ints(16, 16, 16, 16, 0, 0, 0, 0);
  private static final VectorShuffle<Integer> FIRST_OR_SECOND =
      VectorShuffle.fromValues(I8, 1, 1, 1, 1, 2, 2, 2, 2);
  private static final VectorShuffle<Integer> THIRD_OF_8 =
      VectorShuffle.fromValues(I8, 3, 3, 3, 3, 3, 3, 3, 3);
  private static final VectorShuffle<Integer> HALVES_OF_8 =
      VectorShuffle.fromValues(I8, 0, 0, 0, 0, 0, 0, 0, 0);

  // Constants of the wide kernel, from an array since the compiler loads what it knows to be
  // constant
  // anew for each use, though there are registers enough. In the order of their use, 16 lanes each.
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
      CONSTANTS[160 + i] = Float.floatToRawIntBits(0x1p112f);
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

  private Q4KDot() {}

  private static IntVector ints(int... values) {
    return IntVector.fromArray(I8, values, 0);
  }

  /** The order in which the kernel of a width meets the vector's values. */
  static ActivationOrder order(boolean wide) {
    return wide ? ActivationOrder.NIBBLES_512 : ActivationOrder.NIBBLES_256;
  }

  /** {@code out[offset + r] = Σ w[r][c]·x[c]} for rows [rowFrom, rowTo). */
  static void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset, boolean wide) {
    Activations.Arranged a = x.arranged(order(wide));
    long address = Memory.address(w, rowFrom, rowTo);
    long rowBytes = w.rowBytes();
    int blocks = w.columns() / 256;
    float[] scales = new float[8 * BLOCKS + 4];
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
   * Decodes the scales and minimums of some super-blocks: 16 values each, ordered as in {@link
   * #dot512}.
   *
   * @return what is to be taken off: {@code Σ (base·scale + min) · Σx} over their groups
   */
  private static float scales(
      long address, int blocks, float[] scales, float[] xSums, int sumOffset) {
    FloatVector off = FloatVector.zero(F8);
    for (int b = 0; b < blocks; b++) {
      IntVector head =
          IntVector.fromMemorySegment(I8, Memory.ALL, address + b * (long) BYTES, LITTLE);
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
          bytes.lanewise(VectorOperators.LSHR, BYTE_SHIFT.add(2)).and(48).or(upper.and(15));
      FloatVector s0 = ((FloatVector) first.convertShape(VectorOperators.I2F, F8, 0)).mul(d);
      FloatVector s1 = ((FloatVector) second.convertShape(VectorOperators.I2F, F8, 0)).mul(d);
      // scales lie eight by eight; what is stored behind them, minimums, is overwritten or unused
      s0.intoArray(scales, 8 * b);
      s1.intoArray(scales, 8 * b + 4);
      off = s0.fma(FloatVector.fromArray(F8, xSums, sumOffset + 16 * b), off);
      off = s1.fma(FloatVector.fromArray(F8, xSums, sumOffset + 16 * b + 8), off);
    }
    return off.reduceLanes(VectorOperators.ADD);
  }

  /**
   * One row in vectors of 512 bits: a super-block's scales and minimums become the 16 lanes of one
   * vector, [scales 0-3, minimums 0-3, scales 4-7, minimums 4-7], from which each product takes its
   * own. One pass reads the row's bytes in order, since reads that jump ahead leave memory waiting.
   *
   * @param sums for each super-block what the lanes are multiplied with to be taken off
   */
  private static float dot512(long row, int blocks, float[] x, float[] sums) {
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
      long at = row + b * (long) BYTES;
      int p = 256 * b;
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
              .mul(halfFactor);
      FloatVector s =
          ((FloatVector) third.and(thirdMask).or(first).convertShape(VectorOperators.I2F, F16, 0))
              .mul(d);
      off = s.fma(FloatVector.fromArray(F16, sums, 16 * b), off);

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
              .mul(FloatVector.fromArray(F16, x, p + 32));
      FloatVector uHigh =
          uA.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .mul(FloatVector.fromArray(F16, x, p + 80));
      uLow =
          uB.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 48), uLow);
      uHigh =
          uB.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 96), uHigh);
      uLow =
          uC.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 16), uLow);
      uHigh =
          uC.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 64), uHigh);
      uLow =
          uD.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p), uLow);
      uHigh =
          uE.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 112), uHigh);
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
              .mul(FloatVector.fromArray(F16, x, p + 160));
      FloatVector vHigh =
          vA.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .mul(FloatVector.fromArray(F16, x, p + 208));
      vLow =
          vB.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 176), vLow);
      vHigh =
          vB.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 224), vHigh);
      vLow =
          vC.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 144), vLow);
      vHigh =
          vC.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 192), vHigh);
      vLow =
          vD.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 128), vLow);
      vHigh =
          vE.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F16, x, p + 240), vHigh);
      low = vLow.fma(s.rearrange(SCALES_4_6), low);
      high = vHigh.fma(s.rearrange(SCALES_5_7), high);
    }
    return low.add(high).sub(off).reduceLanes(VectorOperators.ADD);
  }

  /**
   * Part of a row in vectors of 256 bits, 64 weights at a time. All array indices are linear in the
   * loop's variable, so that their checks leave the loop.
   */
  private static float dot256(long row, int blocks, float[] x, int xOffset, float[] scales) {
    IntVector lowMask = IntVector.fromArray(I8, CONSTANTS, 0);
    IntVector lowBase = IntVector.fromArray(I8, CONSTANTS, 16);
    IntVector highMask = IntVector.fromArray(I8, CONSTANTS, 32);
    IntVector highBase = IntVector.fromArray(I8, CONSTANTS, 48);
    FloatVector sum = FloatVector.zero(F8);
    for (int c = 0; c < 4 * blocks; c++) {
      int p = xOffset + 64 * c;
      // 32 bytes of nibbles for each step, and 16 of scales before every fourth
      long at = row + 32L * c + 16L * ((c >> 2) + 1);
      IntVector u = IntVector.fromMemorySegment(I8, Memory.ALL, at, LITTLE);
      FloatVector low =
          u.lanewise(VectorOperators.LSHL, 19)
              .and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .mul(FloatVector.fromArray(F8, x, p));
      FloatVector high =
          u.lanewise(VectorOperators.LSHR, 13)
              .and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .mul(FloatVector.fromArray(F8, x, p + 56));
      IntVector v = u.lanewise(VectorOperators.LSHL, 11);
      low =
          v.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 8), low);
      high =
          v.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 32), high);
      IntVector w = u.lanewise(VectorOperators.LSHL, 3);
      low =
          w.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 16), low);
      high =
          w.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 40), high);
      IntVector y = u.lanewise(VectorOperators.LSHR, 5);
      low =
          y.and(lowMask)
              .or(lowBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 24), low);
      high =
          y.and(highMask)
              .or(highBase)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F8, x, p + 48), high);
      // one sum: a second one would be kept in memory, for want of a register
      low = low.mul(FloatVector.broadcast(F8, scales[2 * c]));
      sum = high.fma(FloatVector.broadcast(F8, scales[2 * c + 1]), low).add(sum);
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }
}
