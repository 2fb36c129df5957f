package pelican.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import pelican.gguf.GgmlType;

/**
 * Decodes runs of weights to floats for the formats that matter most, eight weights at a time:
 * eight bytes become eight ints in one instruction. Products with many vectors decode each weight
 * once, yet a scalar decoder took a third of their time. Needs vectors of 256 bits; formats without
 * a vector version go to {@link RowDecoder}. One instance for each thread.
 */
final class VectorRowDecoder {
  /** Room for what a decoder needs of the columns that are decoded at a time. */
  static final int SCALES_BYTES =
      VectorTiles.BLOCK_COLUMNS + VectorTiles.BLOCK_COLUMNS / ByteRows.GROUP * ByteRows.SCALE_BYTES;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Byte> B8 = ByteVector.SPECIES_64;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  private final boolean vectors;
  private final RowDecoder others = new RowDecoder();
  private final float[] run = new float[VectorTiles.BLOCK_COLUMNS];

  /**
   * @param vectors whether there are vectors of 256 bits
   */
  VectorRowDecoder(boolean vectors) {
    this.vectors = vectors;
  }

  /**
   * Decodes the weights [column, column + count) of a row.
   *
   * @param column a multiple of the format's block size, as is {@code count}, at most {@link
   *     VectorTiles#BLOCK_COLUMNS}
   * @param out the address of room for {@code count} floats
   * @param scales the address of {@link #SCALES_BYTES}
   */
  void decode(Matrix w, int row, int column, int count, long out, long scales) {
    GgmlType type = w.format().type();
    int blocks = count / type.blockSize();
    long at =
        Memory.address(w, row, row + 1) + (long) (column / type.blockSize()) * type.blockBytes();
    switch (vectors ? type : GgmlType.F32) {
      case Q4_K -> {
        sixBitScales(at, blocks, type.blockBytes(), scales);
        q4K(at, blocks, out, scales);
      }
      case Q5_K -> {
        sixBitScales(at, blocks, type.blockBytes(), scales);
        q5K(at, blocks, out, scales);
      }
      case Q6_K -> {
        byteScales(at, blocks, scales);
        q6K(at, blocks, out, scales);
      }
      case Q8_0 -> q8(at, blocks, out);
      case Q4_0 -> q4(at, blocks, out);
      case Q2_K, Q3_K, Q4_1, Q5_0, Q5_1, IQ4_NL, IQ4_XS -> {
        ByteRows.unpack(type, at, blocks, scales, scales + VectorTiles.BLOCK_COLUMNS);
        bytes(scales, scales + VectorTiles.BLOCK_COLUMNS, count / ByteRows.GROUP, out);
      }
      default -> {
        others.decode(w, row, column, count, run, 0);
        MemorySegment.copy(run, 0, Memory.ALL, ValueLayout.JAVA_FLOAT, out, count);
      }
    }
  }

  /** {@link ByteRows} as floats. */
  private static void bytes(long bytes, long scales, int groups, long out) {
    for (int i = 0; i < 2 * groups; i++) {
      long at = bytes + 16L * i & Memory.ANY;
      long to = out + 64L * i & Memory.ANY;
      long scaleAt = scales + (long) ByteRows.SCALE_BYTES * (i >> 1) + 4L * (i & 1) & Memory.ANY;
      FloatVector scale = FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scaleAt));
      FloatVector minimum = FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scaleAt + 8));
      store(floats(bytes(at)).fma(scale, minimum), to);
      store(floats(bytes(at + 8)).fma(scale, minimum), to + 32);
    }
  }

  private static float half(long at) {
    return Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at));
  }

  /** Eight unsigned bytes as ints. */
  private static IntVector bytes(long at) {
    return (IntVector)
        ByteVector.fromMemorySegment(B8, Memory.ALL, at, LITTLE)
            .convertShape(VectorOperators.ZERO_EXTEND_B2I, I8, 0);
  }

  private static FloatVector floats(IntVector v) {
    return (FloatVector) v.convertShape(VectorOperators.I2F, F8, 0);
  }

  private static void store(FloatVector v, long at) {
    v.intoMemorySegment(Memory.ALL, at, LITTLE);
  }

  private static void q8(long address, int blocks, long out) {
    for (int b = 0; b < blocks; b++) {
      long at = address + 34L * b & Memory.ANY;
      long to = out + 128L * b & Memory.ANY;
      FloatVector d = FloatVector.broadcast(F8, half(at));
      store(signed(at + 2).mul(d), to);
      store(signed(at + 10).mul(d), to + 32);
      store(signed(at + 18).mul(d), to + 64);
      store(signed(at + 26).mul(d), to + 96);
    }
  }

  /** Eight signed bytes as floats. */
  private static FloatVector signed(long at) {
    return (FloatVector)
        ByteVector.fromMemorySegment(B8, Memory.ALL, at, LITTLE)
            .convertShape(VectorOperators.B2F, F8, 0);
  }

  private static void q4(long address, int blocks, long out) {
    for (int b = 0; b < blocks; b++) {
      long at = address + 18L * b & Memory.ANY;
      long to = out + 128L * b & Memory.ANY;
      float d = half(at);
      FloatVector scale = FloatVector.broadcast(F8, d);
      FloatVector off = FloatVector.broadcast(F8, -8 * d);
      IntVector q0 = bytes(at + 2);
      store(floats(q0.and(15)).fma(scale, off), to);
      store(floats(q0.lanewise(VectorOperators.LSHR, 4)).fma(scale, off), to + 64);
      IntVector q1 = bytes(at + 10);
      store(floats(q1.and(15)).fma(scale, off), to + 32);
      store(floats(q1.lanewise(VectorOperators.LSHR, 4)).fma(scale, off), to + 96);
    }
  }

  /**
   * The scales and minimums of Q4_K or Q5_K super-blocks: for each [scales 0-3, minimums 0-3,
   * scales 4-7, minimums 4-7], the minimums negated. A method of its own, since with it the
   * compiler would reach its limit of nodes within the loop over the weights and leave vectors in
   * memory.
   */
  private static void sixBitScales(long address, int blocks, long bytes, long scales) {
    for (int b = 0; b < blocks; b++) {
      sixBitScales(address + bytes * b & Memory.ANY, scales + 64L * b & Memory.ANY);
    }
  }

  private static void sixBitScales(long at, long scales) {
    float d = half(at);
    float dMin = -half(at + 2);
    int a = Memory.ALL.get(Memory.INT, at + 4);
    int b = Memory.ALL.get(Memory.INT, at + 8);
    int c = Memory.ALL.get(Memory.INT, at + 12);
    for (int j = 0; j < 4; j++) {
      int shift = 8 * j;
      long to = scales + 4L * j & Memory.ANY;
      Memory.ALL.set(Memory.FLOAT, to, d * (a >>> shift & 63));
      Memory.ALL.set(Memory.FLOAT, to + 16, dMin * (b >>> shift & 63));
      Memory.ALL.set(Memory.FLOAT, to + 32, d * (c >>> shift & 15 | a >>> shift + 2 & 48));
      Memory.ALL.set(Memory.FLOAT, to + 48, dMin * (c >>> shift + 4 & 15 | b >>> shift + 2 & 48));
    }
  }

  /**
   * 32 weights of two groups in each step. Few, since the compiler stops inlining at a number of
   * nodes; and without helpers, which would make the method short enough to become part of its
   * caller, where it would share that number. The fence keeps the compiler from loading ahead of
   * the registers. The methods below do the same.
   */
  private static void q4K(long address, int blocks, long out, long scales) {
    Memory.mayFault(address);
    for (int i = 0; i < 8 * blocks; i++) {
      int c = i >> 1;
      long at = address + 16L * i + 16L * ((i >> 3) + 1) & Memory.ANY;
      long to = out + 256L * c + 64L * (i & 1) & Memory.ANY;
      long scale = scales + 64L * (c >> 2) + 8L * (c & 1) + 16L * (c & 2) & Memory.ANY;
      FloatVector s0 = FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale));
      FloatVector m0 = FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 16));
      FloatVector s1 = FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 4));
      FloatVector m1 = FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 20));
      IntVector q0 =
          (IntVector)
              ByteVector.fromMemorySegment(B8, Memory.ALL, at, LITTLE)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, I8, 0);
      ((FloatVector) q0.and(15).convertShape(VectorOperators.I2F, F8, 0))
          .fma(s0, m0)
          .intoMemorySegment(Memory.ALL, to, LITTLE);
      ((FloatVector) q0.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, F8, 0))
          .fma(s1, m1)
          .intoMemorySegment(Memory.ALL, to + 128, LITTLE);
      IntVector q1 =
          (IntVector)
              ByteVector.fromMemorySegment(B8, Memory.ALL, at + 8, LITTLE)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, I8, 0);
      ((FloatVector) q1.and(15).convertShape(VectorOperators.I2F, F8, 0))
          .fma(s0, m0)
          .intoMemorySegment(Memory.ALL, to + 32, LITTLE);
      ((FloatVector) q1.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, F8, 0))
          .fma(s1, m1)
          .intoMemorySegment(Memory.ALL, to + 160, LITTLE);
      VarHandle.loadLoadFence();
    }
  }

  /** Sixteen weights of two groups in each step. */
  private static void q5K(long address, int blocks, long out, long scales) {
    Memory.mayFault(address);
    for (int i = 0; i < 16 * blocks; i++) {
      int c = i >> 2 & 3;
      long part = 8L * (i & 3);
      long at = address + 176L * (i >> 4) & Memory.ANY;
      long scale = scales + 64L * (i >> 4) + 8L * (c & 1) + 16L * (c & 2) & Memory.ANY;
      long to = out + 256L * (i >> 2) + 4 * part & Memory.ANY;
      IntVector q =
          (IntVector)
              ByteVector.fromMemorySegment(
                      B8, Memory.ALL, at + 48 + 32L * c + part & Memory.ANY, LITTLE)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, I8, 0);
      IntVector u =
          (IntVector)
              ByteVector.fromMemorySegment(B8, Memory.ALL, at + 16 + part, LITTLE)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, I8, 0);
      IntVector high = u.lanewise(VectorOperators.LSHR, 2 * c);
      IntVector q0 = q.and(15).or(high.and(1).lanewise(VectorOperators.LSHL, 4));
      IntVector q1 =
          q.lanewise(VectorOperators.LSHR, 4).or(high.and(2).lanewise(VectorOperators.LSHL, 3));
      ((FloatVector) q0.convertShape(VectorOperators.I2F, F8, 0))
          .fma(
              FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale)),
              FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 16)))
          .intoMemorySegment(Memory.ALL, to, LITTLE);
      ((FloatVector) q1.convertShape(VectorOperators.I2F, F8, 0))
          .fma(
              FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 4)),
              FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 20)))
          .intoMemorySegment(Memory.ALL, to + 128, LITTLE);
      VarHandle.loadLoadFence();
    }
  }

  /** The sixteen scales of each Q6_K super-block. */
  private static void byteScales(long address, int blocks, long scales) {
    for (int b = 0; b < blocks; b++) {
      long at = address + 210L * b & Memory.ANY;
      long to = scales + 64L * b & Memory.ANY;
      FloatVector d = FloatVector.broadcast(F8, half(at + 208));
      store(signed(at + 192).mul(d), to);
      store(signed(at + 200).mul(d), to + 32);
    }
  }

  /**
   * Sixteen weights of two groups in each step: half a super-block has four groups of 32, the first
   * and the third in the same bytes, the second and the fourth in others, their upper bits two bits
   * further up.
   */
  private static void q6K(long address, int blocks, long out, long scales) {
    Memory.mayFault(address);
    for (int i = 0; i < 16 * blocks; i++) {
      int second = i >> 2 & 1;
      long half = i >> 3 & 1;
      long part = 8L * (i & 3);
      long at = address + 210L * (i >> 4) & Memory.ANY;
      // scales are of sixteen weights
      long scale = scales + 32L * (i >> 3) + 8L * second + 4L * (i >> 1 & 1) & Memory.ANY;
      long to = out + 512L * (i >> 3) + 128L * second + 4 * part & Memory.ANY;
      IntVector q =
          (IntVector)
              ByteVector.fromMemorySegment(
                      B8, Memory.ALL, at + 64 * half + 32L * second + part & Memory.ANY, LITTLE)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, I8, 0);
      IntVector u =
          (IntVector)
              ByteVector.fromMemorySegment(B8, Memory.ALL, at + 128 + 32 * half + part, LITTLE)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, I8, 0);
      IntVector high = u.lanewise(VectorOperators.LSHR, 2 * second);
      IntVector q0 = q.and(15).or(high.and(3).lanewise(VectorOperators.LSHL, 4)).sub(32);
      IntVector q1 = q.lanewise(VectorOperators.LSHR, 4).or(high.and(48)).sub(32);
      ((FloatVector) q0.convertShape(VectorOperators.I2F, F8, 0))
          .mul(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale)))
          .intoMemorySegment(Memory.ALL, to, LITTLE);
      ((FloatVector) q1.convertShape(VectorOperators.I2F, F8, 0))
          .mul(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 16)))
          .intoMemorySegment(Memory.ALL, to + 256, LITTLE);
      VarHandle.loadLoadFence();
    }
  }
}
