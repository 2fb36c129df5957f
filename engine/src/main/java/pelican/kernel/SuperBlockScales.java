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
 * Scales and minimums of super-blocks as {@link IntegerRows} holds them: for each group of 32
 * weights a vector with the scales of what its lanes hold, for each super-block a vector with the
 * minimums of its eight groups.
 */
final class SuperBlockScales {
  /** Bytes of the minimums of a super-block. */
  static final int VECTOR_BYTES = 32;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Byte> B8 = ByteVector.SPECIES_64;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // From an array, 8 lanes each: see Q4KDot. Two scales, spread over the lanes of their weights.
  private static final int[] SPREAD = new int[4 * 8];

  static {
    for (int i = 0; i < SPREAD.length; i++) {
      SPREAD[i] = 2 * (i >> 3) + (i >> 2 & 1);
    }
  }

  /**
   * How the six bits of eight scales or minimums come out of three words of Q4_K and Q5_K, 8 lanes
   * each. Bytes of the first word (scales) or the second (minimums) hold four of them, and the two
   * upper bits of the other four: shift and mask. Those have their lower bits in the third word,
   * whose bytes hold four of each: shift for scales, shift for minimums, mask. A word in all lanes
   * comes from memory in one instruction, and what is shifted is at once where it belongs.
   */
  static final int[] SIX_BITS = {
    0, 8, 16, 24, 2, 10, 18, 26, //
    63, 63, 63, 63, 48, 48, 48, 48, //
    0, 8, 16, 24, 0, 8, 16, 24, //
    4, 12, 20, 28, 4, 12, 20, 28, //
    0, 0, 0, 0, 15, 15, 15, 15
  };

  private SuperBlockScales() {}

  /**
   * Unpacks those of consecutive super-blocks, or of as many times eight blocks.
   *
   * @param type one that {@link IntegerTiles#has has products of integers}
   * @param at the address of the first, in a range that was checked
   * @param scales the address of the first scales, {@link IntegerRows#GROUP_BYTES} before the next
   * @param minimums the address of room for {@link #VECTOR_BYTES} for every super-block; what has
   *     no minimums leaves it as it is
   */
  static void unpack(GgmlType type, long at, int blocks, long scales, long minimums) {
    switch (type) {
      case Q6_K -> bytes(at, blocks, scales);
      case Q4_0 -> ofBlocks(at, blocks, scales, minimums);
      default -> sixBits(at, blocks, type.blockBytes(), scales, minimums);
    }
  }

  /** Those of Q4_K and Q5_K: see {@link #SIX_BITS}. */
  private static void sixBits(long address, int blocks, long bytes, long scales, long minimums) {
    IntVector shift = IntVector.fromArray(I8, SIX_BITS, 0);
    IntVector mask = IntVector.fromArray(I8, SIX_BITS, 8);
    IntVector lowShift = IntVector.fromArray(I8, SIX_BITS, 16);
    IntVector highShift = IntVector.fromArray(I8, SIX_BITS, 24);
    IntVector lowMask = IntVector.fromArray(I8, SIX_BITS, 32);
    for (int b = 0; b < blocks; b++) {
      long at = address + bytes * b & Memory.ANY;
      long to = scales + (long) IntegerRows.BLOCK_BYTES * b & Memory.ANY;
      long minimumsTo = minimums + (long) VECTOR_BYTES * b & Memory.ANY;
      float d = Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at));
      float dMin = Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + 2));
      IntVector four = IntVector.broadcast(I8, Memory.ALL.get(Memory.INT, at + 12));
      FloatVector m =
          ((FloatVector)
                  IntVector.broadcast(I8, Memory.ALL.get(Memory.INT, at + 8))
                      .lanewise(VectorOperators.LSHR, shift)
                      .and(mask)
                      .or(four.lanewise(VectorOperators.LSHR, highShift).and(lowMask))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .mul(dMin);
      ((FloatVector)
              IntVector.broadcast(I8, Memory.ALL.get(Memory.INT, at + 4))
                  .lanewise(VectorOperators.LSHR, shift)
                  .and(mask)
                  .or(four.lanewise(VectorOperators.LSHR, lowShift).and(lowMask))
                  .convertShape(VectorOperators.I2F, F8, 0))
          .mul(d)
          .intoMemorySegment(Memory.ALL, minimumsTo, LITTLE);
      spread(minimumsTo, to);
      m.intoMemorySegment(Memory.ALL, minimumsTo, LITTLE);
    }
  }

  /**
   * Writes a vector for each of a super-block's eight scales. Without a loop, since an address that
   * a loop's variable is part of needs a mask of its own.
   */
  private static void spread(long from, long to) {
    long at = from & Memory.ANY;
    long next = to & Memory.ANY;
    FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, at))
        .intoMemorySegment(Memory.ALL, next, LITTLE);
    FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, at + 4))
        .intoMemorySegment(Memory.ALL, next + IntegerRows.GROUP_BYTES, LITTLE);
    FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, at + 8))
        .intoMemorySegment(Memory.ALL, next + 2 * IntegerRows.GROUP_BYTES, LITTLE);
    FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, at + 12))
        .intoMemorySegment(Memory.ALL, next + 3 * IntegerRows.GROUP_BYTES, LITTLE);
    FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, at + 16))
        .intoMemorySegment(Memory.ALL, next + 4 * IntegerRows.GROUP_BYTES, LITTLE);
    FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, at + 20))
        .intoMemorySegment(Memory.ALL, next + 5 * IntegerRows.GROUP_BYTES, LITTLE);
    FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, at + 24))
        .intoMemorySegment(Memory.ALL, next + 6 * IntegerRows.GROUP_BYTES, LITTLE);
    FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, at + 28))
        .intoMemorySegment(Memory.ALL, next + 7 * IntegerRows.GROUP_BYTES, LITTLE);
  }

  /** Those of Q6_K; it has no minimums. */
  private static void bytes(long address, int blocks, long scales) {
    VectorShuffle<Float> spreadA = IntVector.fromArray(I8, SPREAD, 0).toShuffle().cast(F8);
    VectorShuffle<Float> spreadB = IntVector.fromArray(I8, SPREAD, 8).toShuffle().cast(F8);
    VectorShuffle<Float> spreadC = IntVector.fromArray(I8, SPREAD, 16).toShuffle().cast(F8);
    VectorShuffle<Float> spreadD = IntVector.fromArray(I8, SPREAD, 24).toShuffle().cast(F8);
    for (int b = 0; b < blocks; b++) {
      long at = address + 210L * b & Memory.ANY;
      long to = scales + (long) IntegerRows.BLOCK_BYTES * b & Memory.ANY;
      FloatVector d =
          FloatVector.broadcast(F8, Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + 208)));
      FloatVector s =
          ((FloatVector)
                  ByteVector.fromMemorySegment(B8, Memory.ALL, at + 192, LITTLE)
                      .convertShape(VectorOperators.B2F, F8, 0))
              .mul(d);
      s.rearrange(spreadA).intoMemorySegment(Memory.ALL, to, LITTLE);
      s.rearrange(spreadB).intoMemorySegment(Memory.ALL, to + IntegerRows.GROUP_BYTES, LITTLE);
      s.rearrange(spreadC).intoMemorySegment(Memory.ALL, to + 2 * IntegerRows.GROUP_BYTES, LITTLE);
      s.rearrange(spreadD).intoMemorySegment(Memory.ALL, to + 3 * IntegerRows.GROUP_BYTES, LITTLE);
      s =
          ((FloatVector)
                  ByteVector.fromMemorySegment(B8, Memory.ALL, at + 200, LITTLE)
                      .convertShape(VectorOperators.B2F, F8, 0))
              .mul(d);
      s.rearrange(spreadA).intoMemorySegment(Memory.ALL, to + 4 * IntegerRows.GROUP_BYTES, LITTLE);
      s.rearrange(spreadB).intoMemorySegment(Memory.ALL, to + 5 * IntegerRows.GROUP_BYTES, LITTLE);
      s.rearrange(spreadC).intoMemorySegment(Memory.ALL, to + 6 * IntegerRows.GROUP_BYTES, LITTLE);
      s.rearrange(spreadD).intoMemorySegment(Memory.ALL, to + 7 * IntegerRows.GROUP_BYTES, LITTLE);
    }
  }

  /** Those of Q4_0, eight blocks in each step: the minimums are eight times the scales. */
  private static void ofBlocks(long address, int steps, long scales, long minimums) {
    for (int i = 0; i < steps; i++) {
      long at = minimums + (long) VECTOR_BYTES * i & Memory.ANY;
      for (int b = 0; b < 8; b++) {
        long from = address + 144L * i + 18L * b & Memory.ANY;
        float d = Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, from));
        Memory.ALL.set(Memory.FLOAT, at + 4L * b & Memory.ANY, d);
      }
      spread(at, scales + (long) IntegerRows.BLOCK_BYTES * i);
      FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
          .mul(8)
          .intoMemorySegment(Memory.ALL, at, LITTLE);
    }
  }
}
