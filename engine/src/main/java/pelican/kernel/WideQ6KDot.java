package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q6_K rows with one token in vectors of 512 bits: those of {@link Q6KDot}, of
 * which a vector has those of two groups. The upper bits of half a super-block are put into both
 * halves of a vector, where each shifts its own to their place.
 */
final class WideQ6KDot {
  private static final int BYTES = 210;

  /** Where 64 bytes begin whose upper half is the upper bits of the first half of weights. */
  static final int UPPER = 128 - 32;

  private static final int SCALES = 192;
  private static final int D = 208;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;
  private static final VectorSpecies<Byte> B16 = ByteVector.SPECIES_128;

  private WideQ6KDot() {}

  /**
   * Sets of rows: see {@link WideQ4KDot}.
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
    IntVector upper = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.UPPER_BITS);
    ShortVector eight =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EIGHT).reinterpretAsShorts();
    VectorShuffle<Integer> twice =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.UPPER_TWICE).toShuffle();
    IntVector left = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.LEFT);
    IntVector right = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.RIGHT);
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
          float d = Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + D));
          FloatVector scale =
              ((FloatVector)
                      ByteVector.fromMemorySegment(B16, Memory.ALL, at + SCALES, LITTLE)
                          .convertShape(VectorOperators.B2F, F16, 0))
                  .mul(d);
          FloatVector evenSum = FloatVector.fromMemorySegment(F16, Memory.ALL, sumAt, LITTLE);
          FloatVector oddSum =
              FloatVector.fromMemorySegment(F16, Memory.ALL, sumAt + RowDots.ODD, LITTLE);
          for (int half = 0; half < 2; half++) {
            int h = half & 1;
            long p = values + QuantizedTokens.BLOCK_BYTES / 2 * h;
            long thirds = values + QuantizedTokens.SINGLE_THIRDS + 4 * 32 * h;
            IntVector high =
                IntVector.fromMemorySegment(I16, Memory.ALL, at + UPPER + 32L * h, LITTLE)
                    .rearrange(twice);
            IntVector low = IntVector.fromMemorySegment(I16, Memory.ALL, at + 64L * h, LITTLE);
            IntVector w = low.and(nibbles).or(high.lanewise(VectorOperators.LSHL, left).and(upper));
            IntVector t =
                w.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p, LITTLE))
                    .sub(IntVector.fromMemorySegment(I16, Memory.ALL, thirds, LITTLE))
                    .add(
                        w.reinterpretAsShorts()
                            .lanewise(VectorOperators.LSHR, eight)
                            .reinterpretAsInts()
                            .mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 64, LITTLE)));
            evenSum =
                ((FloatVector) t.convertShape(VectorOperators.I2F, F16, 0))
                    .fma(scale.rearrange(even), evenSum);
            w =
                low.lanewise(VectorOperators.LSHR, 4)
                    .and(nibbles)
                    .or(high.lanewise(VectorOperators.LSHR, right).and(upper));
            t =
                w.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 128, LITTLE))
                    .sub(IntVector.fromMemorySegment(I16, Memory.ALL, thirds + 64, LITTLE))
                    .add(
                        w.reinterpretAsShorts()
                            .lanewise(VectorOperators.LSHR, eight)
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
