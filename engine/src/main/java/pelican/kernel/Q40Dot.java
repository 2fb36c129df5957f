package pelican.kernel;

import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q4_0 rows with one token in vectors of 256 bits: as {@link Q4KDot}, with eight
 * blocks in place of a super-block. Their weights have eight taken off, which makes minimums of
 * eight times the scales.
 */
final class Q40Dot {
  private static final int BLOCK_BYTES = 18;

  /** Of eight blocks. */
  private static final int BYTES = 8 * BLOCK_BYTES;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I4 = IntVector.SPECIES_128;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Short> S16 = ShortVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // From an array, 8 lanes each: see Q4KDot.
  private static final int[] CONSTANTS = new int[4 * 8];

  static {
    Arrays.fill(CONSTANTS, 0, 8, 0x0f0f0f0f);
    Arrays.fill(CONSTANTS, 8, 16, 0x000f000f);
    for (int i = 0; i < 8; i++) {
      // the low nibbles of 16 bytes are 16 weights, the high ones the next 16
      CONSTANTS[16 + i] = i & 3;
      CONSTANTS[24 + i] = i & 4;
    }
  }

  private Q40Dot() {}

  /**
   * Sets of rows: see {@link Q4KDot}.
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
    Memory.mayFault(address);
    IntVector nibbles = IntVector.fromArray(I8, CONSTANTS, 0);
    IntVector odd = IntVector.fromArray(I8, CONSTANTS, 8);
    ShortVector eight = ShortVector.fromArray(S16, RowDots.SHIFTS, 0);
    VectorShuffle<Integer> twice = IntVector.fromArray(I8, CONSTANTS, 16).toShuffle();
    IntVector shift = IntVector.fromArray(I8, CONSTANTS, 24);
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
          factor = factors + 4L * (block / QuantizedTokens.RUN_BLOCKS);
          to = rowSums + 32L * RowDots.ROWS * (set * parts + block / IntegerTiles.PART_BLOCKS);
          runEnd = values + QuantizedTokens.RUN_BLOCKS * QuantizedTokens.SINGLE_BLOCK_BYTES;
        }
        for (int row = 0; row < RowDots.ROWS; row++) {
          int m = row & 3; // so that addresses are known not to be negative
          long at = first + distance * m + o & Memory.ANY;
          for (int block = 0; block < 8; block++) {
            int b = block & 7;
            float d = Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + 18L * b));
            Memory.ALL.set(Memory.FLOAT, scales + 32L * m + 4L * b, d);
          }
        }
        for (int row = 0; row < RowDots.ROWS; row++) {
          int m = row & 3;
          long at = first + distance * m + o & Memory.ANY;
          long sumAt = kept + (long) RowDots.ROW_SUMS_BYTES * m;
          FloatVector evenSum = FloatVector.fromMemorySegment(F8, Memory.ALL, sumAt, LITTLE);
          FloatVector oddSum =
              FloatVector.fromMemorySegment(F8, Memory.ALL, sumAt + RowDots.ODD, LITTLE);
          long minimumsAt = sumAt + RowDots.MINIMUMS;
          FloatVector.fromMemorySegment(F8, Memory.ALL, scales + 32L * m, LITTLE)
              .mul(8)
              .fma(
                  FloatVector.fromMemorySegment(
                      F8, Memory.ALL, values + QuantizedTokens.SINGLE_SUMS, LITTLE),
                  FloatVector.fromMemorySegment(F8, Memory.ALL, minimumsAt, LITTLE))
              .intoMemorySegment(Memory.ALL, minimumsAt, LITTLE);
          for (int pair = 0; pair < 4; pair++) {
            int b = pair & 3;
            long block = at + 2L * BLOCK_BYTES * b;
            long p = values + 2L * QuantizedTokens.GROUP_BYTES * b;
            long scale = scales + 32L * m + 8L * b;
            IntVector w;
            IntVector t;
            w =
                IntVector.fromMemorySegment(I4, Memory.ALL, block + 2, LITTLE)
                    .reinterpretShape(I8, 0)
                    .reinterpretAsInts()
                    .rearrange(twice)
                    .lanewise(VectorOperators.LSHR, shift)
                    .and(nibbles);
            t =
                w.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                    .add(
                        (Processor.SHIFTS_SHORTS
                                ? w.reinterpretAsShorts()
                                    .lanewise(VectorOperators.LSHR, eight)
                                    .reinterpretAsInts()
                                : w.lanewise(VectorOperators.LSHR, 8).and(odd))
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)));
            evenSum =
                ((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0))
                    .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale)), evenSum);
            w =
                IntVector.fromMemorySegment(I4, Memory.ALL, block + BLOCK_BYTES + 2, LITTLE)
                    .reinterpretShape(I8, 0)
                    .reinterpretAsInts()
                    .rearrange(twice)
                    .lanewise(VectorOperators.LSHR, shift)
                    .and(nibbles);
            t =
                w.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 64, LITTLE))
                    .add(
                        (Processor.SHIFTS_SHORTS
                                ? w.reinterpretAsShorts()
                                    .lanewise(VectorOperators.LSHR, eight)
                                    .reinterpretAsInts()
                                : w.lanewise(VectorOperators.LSHR, 8).and(odd))
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 96, LITTLE)));
            oddSum =
                ((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0))
                    .fma(
                        FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 4)), oddSum);
            VarHandle.loadLoadFence();
          }
          evenSum.intoMemorySegment(Memory.ALL, sumAt, LITTLE);
          oddSum.intoMemorySegment(Memory.ALL, sumAt + RowDots.ODD, LITTLE);
        }
        values = values + QuantizedTokens.SINGLE_BLOCK_BYTES & Memory.ANY;
      }
    }
  }
}
