package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import pelican.gguf.GgmlType;

/**
 * {@link IntegerRows} for vectors of 512 bits: of pairs of groups in place of single ones. Weights
 * and scales are taken apart as in {@link WideQ4KDot} and the others.
 */
final class WideIntegerRows {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Byte> B16 = ByteVector.SPECIES_128;
  private static final VectorSpecies<Byte> B64 = ByteVector.SPECIES_512;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;

  private WideIntegerRows() {}

  /** Unpacks consecutive super-blocks: see {@link IntegerRows#unpack}. */
  static void unpack(GgmlType type, long at, int blocks, long to, long minimums) {
    switch (type) {
      case Q4_K -> {
        sixBits(at, blocks, type.blockBytes(), to, minimums);
        q4K(at, blocks, to);
      }
      case Q5_K -> {
        sixBits(at, blocks, type.blockBytes(), to, minimums);
        q5K(at, blocks, to);
      }
      case Q6_K -> {
        bytes(at, blocks, to);
        q6K(at, blocks, to);
      }
      case Q4_0 -> {
        ofBlocks(at, blocks, to, minimums);
        q40(at, blocks, to);
      }
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  /** The scales and minimums of Q4_K and Q5_K. */
  private static void sixBits(long address, int blocks, long bytes, long scales, long minimums) {
    VectorShuffle<Integer> words =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.WORDS).toShuffle();
    IntVector shift = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.SHIFT);
    IntVector mask = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.MASK);
    IntVector lowShift = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.LOW_SHIFT);
    IntVector lowMask = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.LOW_MASK);
    VectorShuffle<Float> even =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EVEN_SCALES)
            .toShuffle()
            .cast(F16);
    VectorShuffle<Float> odd =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.ODD_SCALES)
            .toShuffle()
            .cast(F16);
    VectorShuffle<Float> next =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.AFTER_FOUR)
            .toShuffle()
            .cast(F16);
    FloatVector upper =
        (FloatVector)
            IntVector.fromArray(I16, WideConstants.INTS, WideConstants.WORDS)
                .sub(1)
                .convertShape(VectorOperators.I2F, F16, 0);
    for (int b = 0; b < blocks; b++) {
      long at = address + bytes * b & Memory.ANY;
      long to = scales + (long) IntegerRows.BLOCK_BYTES * b & Memory.ANY;
      long minimumsTo = minimums + (long) SuperBlockScales.VECTOR_BYTES * b & Memory.ANY;
      int both = Memory.ALL.get(Memory.INT, at);
      float d = Float.float16ToFloat((short) both);
      float dMin = Float.float16ToFloat((short) (both >> 16));
      FloatVector sixBits =
          (FloatVector)
              IntVector.fromMemorySegment(I16, Memory.ALL, at, LITTLE)
                  .rearrange(words)
                  .lanewise(VectorOperators.LSHR, shift)
                  .and(mask)
                  .add(
                      IntVector.broadcast(I16, Memory.ALL.get(Memory.INT, at + 12))
                          .lanewise(VectorOperators.LSHR, lowShift)
                          .and(lowMask))
                  .convertShape(VectorOperators.I2F, F16, 0);
      sixBits.mul(dMin).mul(upper).intoMemorySegment(Memory.ALL, minimumsTo, LITTLE);
      FloatVector scale = sixBits.mul(d);
      scale.rearrange(even).intoMemorySegment(Memory.ALL, to, LITTLE);
      scale.rearrange(odd).intoMemorySegment(Memory.ALL, to + IntegerRows.VECTORS_BYTES, LITTLE);
      scale = scale.rearrange(next);
      scale
          .rearrange(even)
          .intoMemorySegment(Memory.ALL, to + 2 * IntegerRows.VECTORS_BYTES, LITTLE);
      scale
          .rearrange(odd)
          .intoMemorySegment(Memory.ALL, to + 3 * IntegerRows.VECTORS_BYTES, LITTLE);
    }
  }

  private static void q4K(long address, int blocks, long rows) {
    IntVector nibbles = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.NIBBLES);
    ShortVector eight =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EIGHT).reinterpretAsShorts();
    ShortVector twelve =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.TWELVE).reinterpretAsShorts();
    Memory.mayFault(address);
    for (int half = 0; half < 2 * blocks; half++) {
      int h = half & 1;
      long at = address + 144L * (half >> 1) & Memory.ANY;
      long to = rows + 2L * IntegerRows.VECTORS_BYTES * half & Memory.ANY;
      long next = to + IntegerRows.VECTORS_BYTES;
      IntVector u =
          IntVector.fromMemorySegment(I16, Memory.ALL, at + 16 + 64L * h & Memory.ANY, LITTLE);
      IntVector w = u.and(nibbles);
      w.intoMemorySegment(Memory.ALL, to + IntegerRows.ALL, LITTLE);
      w.reinterpretAsShorts()
          .lanewise(VectorOperators.LSHR, eight)
          .reinterpretAsInts()
          .intoMemorySegment(Memory.ALL, to + IntegerRows.ODD, LITTLE);
      u.lanewise(VectorOperators.LSHR, 4)
          .and(nibbles)
          .intoMemorySegment(Memory.ALL, next + IntegerRows.ALL, LITTLE);
      u.reinterpretAsShorts()
          .lanewise(VectorOperators.LSHR, twelve)
          .reinterpretAsInts()
          .intoMemorySegment(Memory.ALL, next + IntegerRows.ODD, LITTLE);
    }
  }

  private static void q5K(long address, int blocks, long rows) {
    IntVector nibbles = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.NIBBLES);
    IntVector fifths = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.FIFTHS);
    ShortVector eight =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EIGHT).reinterpretAsShorts();
    VectorShuffle<Integer> twice =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.TWICE).toShuffle();
    IntVector evenFifths = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EVEN_FIFTHS);
    IntVector oddFifths = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.ODD_FIFTHS);
    Memory.mayFault(address);
    for (int half = 0; half < 2 * blocks; half++) {
      int h = half & 1;
      long at = address + 176L * (half >> 1) & Memory.ANY;
      long to = rows + 2L * IntegerRows.VECTORS_BYTES * half & Memory.ANY;
      long next = to + IntegerRows.VECTORS_BYTES;
      IntVector f =
          IntVector.fromMemorySegment(I16, Memory.ALL, at + 16, LITTLE)
              .rearrange(twice)
              .lanewise(VectorOperators.LSHR, 4 * h);
      IntVector u =
          IntVector.fromMemorySegment(I16, Memory.ALL, at + 48 + 64L * h & Memory.ANY, LITTLE);
      IntVector w = u.and(nibbles).or(f.lanewise(VectorOperators.LSHL, evenFifths).and(fifths));
      w.intoMemorySegment(Memory.ALL, to + IntegerRows.ALL, LITTLE);
      w.reinterpretAsShorts()
          .lanewise(VectorOperators.LSHR, eight)
          .reinterpretAsInts()
          .intoMemorySegment(Memory.ALL, to + IntegerRows.ODD, LITTLE);
      w =
          u.lanewise(VectorOperators.LSHR, 4)
              .and(nibbles)
              .or(f.lanewise(VectorOperators.LSHL, oddFifths).and(fifths));
      w.intoMemorySegment(Memory.ALL, next + IntegerRows.ALL, LITTLE);
      w.reinterpretAsShorts()
          .lanewise(VectorOperators.LSHR, eight)
          .reinterpretAsInts()
          .intoMemorySegment(Memory.ALL, next + IntegerRows.ODD, LITTLE);
    }
  }

  /** The scales of Q6_K; it has no minimums. */
  private static void bytes(long address, int blocks, long scales) {
    VectorShuffle<Float> even =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.FIRST_QUARTERS)
            .toShuffle()
            .cast(F16);
    VectorShuffle<Float> odd =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.NEXT_QUARTERS)
            .toShuffle()
            .cast(F16);
    VectorShuffle<Float> next =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.AFTER_EIGHT)
            .toShuffle()
            .cast(F16);
    for (int b = 0; b < blocks; b++) {
      long at = address + 210L * b & Memory.ANY;
      long to = scales + (long) IntegerRows.BLOCK_BYTES * b & Memory.ANY;
      FloatVector scale =
          ((FloatVector)
                  ByteVector.fromMemorySegment(B16, Memory.ALL, at + 192, LITTLE)
                      .convertShape(VectorOperators.B2F, F16, 0))
              .mul(Memory.half(at + 208));
      scale.rearrange(even).intoMemorySegment(Memory.ALL, to, LITTLE);
      scale.rearrange(odd).intoMemorySegment(Memory.ALL, to + IntegerRows.VECTORS_BYTES, LITTLE);
      scale = scale.rearrange(next);
      scale
          .rearrange(even)
          .intoMemorySegment(Memory.ALL, to + 2 * IntegerRows.VECTORS_BYTES, LITTLE);
      scale
          .rearrange(odd)
          .intoMemorySegment(Memory.ALL, to + 3 * IntegerRows.VECTORS_BYTES, LITTLE);
    }
  }

  /** Weights less 32 each. */
  private static void q6K(long address, int blocks, long rows) {
    IntVector nibbles = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.NIBBLES);
    IntVector upper = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.UPPER_BITS);
    ShortVector eight =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EIGHT).reinterpretAsShorts();
    VectorShuffle<Integer> twice =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.UPPER_TWICE).toShuffle();
    IntVector left = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.LEFT);
    IntVector right = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.RIGHT);
    Memory.mayFault(address);
    for (int half = 0; half < 2 * blocks; half++) {
      int h = half & 1;
      long at = address + 210L * (half >> 1) & Memory.ANY;
      long to = rows + 2L * IntegerRows.VECTORS_BYTES * half & Memory.ANY;
      long next = to + IntegerRows.VECTORS_BYTES;
      IntVector high =
          IntVector.fromMemorySegment(
                  I16, Memory.ALL, at + WideQ6KDot.UPPER + 32L * h & Memory.ANY, LITTLE)
              .rearrange(twice);
      IntVector low =
          IntVector.fromMemorySegment(I16, Memory.ALL, at + 64L * h & Memory.ANY, LITTLE);
      IntVector w = low.and(nibbles).or(high.lanewise(VectorOperators.LSHL, left).and(upper));
      w.sub(0x20202020).intoMemorySegment(Memory.ALL, to + IntegerRows.ALL, LITTLE);
      w.reinterpretAsShorts()
          .lanewise(VectorOperators.LSHR, eight)
          .reinterpretAsInts()
          .sub(0x00200020)
          .intoMemorySegment(Memory.ALL, to + IntegerRows.ODD, LITTLE);
      w =
          low.lanewise(VectorOperators.LSHR, 4)
              .and(nibbles)
              .or(high.lanewise(VectorOperators.LSHR, right).and(upper));
      w.sub(0x20202020).intoMemorySegment(Memory.ALL, next + IntegerRows.ALL, LITTLE);
      w.reinterpretAsShorts()
          .lanewise(VectorOperators.LSHR, eight)
          .reinterpretAsInts()
          .sub(0x00200020)
          .intoMemorySegment(Memory.ALL, next + IntegerRows.ODD, LITTLE);
    }
  }

  /** The scales of Q4_0, eight blocks in each step; the minimums are eight times as much. */
  private static void ofBlocks(long address, int steps, long scales, long minimums) {
    VectorShuffle<Float> even =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EVEN_SCALES)
            .toShuffle()
            .cast(F16);
    VectorShuffle<Float> odd =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.ODD_SCALES)
            .toShuffle()
            .cast(F16);
    VectorShuffle<Float> next =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.AFTER_FOUR)
            .toShuffle()
            .cast(F16);
    FloatVector upper =
        (FloatVector)
            IntVector.fromArray(I16, WideConstants.INTS, WideConstants.WORDS)
                .sub(1)
                .convertShape(VectorOperators.I2F, F16, 0);
    for (int i = 0; i < steps; i++) {
      long to = scales + (long) IntegerRows.BLOCK_BYTES * i & Memory.ANY;
      long minimumsTo = minimums + (long) SuperBlockScales.VECTOR_BYTES * i & Memory.ANY;
      for (int b = 0; b < 8; b++) {
        float d = Memory.half(address + 144L * i + 18L * b & Memory.ANY);
        Memory.ALL.set(Memory.FLOAT, minimumsTo + 4L * b & Memory.ANY, d);
        Memory.ALL.set(Memory.FLOAT, minimumsTo + 32 + 4L * b & Memory.ANY, d);
      }
      FloatVector scale = FloatVector.fromMemorySegment(F16, Memory.ALL, minimumsTo, LITTLE);
      scale.mul(8).mul(upper).intoMemorySegment(Memory.ALL, minimumsTo, LITTLE);
      scale.rearrange(even).intoMemorySegment(Memory.ALL, to, LITTLE);
      scale.rearrange(odd).intoMemorySegment(Memory.ALL, to + IntegerRows.VECTORS_BYTES, LITTLE);
      scale = scale.rearrange(next);
      scale
          .rearrange(even)
          .intoMemorySegment(Memory.ALL, to + 2 * IntegerRows.VECTORS_BYTES, LITTLE);
      scale
          .rearrange(odd)
          .intoMemorySegment(Memory.ALL, to + 3 * IntegerRows.VECTORS_BYTES, LITTLE);
    }
  }

  private static void q40(long address, int blocks, long rows) {
    IntVector nibbles = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.NIBBLES);
    ShortVector eight =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EIGHT).reinterpretAsShorts();
    IntVector shift = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.NIBBLE_SHIFT);
    VectorShuffle<Byte> odds =
        ByteVector.fromArray(B64, WideConstants.BYTES, WideConstants.FIRST_AND_THIRD).toShuffle();
    VectorShuffle<Byte> evens =
        ByteVector.fromArray(B64, WideConstants.BYTES, WideConstants.SECOND_AND_FOURTH).toShuffle();
    Memory.mayFault(address);
    for (int half = 0; half < 2 * blocks; half++) {
      int h = half & 1;
      long at = address + 144L * (half >> 1) & Memory.ANY;
      long to = rows + 2L * IntegerRows.VECTORS_BYTES * half & Memory.ANY;
      long next = to + IntegerRows.VECTORS_BYTES;
      long four = at + 72L * h & Memory.ANY;
      IntVector w =
          ByteVector.fromMemorySegment(B64, Memory.ALL, four, LITTLE)
              .rearrange(odds)
              .reinterpretAsInts()
              .lanewise(VectorOperators.LSHR, shift)
              .and(nibbles);
      w.intoMemorySegment(Memory.ALL, to + IntegerRows.ALL, LITTLE);
      w.reinterpretAsShorts()
          .lanewise(VectorOperators.LSHR, eight)
          .reinterpretAsInts()
          .intoMemorySegment(Memory.ALL, to + IntegerRows.ODD, LITTLE);
      w =
          ByteVector.fromMemorySegment(B64, Memory.ALL, four + WideConstants.SECOND, LITTLE)
              .rearrange(evens)
              .reinterpretAsInts()
              .lanewise(VectorOperators.LSHR, shift)
              .and(nibbles);
      w.intoMemorySegment(Memory.ALL, next + IntegerRows.ALL, LITTLE);
      w.reinterpretAsShorts()
          .lanewise(VectorOperators.LSHR, eight)
          .reinterpretAsInts()
          .intoMemorySegment(Memory.ALL, next + IntegerRows.ODD, LITTLE);
    }
  }
}
