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
 * Dot products of Q4_0 rows with one token in vectors of 512 bits: those of {@link Q40Dot}, of
 * which a vector has those of two blocks. Their nibbles come out of 64 bytes by one shuffle of
 * bytes.
 */
final class WideQ40Dot {
  private static final int BLOCK_BYTES = 18;

  /** Of eight blocks. */
  private static final int BYTES = 8 * BLOCK_BYTES;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;
  private static final VectorSpecies<Byte> B64 = ByteVector.SPECIES_512;

  private WideQ40Dot() {}

  /**
   * Sets of rows: see {@link WideQ4KDot}.
   *
   * @param address the address of the sets' first rows, one after the other
   * @param distance how many bytes after each row the next one of its set is
   * @param x the address of the token's values
   * @param factors the address of the factors of the token's runs
   * @param scratch the address of {@link RowDots#SCRATCH_BYTES}: the sums of a run, zeros, and room
   *     for scales
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
    IntVector shift = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.NIBBLE_SHIFT);
    VectorShuffle<Byte> odds =
        ByteVector.fromArray(B64, WideConstants.BYTES, WideConstants.FIRST_AND_THIRD).toShuffle();
    VectorShuffle<Byte> evens =
        ByteVector.fromArray(B64, WideConstants.BYTES, WideConstants.SECOND_AND_FOURTH).toShuffle();
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
    long scales = scratch + RowDots.RUN_SUMS_BYTES & Memory.ANY;
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
          for (int block = 0; block < 8; block++) {
            int i = block & 7;
            float d =
                Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + (long) BLOCK_BYTES * i));
            // in both halves: the upper one becomes the minimums
            Memory.ALL.set(Memory.FLOAT, scales + 64L * m + 4L * i, d);
            Memory.ALL.set(Memory.FLOAT, scales + 64L * m + 32 + 4L * i, d);
          }
        }
        for (int row = 0; row < RowDots.ROWS; row++) {
          int m = row & 3;
          long at = first + distance * m + o & Memory.ANY;
          long sumAt = kept + (long) RowDots.ROW_SUMS_BYTES * m;
          FloatVector scale =
              FloatVector.fromMemorySegment(F16, Memory.ALL, scales + 64L * m, LITTLE);
          scale
              .mul(8)
              .fma(
                  FloatVector.fromMemorySegment(
                      F16, Memory.ALL, values + QuantizedTokens.SINGLE_SUMS, LITTLE),
                  FloatVector.fromMemorySegment(F16, Memory.ALL, sumAt + RowDots.MINIMUMS, LITTLE))
              .intoMemorySegment(Memory.ALL, sumAt + RowDots.MINIMUMS, LITTLE);
          FloatVector evenSum = FloatVector.fromMemorySegment(F16, Memory.ALL, sumAt, LITTLE);
          FloatVector oddSum =
              FloatVector.fromMemorySegment(F16, Memory.ALL, sumAt + RowDots.ODD, LITTLE);
          for (int half = 0; half < 2; half++) {
            int h = half & 1;
            long p = values + QuantizedTokens.BLOCK_BYTES / 2 * h;
            long four = at + 4L * BLOCK_BYTES * h;
            IntVector w =
                ByteVector.fromMemorySegment(B64, Memory.ALL, four, LITTLE)
                    .rearrange(odds)
                    .reinterpretAsInts()
                    .lanewise(VectorOperators.LSHR, shift)
                    .and(nibbles);
            IntVector t =
                w.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p, LITTLE))
                    .add(
                        w.reinterpretAsShorts()
                            .lanewise(VectorOperators.LSHR, eight)
                            .reinterpretAsInts()
                            .mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 64, LITTLE)));
            evenSum =
                ((FloatVector) t.convertShape(VectorOperators.I2F, F16, 0))
                    .fma(scale.rearrange(even), evenSum);
            w =
                ByteVector.fromMemorySegment(B64, Memory.ALL, four + WideConstants.SECOND, LITTLE)
                    .rearrange(evens)
                    .reinterpretAsInts()
                    .lanewise(VectorOperators.LSHR, shift)
                    .and(nibbles);
            t =
                w.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 128, LITTLE))
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
