package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import pelican.gguf.GgmlType;

/**
 * {@link ByteRows} of formats whose groups of 32 weights are blocks of their own, or are stored as
 * those of one are (IQ4_XS). But for Q8_0 the low nibbles of 16 bytes are 16 consecutive weights,
 * and the high ones the next 16.
 */
final class BlockByteRows {
  private static final int NIBBLES = 0x0f0f0f0f;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Byte> B32 = ByteVector.SPECIES_256;
  private static final VectorSpecies<Integer> I4 = IntVector.SPECIES_128;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;

  // From an array, 8 lanes each: see Q4KDot.
  private static final int[] CONSTANTS = new int[3 * 8];

  /** The sixteen levels of IQ4_NL and IQ4_XS, plus 128, for each half of a vector. */
  private static final byte[] LEVELS = new byte[32];

  /** What was added to them, and to the signed bytes of Q8_0. */
  private static final int BASE = 128;

  static {
    for (int i = 0; i < 8; i++) {
      // four ints twice, how far they are shifted there, and where the fifth bits of four bytes are
      CONSTANTS[i] = i & 3;
      CONSTANTS[8 + i] = i & 4;
      CONSTANTS[16 + i] = 4 * i;
    }
    int[] levels = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    for (int i = 0; i < LEVELS.length; i++) {
      LEVELS[i] = (byte) (levels[i & 15] + BASE);
    }
  }

  private BlockByteRows() {}

  /** See {@link ByteRows#unpack}. */
  static void unpack(GgmlType type, long at, int blocks, long bytes, long scales) {
    int size = type.blockBytes();
    switch (type) {
      case Q8_0 -> {
        scales(at, size, blocks, -BASE, scales);
        q8(at, blocks, bytes);
      }
      case Q4_0 -> {
        scales(at, size, blocks, -8, scales);
        nibbles(at + 2, size, blocks, bytes);
      }
      case Q4_1 -> {
        scalesAndMinimums(at, size, blocks, scales);
        nibbles(at + 4, size, blocks, bytes);
      }
      case Q5_0 -> {
        scales(at, size, blocks, -16, scales);
        fiveBits(at + 2, size, blocks, bytes);
      }
      case Q5_1 -> {
        scalesAndMinimums(at, size, blocks, scales);
        fiveBits(at + 4, size, blocks, bytes);
      }
      case IQ4_NL -> {
        scales(at, size, blocks, -BASE, scales);
        levels(at + 2, size, blocks, bytes);
      }
      case IQ4_XS -> {
        superBlockScales(at, blocks, scales);
        for (int b = 0; b < blocks; b++) {
          levels(at + (long) size * b + 8, 16, 8, bytes + 256L * b);
        }
      }
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  /** Of blocks that begin with a scale, of which a multiple is added to each weight. */
  private static void scales(long address, int size, int blocks, float multiple, long scales) {
    for (int b = 0; b < blocks; b++) {
      float d = Memory.half(address + (long) size * b & Memory.ANY);
      ByteRows.store(d, d, multiple * d, multiple * d, scales + (long) ByteRows.SCALE_BYTES * b);
    }
  }

  /** Of blocks that begin with a scale and what is added to each weight. */
  private static void scalesAndMinimums(long address, int size, int blocks, long scales) {
    for (int b = 0; b < blocks; b++) {
      long at = address + (long) size * b & Memory.ANY;
      float d = Memory.half(at);
      float m = Memory.half(at + 2);
      ByteRows.store(d, d, m, m, scales + (long) ByteRows.SCALE_BYTES * b);
    }
  }

  /** Of IQ4_XS: six bits for each of eight groups, four of them in nibbles, less 32. */
  private static void superBlockScales(long address, int blocks, long scales) {
    for (int b = 0; b < blocks; b++) {
      long at = address + 136L * b & Memory.ANY;
      float d = Memory.half(at);
      int high = Memory.unsignedByte(at + 2) | Memory.unsignedByte(at + 3) << 8;
      for (int g = 0; g < 8; g++) {
        int low = Memory.unsignedByte(at + 4 + (g >> 1)) >>> 4 * (g & 1) & 15;
        float scale = d * ((low | (high >>> 2 * g & 3) << 4) - 32);
        long to = scales + (long) ByteRows.SCALE_BYTES * (8 * b + g);
        ByteRows.store(scale, scale, -BASE * scale, -BASE * scale, to);
      }
    }
  }

  private static void q8(long address, int blocks, long bytes) {
    Memory.mayFault(address);
    for (int b = 0; b < blocks; b++) {
      // signed bytes plus 128
      IntVector.fromMemorySegment(I8, Memory.ALL, address + 34L * b + 2 & Memory.ANY, LITTLE)
          .lanewise(VectorOperators.XOR, 0x80808080)
          .intoMemorySegment(Memory.ALL, bytes + (long) ByteRows.GROUP * b & Memory.ANY, LITTLE);
    }
  }

  /**
   * Nibbles.
   *
   * @param address where the first 16 bytes of them are
   * @param size how many bytes after them the next are
   */
  private static void nibbles(long address, int size, int blocks, long bytes) {
    VectorShuffle<Integer> twice = IntVector.fromArray(I8, CONSTANTS, 0).toShuffle();
    IntVector shift = IntVector.fromArray(I8, CONSTANTS, 8);
    Memory.mayFault(address);
    for (int b = 0; b < blocks; b++) {
      IntVector.fromMemorySegment(I4, Memory.ALL, address + (long) size * b & Memory.ANY, LITTLE)
          .reinterpretShape(I8, 0)
          .reinterpretAsInts()
          .rearrange(twice)
          .lanewise(VectorOperators.LSHR, shift)
          .and(NIBBLES)
          .intoMemorySegment(Memory.ALL, bytes + (long) ByteRows.GROUP * b & Memory.ANY, LITTLE);
    }
  }

  /**
   * Nibbles behind the fifth bits of their weights, an int of them. A multiplication puts four bits
   * where the lowest of four bytes are.
   *
   * @param address where the first fifth bits are
   */
  private static void fiveBits(long address, int size, int blocks, long bytes) {
    VectorShuffle<Integer> twice = IntVector.fromArray(I8, CONSTANTS, 0).toShuffle();
    VectorShuffle<Integer> first = IntVector.zero(I8).toShuffle();
    IntVector shift = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector fifthShift = IntVector.fromArray(I8, CONSTANTS, 16);
    Memory.mayFault(address);
    for (int b = 0; b < blocks; b++) {
      long at = address + (long) size * b & Memory.ANY;
      IntVector fifth =
          IntVector.fromMemorySegment(I4, Memory.ALL, at, LITTLE)
              .reinterpretShape(I8, 0)
              .reinterpretAsInts()
              .rearrange(first)
              .lanewise(VectorOperators.LSHR, fifthShift)
              .and(15)
              .mul(0x00204081)
              .and(0x01010101)
              .lanewise(VectorOperators.LSHL, 4);
      IntVector.fromMemorySegment(I4, Memory.ALL, at + 4, LITTLE)
          .reinterpretShape(I8, 0)
          .reinterpretAsInts()
          .rearrange(twice)
          .lanewise(VectorOperators.LSHR, shift)
          .and(NIBBLES)
          .or(fifth)
          .intoMemorySegment(Memory.ALL, bytes + (long) ByteRows.GROUP * b & Memory.ANY, LITTLE);
    }
  }

  /** Nibbles that tell of levels: see {@link #nibbles}. */
  private static void levels(long address, int size, int blocks, long bytes) {
    VectorShuffle<Integer> twice = IntVector.fromArray(I8, CONSTANTS, 0).toShuffle();
    IntVector shift = IntVector.fromArray(I8, CONSTANTS, 8);
    ByteVector levels = ByteVector.fromArray(B32, LEVELS, 0);
    Memory.mayFault(address);
    for (int b = 0; b < blocks; b++) {
      IntVector.fromMemorySegment(I4, Memory.ALL, address + (long) size * b & Memory.ANY, LITTLE)
          .reinterpretShape(I8, 0)
          .reinterpretAsInts()
          .rearrange(twice)
          .lanewise(VectorOperators.LSHR, shift)
          .and(NIBBLES)
          .reinterpretAsBytes()
          .selectFrom(levels)
          .intoMemorySegment(Memory.ALL, bytes + (long) ByteRows.GROUP * b & Memory.ANY, LITTLE);
    }
  }
}
