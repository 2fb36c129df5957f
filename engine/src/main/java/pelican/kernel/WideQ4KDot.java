package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q4_K rows with one token in vectors of 512 bits: those of {@link Q4KDot}, of
 * which a vector has those of two groups. A load of 64 bytes has the nibbles of four: in its lower
 * half those of the first and, above them, of the second, in the upper half of the third and the
 * fourth.
 */
final class WideQ4KDot {
  private static final int BYTES = 144;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;

  private WideQ4KDot() {}

  /**
   * Sets of rows: see {@link Q4KDot}. Scales stay in registers, of which there are twice as many:
   * the lower lanes have those of a super-block's eight groups, the upper ones its minimums, which
   * are decoded by the same operations. The first four are spread over vectors, then the next take
   * their place. That loop over halves, which the compiler writes out, keeps the method below
   * {@code NodeCountInliningCutoff}: beyond it the end of a run was a call around which all vectors
   * went to memory, and took as long as the products.
   *
   * @param address the address of the sets' first rows, one after the other
   * @param distance how many bytes after each row the next one of its set is
   * @param x the address of the token's values
   * @param factors the address of the factors of the token's runs
   * @param scratch the address of {@link RowDots#RUN_SUMS_BYTES}: the sums of a run, zeros
   * @param rowSums the address of a sum for each part of each set, those of its rows in turn; what
   *     is there is added to
   */
  static void dot(
      long address,
      long distance,
      int sets,
      int blocks,
      long x,
      long factors,
      long scratch,
      long rowSums) {
    IntVector nibbles = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.NIBBLES);
    ShortVector eight =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EIGHT).reinterpretAsShorts();
    ShortVector twelve =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.TWELVE).reinterpretAsShorts();
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
    long kept = scratch & Memory.ANY;
    int rowBytes = BYTES * blocks;
    int parts = IntegerTiles.parts(blocks);
    // of the run that ends; at first zeros are added to the first sum
    long factor = factors;
    long to = rowSums;
    for (int set = 0; set < sets; set++) {
      long first = address + (long) rowBytes * set & Memory.ANY;
      long values = x & Memory.ANY;
      long runEnd = values;
      for (int o = 0; o < rowBytes; o += BYTES) {
        if (values == runEnd) {
          RowDots.endRun(scratch, factor, to);
          int block = o / BYTES;
          int part = set * parts + block / IntegerTiles.PART_BLOCKS;
          factor = factors + 4L * (block / QuantizedTokens.RUN_BLOCKS);
          to = rowSums + (long) LaneSums.BYTES * RowDots.ROWS * part;
          runEnd = values + QuantizedTokens.RUN_BLOCKS * QuantizedTokens.SINGLE_BLOCK_BYTES;
        }
        for (int row = 0; row < RowDots.ROWS; row++) {
          int m = row & 3; // see Q4KDot
          long at = first + distance * m + o & Memory.ANY;
          long sumAt = kept + (long) RowDots.ROW_SUMS_BYTES * m;
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
          sixBits
              .mul(dMin)
              .fma(
                  FloatVector.fromMemorySegment(
                      F16, Memory.ALL, values + QuantizedTokens.SINGLE_SUMS, LITTLE),
                  FloatVector.fromMemorySegment(F16, Memory.ALL, sumAt + RowDots.MINIMUMS, LITTLE))
              .intoMemorySegment(Memory.ALL, sumAt + RowDots.MINIMUMS, LITTLE);
          FloatVector scale = sixBits.mul(d);
          FloatVector evenSum = FloatVector.fromMemorySegment(F16, Memory.ALL, sumAt, LITTLE);
          FloatVector oddSum =
              FloatVector.fromMemorySegment(F16, Memory.ALL, sumAt + RowDots.ODD, LITTLE);
          for (int half = 0; half < 2; half++) {
            int h = half & 1;
            long p = values + QuantizedTokens.BLOCK_BYTES / 2 * h;
            IntVector u = IntVector.fromMemorySegment(I16, Memory.ALL, at + 16 + 64L * h, LITTLE);
            IntVector low = u.and(nibbles);
            IntVector t =
                low.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p, LITTLE))
                    .add(
                        low.reinterpretAsShorts()
                            .lanewise(VectorOperators.LSHR, eight)
                            .reinterpretAsInts()
                            .mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 64, LITTLE)));
            evenSum =
                ((FloatVector) t.convertShape(VectorOperators.I2F, F16, 0))
                    .fma(scale.rearrange(even), evenSum);
            t =
                u.lanewise(VectorOperators.LSHR, 4)
                    .and(nibbles)
                    .mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 128, LITTLE))
                    .add(
                        u.reinterpretAsShorts()
                            .lanewise(VectorOperators.LSHR, twelve)
                            .reinterpretAsInts()
                            .mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 192, LITTLE)));
            oddSum =
                ((FloatVector) t.convertShape(VectorOperators.I2F, F16, 0))
                    .fma(scale.rearrange(odd), oddSum);

            scale = scale.rearrange(next);
          }
          evenSum.intoMemorySegment(Memory.ALL, sumAt, LITTLE);
          oddSum.intoMemorySegment(Memory.ALL, sumAt + RowDots.ODD, LITTLE);
        }
        values = values + QuantizedTokens.SINGLE_BLOCK_BYTES & Memory.ANY;
      }
    }
  }
}
