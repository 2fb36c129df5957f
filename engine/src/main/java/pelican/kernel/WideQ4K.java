package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products of Q4_K rows in vectors of 512 bits. A super-block's 32 ints, which have the nibbles of
 * four even groups and of the odd ones after them, are put in the order of {@link
 * WideTokens.Order#HALVES}: then the two halves of a group meet in the same lanes, and as its eight
 * products of a nibble with a value are below 2^15, they are added before one conversion and one
 * FMA with its scale.
 *
 * <p>The lower lanes of the six bits are the scales of the eight groups, the upper ones the
 * minimums, decoded by the same operations.
 */
final class WideQ4K {
  private static final int BYTES = 144;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;

  private WideQ4K() {}

  /**
   * Products of sets of rows with one token, a super-block of each of a set's rows in a step. The
   * compiler writes the loop over them out, and must: with one load for all rows of a set the
   * machine's own prefetching takes them for a single stream that jumps, and memory is read half as
   * fast.
   *
   * @param address the address of the sets' first rows, one after the other
   * @param distance how many bytes after each row the next one of its set is
   * @param x the address of the token's blocks
   * @param factors the address of its factors
   * @param sums the address of a sum for each row of each set; what is there is added to
   * @return what was read {@link WideProducts#AHEAD ahead}, added up
   */
  static int dot(
      long address, long distance, int sets, int blocks, long x, long factors, long sums) {
    IntVector nibbles = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.NIBBLES);
    ShortVector eight =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EIGHT).reinterpretAsShorts();
    ShortVector twelve =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.TWELVE).reinterpretAsShorts();
    IntVector firsts = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.FIRST_HALVES);
    IntVector seconds = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.SECOND_HALVES);
    VectorShuffle<Integer> words =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.WORDS).toShuffle();
    IntVector shift = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.SHIFT);
    IntVector mask = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.MASK);
    IntVector lowShift = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.LOW_SHIFT);
    IntVector lowMask = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.LOW_MASK);
    VectorShuffle<Float> evenGroups =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EVEN_GROUPS)
            .toShuffle()
            .cast(F16);
    VectorShuffle<Float> oddGroups =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.ODD_GROUPS)
            .toShuffle()
            .cast(F16);
    int rowBytes = BYTES * blocks;
    long last = address + distance * (WideProducts.STREAMS - 1) + (long) rowBytes * sets - BYTES;
    int ahead = 0;
    long setSums = sums & Memory.ANY;
    for (int set = 0; set < sets; set++) {
      long first = address + (long) rowBytes * set & Memory.ANY;
      long p = x & Memory.ANY;
      long f = factors & Memory.ANY;
      for (int o = 0; o < rowBytes; o += BYTES) {
        for (int row = 0; row < WideProducts.STREAMS; row++) {
          int m = row & 3; // see Q4KDot
          long at = first + distance * m + o & Memory.ANY;
          long s = setSums + WideSums.BYTES * m;
          long next = Math.min(at + WideProducts.AHEAD, last) & Memory.ANY;
          ahead +=
              Memory.ALL.get(Memory.INT, next)
                  + Memory.ALL.get(Memory.INT, next + 64)
                  + Memory.ALL.get(Memory.INT, next + 128);
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
          FloatVector minimums = sixBits.mul(dMin);
          FloatVector scale = sixBits.mul(d);
          FloatVector scaleA = scale.rearrange(evenGroups);
          FloatVector scaleB = scale.rearrange(oddGroups);
          IntVector head = IntVector.fromMemorySegment(I16, Memory.ALL, at + 16, LITTLE);
          IntVector tail = IntVector.fromMemorySegment(I16, Memory.ALL, at + 80, LITTLE);
          IntVector u = firsts.selectFrom(head, tail);
          IntVector a = u.and(nibbles);
          IntVector oddA =
              a.reinterpretAsShorts().lanewise(VectorOperators.LSHR, eight).reinterpretAsInts();
          IntVector b = u.lanewise(VectorOperators.LSHR, 4).and(nibbles);
          IntVector oddB =
              u.reinterpretAsShorts().lanewise(VectorOperators.LSHR, twelve).reinterpretAsInts();
          u = seconds.selectFrom(head, tail);
          IntVector c = u.and(nibbles);
          IntVector oddC =
              c.reinterpretAsShorts().lanewise(VectorOperators.LSHR, eight).reinterpretAsInts();
          IntVector e = u.lanewise(VectorOperators.LSHR, 4).and(nibbles);
          IntVector oddE =
              u.reinterpretAsShorts().lanewise(VectorOperators.LSHR, twelve).reinterpretAsInts();
          IntVector t =
              a.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p, LITTLE))
                  .add(oddA.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 64, LITTLE)))
                  .add(
                      c.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 256, LITTLE))
                          .add(
                              oddC.mul(
                                  IntVector.fromMemorySegment(I16, Memory.ALL, p + 320, LITTLE))));
          FloatVector v =
              minimums.mul(
                  FloatVector.fromMemorySegment(F16, Memory.ALL, p + WideTokens.SUMS, LITTLE));
          v = ((FloatVector) t.convertShape(VectorOperators.I2F, F16, 0)).fma(scaleA, v);
          t =
              b.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 128, LITTLE))
                  .add(oddB.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 192, LITTLE)))
                  .add(
                      e.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 384, LITTLE))
                          .add(
                              oddE.mul(
                                  IntVector.fromMemorySegment(I16, Memory.ALL, p + 448, LITTLE))));
          ((FloatVector) t.convertShape(VectorOperators.I2F, F16, 0))
              .fma(scaleB, v)
              .fma(
                  FloatVector.broadcast(F16, Memory.ALL.get(Memory.FLOAT, f)),
                  FloatVector.fromMemorySegment(F16, Memory.ALL, s, LITTLE))
              .intoMemorySegment(Memory.ALL, s, LITTLE);
        }
        p = p + WideTokens.BLOCK_BYTES & Memory.ANY;
        f = f + Float.BYTES & Memory.ANY;
      }
      setSums = setSums + WideSums.BYTES * WideProducts.STREAMS & Memory.ANY;
    }
    return ahead;
  }

  /**
   * Unpacks a super-block of each of consecutive rows for {@link WideTiles}.
   *
   * @param address the address of the first
   * @param distance how many bytes after each the next one is
   * @param to the address of {@link WideTiles#ROW_BYTES} for each
   */
  static void unpack(long address, long distance, int rows, long to) {
    IntVector nibbles = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.NIBBLES);
    ShortVector eight =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EIGHT).reinterpretAsShorts();
    ShortVector twelve =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.TWELVE).reinterpretAsShorts();
    IntVector firsts = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.FIRST_HALVES);
    IntVector seconds = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.SECOND_HALVES);
    VectorShuffle<Integer> words =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.WORDS).toShuffle();
    IntVector shift = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.SHIFT);
    IntVector mask = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.MASK);
    IntVector lowShift = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.LOW_SHIFT);
    IntVector lowMask = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.LOW_MASK);
    VectorShuffle<Float> evenGroups =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EVEN_GROUPS)
            .toShuffle()
            .cast(F16);
    VectorShuffle<Float> oddGroups =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.ODD_GROUPS)
            .toShuffle()
            .cast(F16);
    for (int row = 0; row < rows; row++) {
      long at = address + distance * row & Memory.ANY;
      long w = to + (long) WideTiles.ROW_BYTES * row & Memory.ANY;
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
      FloatVector minimums = sixBits.mul(dMin);
      FloatVector scale = sixBits.mul(d);
      FloatVector scaleA = scale.rearrange(evenGroups);
      FloatVector scaleB = scale.rearrange(oddGroups);
      IntVector head = IntVector.fromMemorySegment(I16, Memory.ALL, at + 16, LITTLE);
      IntVector tail = IntVector.fromMemorySegment(I16, Memory.ALL, at + 80, LITTLE);
      IntVector u = firsts.selectFrom(head, tail);
      IntVector a = u.and(nibbles);
      IntVector oddA =
          a.reinterpretAsShorts().lanewise(VectorOperators.LSHR, eight).reinterpretAsInts();
      IntVector b = u.lanewise(VectorOperators.LSHR, 4).and(nibbles);
      IntVector oddB =
          u.reinterpretAsShorts().lanewise(VectorOperators.LSHR, twelve).reinterpretAsInts();
      u = seconds.selectFrom(head, tail);
      IntVector c = u.and(nibbles);
      IntVector oddC =
          c.reinterpretAsShorts().lanewise(VectorOperators.LSHR, eight).reinterpretAsInts();
      IntVector e = u.lanewise(VectorOperators.LSHR, 4).and(nibbles);
      IntVector oddE =
          u.reinterpretAsShorts().lanewise(VectorOperators.LSHR, twelve).reinterpretAsInts();
      a.intoMemorySegment(Memory.ALL, w, LITTLE);
      oddA.intoMemorySegment(Memory.ALL, w + 64, LITTLE);
      b.intoMemorySegment(Memory.ALL, w + 128, LITTLE);
      oddB.intoMemorySegment(Memory.ALL, w + 192, LITTLE);
      c.intoMemorySegment(Memory.ALL, w + 256, LITTLE);
      oddC.intoMemorySegment(Memory.ALL, w + 320, LITTLE);
      e.intoMemorySegment(Memory.ALL, w + 384, LITTLE);
      oddE.intoMemorySegment(Memory.ALL, w + 448, LITTLE);
      scaleA.intoMemorySegment(Memory.ALL, w + WideTiles.SCALES, LITTLE);
      scaleB.intoMemorySegment(Memory.ALL, w + WideTiles.SCALES + 64, LITTLE);
      minimums.intoMemorySegment(Memory.ALL, w + WideTiles.MINIMUMS, LITTLE);
    }
  }
}
