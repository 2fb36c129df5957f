package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import pelican.gguf.GgmlType;

/**
 * Weights as unsigned bytes: the one form that rows of several formats are brought to before they
 * meet many tokens. For 32 weights there are 32 bytes q and, elsewhere, four floats: two scales and
 * two minimums, so that a weight is {@code q·scale + minimum} with the first of them for the first
 * 16 weights and with the second for the others. As 8 little-endian ints, lane i of the bytes holds
 * the weights 4i to 4i + 3: the weights of a lane have their scale in common, and the bits of 32
 * weights are put together at once.
 */
final class ByteRows {
  /** Weights that stand together, and the bytes that they take. */
  static final int GROUP = 32;

  /** Bytes of their two scales and two minimums. */
  static final int SCALE_BYTES = 16;

  private static final int NIBBLES = 0x0f0f0f0f;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Byte> B8 = ByteVector.SPECIES_64;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // From an array, 8 lanes each: see Q4KDot.
  private static final int[] CONSTANTS = new int[14 * 8];

  static {
    for (int i = 0; i < 8; i++) {
      // where in their ints the scales (first four lanes) and the minimums are
      boolean scale = i < 4;
      int byteShift = 8 * (i & 3);
      CONSTANTS[i] = byteShift;
      CONSTANTS[8 + i] = byteShift + 2;
      CONSTANTS[16 + i] = byteShift + (scale ? 0 : 4);
      CONSTANTS[24 + i] = scale ? 16 : 0;
      CONSTANTS[32 + i] = scale ? 1 : 2;
      CONSTANTS[40 + i] = Float.floatToRawIntBits(scale ? Memory.WIDEN_C : -Memory.WIDEN_C);
      // scale, scale, minimum, minimum of the first two groups, then of the next two
      CONSTANTS[48 + i] = (i & 2) * 2 + (i >> 2);
      CONSTANTS[56 + i] = (i & 2) * 2 + (i >> 2) + 2;
      // for Q6_K: scale, scale and the same again of the first two groups, then of the next two
      CONSTANTS[64 + i] = (i & 1) + 2 * (i >> 2);
      CONSTANTS[72 + i] = (i & 1) + 2 * (i >> 2) + 4;
      // which of these a minimum is made of: in Q6_K, in Q3_K, and in Q2_K, which has its own
      boolean minimum = (i & 2) != 0;
      CONSTANTS[80 + i] = Float.floatToRawIntBits(minimum ? -32 : 1);
      CONSTANTS[88 + i] = Float.floatToRawIntBits(minimum ? -4 : 1);
      CONSTANTS[96 + i] = Float.floatToRawIntBits(minimum ? 0 : 1);
      CONSTANTS[104 + i] = Float.floatToRawIntBits(minimum ? 1 : 0);
    }
  }

  private ByteRows() {}

  /** Whether weights of a type can be brought to this form. */
  static boolean has(GgmlType type) {
    return switch (type) {
      case Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> true;
      case Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, IQ4_NL, IQ4_XS -> true;
      default -> false;
    };
  }

  /**
   * Unpacks consecutive blocks.
   *
   * @param type one that there {@link #has is} a form for
   * @param at the address of the first block, in a range that was checked
   * @param bytes the address of room for {@link #GROUP} bytes for every 32 weights
   * @param scales the address of room for {@link #SCALE_BYTES} for every 32 weights
   */
  static void unpack(GgmlType type, long at, int blocks, long bytes, long scales) {
    switch (type) {
      case Q4_K -> {
        sixBitScales(at, blocks, type.blockBytes(), scales);
        q4K(at, blocks, bytes);
      }
      case Q5_K -> {
        sixBitScales(at, blocks, type.blockBytes(), scales);
        q5K(at, blocks, bytes);
      }
      case Q6_K -> {
        byteScales(at, blocks, scales);
        q6K(at, blocks, bytes);
      }
      case Q2_K -> {
        nibbleScales(at, blocks, scales);
        q2K(at, blocks, bytes);
      }
      case Q3_K -> {
        splitScales(at, blocks, scales);
        q3K(at, blocks, bytes);
      }
      default -> BlockByteRows.unpack(type, at, blocks, bytes, scales);
    }
  }

  /**
   * The scales and minimums of Q4_K or Q5_K super-blocks, which have one of each for 32 weights.
   * The half-precision factors are widened as {@link Memory#WIDEN_A} tells.
   */
  private static void sixBitScales(long address, int blocks, long bytes, long scales) {
    Memory.mayFault(address);
    IntVector byteShift = IntVector.fromArray(I8, CONSTANTS, 0);
    IntVector secondShift = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector upperShift = IntVector.fromArray(I8, CONSTANTS, 16);
    IntVector halfShift = IntVector.fromArray(I8, CONSTANTS, 24);
    VectorShuffle<Integer> firstOrSecond = IntVector.fromArray(I8, CONSTANTS, 32).toShuffle();
    FloatVector last = IntVector.fromArray(I8, CONSTANTS, 40).reinterpretAsFloats();
    VectorShuffle<Float> spreadA = IntVector.fromArray(I8, CONSTANTS, 48).toShuffle().cast(F8);
    VectorShuffle<Float> spreadB = IntVector.fromArray(I8, CONSTANTS, 56).toShuffle().cast(F8);
    VectorShuffle<Integer> halves = IntVector.zero(I8).toShuffle();
    VectorShuffle<Integer> third = IntVector.broadcast(I8, 3).toShuffle();
    for (int b = 0; b < blocks; b++) {
      long to = scales + 128L * b & Memory.ANY;
      IntVector head =
          IntVector.fromMemorySegment(I8, Memory.ALL, address + bytes * b & Memory.ANY, LITTLE);
      IntVector packed = head.rearrange(firstOrSecond);
      IntVector upper = head.rearrange(third).lanewise(VectorOperators.LSHR, upperShift);
      FloatVector d =
          head.rearrange(halves)
              .lanewise(VectorOperators.LSHL, halfShift)
              .lanewise(VectorOperators.ASHR, 3)
              .and(0x8fffe000)
              .reinterpretAsFloats()
              .mul(Memory.WIDEN_A)
              .mul(Memory.WIDEN_B)
              .mul(last);
      IntVector first = packed.lanewise(VectorOperators.LSHR, byteShift).and(63);
      IntVector second =
          packed.lanewise(VectorOperators.LSHR, secondShift).and(48).or(upper.and(15));
      FloatVector s0 = ((FloatVector) first.convertShape(VectorOperators.I2F, F8, 0)).mul(d);
      FloatVector s1 = ((FloatVector) second.convertShape(VectorOperators.I2F, F8, 0)).mul(d);
      s0.rearrange(spreadA).intoMemorySegment(Memory.ALL, to, LITTLE);
      s0.rearrange(spreadB).intoMemorySegment(Memory.ALL, to + 32, LITTLE);
      s1.rearrange(spreadA).intoMemorySegment(Memory.ALL, to + 64, LITTLE);
      s1.rearrange(spreadB).intoMemorySegment(Memory.ALL, to + 96, LITTLE);
    }
  }

  /** Two groups in each step: the low nibbles of 32 bytes and the high ones. */
  private static void q4K(long address, int blocks, long bytes) {
    Memory.mayFault(address);
    for (int c = 0; c < 4 * blocks; c++) {
      long at = address + 32L * c + 16L * ((c >> 2) + 1) & Memory.ANY;
      long to = bytes + 64L * c & Memory.ANY;
      IntVector q = IntVector.fromMemorySegment(I8, Memory.ALL, at, LITTLE);
      q.and(NIBBLES).intoMemorySegment(Memory.ALL, to, LITTLE);
      q.lanewise(VectorOperators.LSHR, 4)
          .and(NIBBLES)
          .intoMemorySegment(Memory.ALL, to + GROUP, LITTLE);
    }
  }

  /** The same with a fifth bit: of the first group at bit 2c of each byte, of the second above. */
  private static void q5K(long address, int blocks, long bytes) {
    Memory.mayFault(address);
    for (int i = 0; i < 4 * blocks; i++) {
      int c = i & 3;
      long at = address + 176L * (i >> 2) & Memory.ANY;
      long to = bytes + 64L * i & Memory.ANY;
      IntVector q =
          IntVector.fromMemorySegment(I8, Memory.ALL, at + 48 + 32L * c & Memory.ANY, LITTLE);
      IntVector fifth =
          IntVector.fromMemorySegment(I8, Memory.ALL, at + 16, LITTLE)
              .lanewise(VectorOperators.LSHR, 2 * c);
      q.and(NIBBLES)
          .or(fifth.and(0x01010101).lanewise(VectorOperators.LSHL, 4))
          .intoMemorySegment(Memory.ALL, to, LITTLE);
      q.lanewise(VectorOperators.LSHR, 4)
          .and(NIBBLES)
          .or(fifth.and(0x02020202).lanewise(VectorOperators.LSHL, 3))
          .intoMemorySegment(Memory.ALL, to + GROUP, LITTLE);
    }
  }

  /** Half a super-block in each step. */
  private static void q6K(long address, int blocks, long bytes) {
    IntVector nibbles = IntVector.broadcast(I8, NIBBLES);
    IntVector upper = IntVector.broadcast(I8, 0x30303030);
    Memory.mayFault(address);
    for (int half = 0; half < 2 * blocks; half++) {
      long second = 64L * (half & 1);
      long block = address + 210L * (half >> 1) & Memory.ANY;
      long at = block + second & Memory.ANY;
      long highAt = block + 128 + (second >> 1) & Memory.ANY;
      long to = bytes + 4L * GROUP * half & Memory.ANY;
      IntVector high = IntVector.fromMemorySegment(I8, Memory.ALL, highAt, LITTLE);
      IntVector low = IntVector.fromMemorySegment(I8, Memory.ALL, at, LITTLE);
      low.and(nibbles)
          .or(high.lanewise(VectorOperators.LSHL, 4).and(upper))
          .intoMemorySegment(Memory.ALL, to, LITTLE);
      low.lanewise(VectorOperators.LSHR, 4)
          .and(nibbles)
          .or(high.and(upper))
          .intoMemorySegment(Memory.ALL, to + 2 * GROUP, LITTLE);
      low = IntVector.fromMemorySegment(I8, Memory.ALL, at + 32, LITTLE);
      low.and(nibbles)
          .or(high.lanewise(VectorOperators.LSHL, 2).and(upper))
          .intoMemorySegment(Memory.ALL, to + GROUP, LITTLE);
      low.lanewise(VectorOperators.LSHR, 4)
          .and(nibbles)
          .or(high.lanewise(VectorOperators.LSHR, 2).and(upper))
          .intoMemorySegment(Memory.ALL, to + 3 * GROUP, LITTLE);
    }
  }

  /** The scales of Q6_K super-blocks, half of one in each step, and what 32 of them take off. */
  private static void byteScales(long address, int blocks, long scales) {
    VectorShuffle<Float> spreadA = IntVector.fromArray(I8, CONSTANTS, 64).toShuffle().cast(F8);
    VectorShuffle<Float> spreadB = IntVector.fromArray(I8, CONSTANTS, 72).toShuffle().cast(F8);
    FloatVector factors = IntVector.fromArray(I8, CONSTANTS, 80).reinterpretAsFloats();
    for (int half = 0; half < 2 * blocks; half++) {
      long block = address + 210L * (half >> 1) & Memory.ANY;
      FloatVector s =
          ((FloatVector)
                  ByteVector.fromMemorySegment(
                          B8, Memory.ALL, block + 192 + 8L * (half & 1) & Memory.ANY, LITTLE)
                      .convertShape(VectorOperators.B2F, F8, 0))
              .mul(Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, block + 208)));
      long scalesTo = scales + 4L * SCALE_BYTES * half & Memory.ANY;
      s.rearrange(spreadA).mul(factors).intoMemorySegment(Memory.ALL, scalesTo, LITTLE);
      s.rearrange(spreadB).mul(factors).intoMemorySegment(Memory.ALL, scalesTo + 32, LITTLE);
    }
  }

  /** Two bits of each weight: of groups 0 to 3 in the same bytes, and of groups 4 to 7. */
  private static void q2K(long address, int blocks, long bytes) {
    Memory.mayFault(address);
    for (int i = 0; i < 8 * blocks; i++) {
      long at = address + 84L * (i >> 3) + 16 + 8L * (i & 4) & Memory.ANY;
      IntVector.fromMemorySegment(I8, Memory.ALL, at, LITTLE)
          .lanewise(VectorOperators.LSHR, 2 * (i & 3))
          .and(0x03030303)
          .intoMemorySegment(Memory.ALL, bytes + (long) GROUP * i & Memory.ANY, LITTLE);
    }
  }

  /** Four bits of scale and four of minimum for 16 weights, half a super-block in each step. */
  private static void nibbleScales(long address, int blocks, long scales) {
    VectorShuffle<Float> spreadA = IntVector.fromArray(I8, CONSTANTS, 64).toShuffle().cast(F8);
    VectorShuffle<Float> spreadB = IntVector.fromArray(I8, CONSTANTS, 72).toShuffle().cast(F8);
    FloatVector ofScales = IntVector.fromArray(I8, CONSTANTS, 96).reinterpretAsFloats();
    FloatVector ofMinimums = IntVector.fromArray(I8, CONSTANTS, 104).reinterpretAsFloats();
    for (int half = 0; half < 2 * blocks; half++) {
      long block = address + 84L * (half >> 1) & Memory.ANY;
      IntVector both =
          (IntVector)
              ByteVector.fromMemorySegment(
                      B8, Memory.ALL, block + 8L * (half & 1) & Memory.ANY, LITTLE)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, I8, 0);
      FloatVector s =
          ((FloatVector) both.and(15).convertShape(VectorOperators.I2F, F8, 0))
              .mul(Memory.half(block + 80));
      FloatVector m =
          ((FloatVector)
                  both.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, F8, 0))
              .mul(-Memory.half(block + 82));
      long to = scales + 4L * SCALE_BYTES * half & Memory.ANY;
      s.rearrange(spreadA)
          .mul(ofScales)
          .add(m.rearrange(spreadA).mul(ofMinimums))
          .intoMemorySegment(Memory.ALL, to, LITTLE);
      s.rearrange(spreadB)
          .mul(ofScales)
          .add(m.rearrange(spreadB).mul(ofMinimums))
          .intoMemorySegment(Memory.ALL, to + 32, LITTLE);
    }
  }

  /** Two bits as in Q2_K, and a third: of group g bit g of 32 bytes that all groups share. */
  private static void q3K(long address, int blocks, long bytes) {
    Memory.mayFault(address);
    for (int i = 0; i < 8 * blocks; i++) {
      int g = i & 7;
      long block = address + 110L * (i >> 3) & Memory.ANY;
      long at = block + 32 + 8L * (i & 4) & Memory.ANY;
      IntVector third =
          IntVector.fromMemorySegment(I8, Memory.ALL, block, LITTLE)
              .lanewise(VectorOperators.LSHR, g)
              .and(0x01010101)
              .lanewise(VectorOperators.LSHL, 2);
      IntVector.fromMemorySegment(I8, Memory.ALL, at, LITTLE)
          .lanewise(VectorOperators.LSHR, 2 * (g & 3))
          .and(0x03030303)
          .or(third)
          .intoMemorySegment(Memory.ALL, bytes + (long) GROUP * i & Memory.ANY, LITTLE);
    }
  }

  /**
   * Six bits of scale, less 32, for 16 weights, which four are taken off: the lower four bits of
   * scale k in nibble k/8 of byte k % 8, the upper two in bits 2·(k/4) of byte 8 + k % 4. They are
   * put together four at a time, and half a super-block in each step.
   */
  private static void splitScales(long address, int blocks, long scales) {
    VectorShuffle<Float> spreadA = IntVector.fromArray(I8, CONSTANTS, 64).toShuffle().cast(F8);
    VectorShuffle<Float> spreadB = IntVector.fromArray(I8, CONSTANTS, 72).toShuffle().cast(F8);
    FloatVector factors = IntVector.fromArray(I8, CONSTANTS, 88).reinterpretAsFloats();
    for (int half = 0; half < 2 * blocks; half++) {
      long block = address + 110L * (half >> 1) & Memory.ANY;
      long low = Memory.ALL.get(Memory.LONG, block + 96) >>> 4 * (half & 1) & 0x0f0f0f0f0f0f0f0fL;
      long high = Memory.ALL.get(Memory.INT, block + 104) & 0xffffffffL;
      high = (high | high << 30) >>> 4 * (half & 1) & 0x0303030303030303L;
      long to = scales + 4L * SCALE_BYTES * half & Memory.ANY;
      Memory.ALL.set(Memory.LONG, to, low | high << 4);
      FloatVector s =
          ((FloatVector)
                  ByteVector.fromMemorySegment(B8, Memory.ALL, to, LITTLE)
                      .convertShape(VectorOperators.B2F, F8, 0))
              .sub(32)
              .mul(Memory.half(block + 108));
      s.rearrange(spreadA).mul(factors).intoMemorySegment(Memory.ALL, to, LITTLE);
      s.rearrange(spreadB).mul(factors).intoMemorySegment(Memory.ALL, to + 32, LITTLE);
    }
  }

  /** Writes the scales and the minimums of a group's halves. */
  static void store(float scale, float secondScale, float minimum, float secondMinimum, long to) {
    long at = to & Memory.ANY;
    Memory.ALL.set(Memory.FLOAT, at, scale);
    Memory.ALL.set(Memory.FLOAT, at + 4, secondScale);
    Memory.ALL.set(Memory.FLOAT, at + 8, minimum);
    Memory.ALL.set(Memory.FLOAT, at + 12, secondMinimum);
  }
}
