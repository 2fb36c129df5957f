package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import pelican.gguf.GgmlType;

/**
 * Weights as {@link IntegerTileKernels} multiply them: for each group of 32 a vector of scales, one
 * of ints that hold the weights 4i to 4i + 3, a byte for each, and one of ints that hold 4i + 1 and
 * 4i + 3, two bytes for each, as {@link QuantizedTokens} tells, with what the format takes off each
 * weight taken off. They stand one after the other, so that a tile has one pointer for them. The
 * minimums of a super-block, a vector for its eight groups, stand elsewhere.
 */
final class IntegerRows {
  /** Bytes of a group: its scales, from 0 on, {@link #ALL} and {@link #ODD}. */
  static final int GROUP_BYTES = 96;

  static final int ALL = 32;
  static final int ODD = 64;

  /** Bytes of a super-block. */
  static final int BLOCK_BYTES = 8 * GROUP_BYTES;

  private static final int NIBBLES = 0x0f0f0f0f;
  private static final int ODD_NIBBLES = 0x000f000f;
  private static final int ODD_BYTES = 0x00ff00ff;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I4 = IntVector.SPECIES_128;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;

  // Four ints twice, and how far they are shifted there.
  private static final int[] TWICE = {0, 1, 2, 3, 0, 1, 2, 3, 0, 0, 0, 0, 4, 4, 4, 4};

  private IntegerRows() {}

  /**
   * Unpacks consecutive super-blocks, or as many times eight blocks.
   *
   * @param type one that {@link IntegerTiles#has has products of integers}
   * @param at the address of the first, in a range that was checked
   * @param to the address of room for {@link #BLOCK_BYTES} for each
   * @param minimums the address of room for a vector for each
   */
  static void unpack(GgmlType type, long at, int blocks, long to, long minimums) {
    SuperBlockScales.unpack(type, at, blocks, to, minimums);
    switch (type) {
      case Q4_K -> q4K(at, blocks, to);
      case Q5_K -> q5K(at, blocks, to);
      case Q6_K -> q6K(at, blocks, to);
      case Q4_0 -> q4(at, 8 * blocks, to);
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  /** Whether a type's weights have minimums. */
  static boolean hasMinimums(GgmlType type) {
    return type != GgmlType.Q6_K;
  }

  private static void q4K(long address, int blocks, long rows) {
    IntVector nibbles = IntVector.broadcast(I8, NIBBLES);
    IntVector odd = IntVector.broadcast(I8, ODD_NIBBLES);
    Memory.mayFault(address);
    for (int b = 0; b < blocks; b++) {
      long at = address + 144L * b & Memory.ANY;
      long to = rows + (long) BLOCK_BYTES * b & Memory.ANY;
      IntVector q = IntVector.fromMemorySegment(I8, Memory.ALL, at + 16, LITTLE);
      q.and(nibbles).intoMemorySegment(Memory.ALL, to + ALL, LITTLE);
      q.lanewise(VectorOperators.LSHR, 8).and(odd).intoMemorySegment(Memory.ALL, to + ODD, LITTLE);
      q.lanewise(VectorOperators.LSHR, 4)
          .and(nibbles)
          .intoMemorySegment(Memory.ALL, to + 96 + ALL, LITTLE);
      q.lanewise(VectorOperators.LSHR, 12)
          .and(odd)
          .intoMemorySegment(Memory.ALL, to + 96 + ODD, LITTLE);
      q = IntVector.fromMemorySegment(I8, Memory.ALL, at + 48, LITTLE);
      q.and(nibbles).intoMemorySegment(Memory.ALL, to + 192 + ALL, LITTLE);
      q.lanewise(VectorOperators.LSHR, 8)
          .and(odd)
          .intoMemorySegment(Memory.ALL, to + 192 + ODD, LITTLE);
      q.lanewise(VectorOperators.LSHR, 4)
          .and(nibbles)
          .intoMemorySegment(Memory.ALL, to + 288 + ALL, LITTLE);
      q.lanewise(VectorOperators.LSHR, 12)
          .and(odd)
          .intoMemorySegment(Memory.ALL, to + 288 + ODD, LITTLE);
      q = IntVector.fromMemorySegment(I8, Memory.ALL, at + 80, LITTLE);
      q.and(nibbles).intoMemorySegment(Memory.ALL, to + 384 + ALL, LITTLE);
      q.lanewise(VectorOperators.LSHR, 8)
          .and(odd)
          .intoMemorySegment(Memory.ALL, to + 384 + ODD, LITTLE);
      q.lanewise(VectorOperators.LSHR, 4)
          .and(nibbles)
          .intoMemorySegment(Memory.ALL, to + 480 + ALL, LITTLE);
      q.lanewise(VectorOperators.LSHR, 12)
          .and(odd)
          .intoMemorySegment(Memory.ALL, to + 480 + ODD, LITTLE);
      q = IntVector.fromMemorySegment(I8, Memory.ALL, at + 112, LITTLE);
      q.and(nibbles).intoMemorySegment(Memory.ALL, to + 576 + ALL, LITTLE);
      q.lanewise(VectorOperators.LSHR, 8)
          .and(odd)
          .intoMemorySegment(Memory.ALL, to + 576 + ODD, LITTLE);
      q.lanewise(VectorOperators.LSHR, 4)
          .and(nibbles)
          .intoMemorySegment(Memory.ALL, to + 672 + ALL, LITTLE);
      q.lanewise(VectorOperators.LSHR, 12)
          .and(odd)
          .intoMemorySegment(Memory.ALL, to + 672 + ODD, LITTLE);
    }
  }

  /** The same with a fifth bit: of the first group at bit 2c of each byte, of the second above. */
  private static void q5K(long address, int blocks, long rows) {
    Memory.mayFault(address);
    for (int i = 0; i < 4 * blocks; i++) {
      int c = i & 3;
      long at = address + 176L * (i >> 2) & Memory.ANY;
      long to = rows + 2L * GROUP_BYTES * i & Memory.ANY;
      IntVector q =
          IntVector.fromMemorySegment(I8, Memory.ALL, at + 48 + 32L * c & Memory.ANY, LITTLE);
      IntVector fifth =
          IntVector.fromMemorySegment(I8, Memory.ALL, at + 16, LITTLE)
              .lanewise(VectorOperators.LSHR, 2 * c);
      IntVector w = q.and(NIBBLES).or(fifth.and(0x01010101).lanewise(VectorOperators.LSHL, 4));
      w.intoMemorySegment(Memory.ALL, to + ALL, LITTLE);
      w.lanewise(VectorOperators.LSHR, 8)
          .and(ODD_BYTES)
          .intoMemorySegment(Memory.ALL, to + ODD, LITTLE);
      w =
          q.lanewise(VectorOperators.LSHR, 4)
              .and(NIBBLES)
              .or(fifth.and(0x02020202).lanewise(VectorOperators.LSHL, 3));
      w.intoMemorySegment(Memory.ALL, to + GROUP_BYTES + ALL, LITTLE);
      w.lanewise(VectorOperators.LSHR, 8)
          .and(ODD_BYTES)
          .intoMemorySegment(Memory.ALL, to + GROUP_BYTES + ODD, LITTLE);
    }
  }

  /** Half a super-block in each step. */
  private static void q6K(long address, int blocks, long rows) {
    IntVector nibbles = IntVector.broadcast(I8, NIBBLES);
    IntVector upper = IntVector.broadcast(I8, 0x30303030);
    IntVector odd = IntVector.broadcast(I8, ODD_BYTES);
    IntVector base = IntVector.broadcast(I8, 0x20202020);
    IntVector oddBase = IntVector.broadcast(I8, 0x00200020);
    Memory.mayFault(address);
    for (int half = 0; half < 2 * blocks; half++) {
      long second = 64L * (half & 1);
      long block = address + 210L * (half >> 1) & Memory.ANY;
      long at = block + second & Memory.ANY;
      long highAt = block + 128 + (second >> 1) & Memory.ANY;
      long to = rows + 4L * GROUP_BYTES * half & Memory.ANY;
      IntVector high = IntVector.fromMemorySegment(I8, Memory.ALL, highAt, LITTLE);
      IntVector low = IntVector.fromMemorySegment(I8, Memory.ALL, at, LITTLE);
      IntVector w = low.and(nibbles).or(high.lanewise(VectorOperators.LSHL, 4).and(upper));
      w.sub(base).intoMemorySegment(Memory.ALL, to + ALL, LITTLE);
      w.lanewise(VectorOperators.LSHR, 8)
          .and(odd)
          .sub(oddBase)
          .intoMemorySegment(Memory.ALL, to + ODD, LITTLE);
      w = low.lanewise(VectorOperators.LSHR, 4).and(nibbles).or(high.and(upper));
      w.sub(base).intoMemorySegment(Memory.ALL, to + 2 * GROUP_BYTES + ALL, LITTLE);
      w.lanewise(VectorOperators.LSHR, 8)
          .and(odd)
          .sub(oddBase)
          .intoMemorySegment(Memory.ALL, to + 2 * GROUP_BYTES + ODD, LITTLE);
      low = IntVector.fromMemorySegment(I8, Memory.ALL, at + 32, LITTLE);
      w = low.and(nibbles).or(high.lanewise(VectorOperators.LSHL, 2).and(upper));
      w.sub(base).intoMemorySegment(Memory.ALL, to + GROUP_BYTES + ALL, LITTLE);
      w.lanewise(VectorOperators.LSHR, 8)
          .and(odd)
          .sub(oddBase)
          .intoMemorySegment(Memory.ALL, to + GROUP_BYTES + ODD, LITTLE);
      w =
          low.lanewise(VectorOperators.LSHR, 4)
              .and(nibbles)
              .or(high.lanewise(VectorOperators.LSHR, 2).and(upper));
      w.sub(base).intoMemorySegment(Memory.ALL, to + 3 * GROUP_BYTES + ALL, LITTLE);
      w.lanewise(VectorOperators.LSHR, 8)
          .and(odd)
          .sub(oddBase)
          .intoMemorySegment(Memory.ALL, to + 3 * GROUP_BYTES + ODD, LITTLE);
    }
  }

  /** The low nibbles of 16 bytes are 16 consecutive weights, the high ones the next 16. */
  private static void q4(long address, int blocks, long rows) {
    VectorShuffle<Integer> twice = IntVector.fromArray(I8, TWICE, 0).toShuffle();
    IntVector shift = IntVector.fromArray(I8, TWICE, 8);
    Memory.mayFault(address);
    for (int b = 0; b < blocks; b++) {
      long at = address + 18L * b & Memory.ANY;
      long to = rows + (long) GROUP_BYTES * b & Memory.ANY;
      IntVector w =
          IntVector.fromMemorySegment(I4, Memory.ALL, at + 2, LITTLE)
              .reinterpretShape(I8, 0)
              .reinterpretAsInts()
              .rearrange(twice)
              .lanewise(VectorOperators.LSHR, shift)
              .and(NIBBLES);
      w.intoMemorySegment(Memory.ALL, to + ALL, LITTLE);
      w.lanewise(VectorOperators.LSHR, 8)
          .and(ODD_NIBBLES)
          .intoMemorySegment(Memory.ALL, to + ODD, LITTLE);
    }
  }
}
