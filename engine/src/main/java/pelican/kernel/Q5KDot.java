package pelican.kernel;

import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q5_K rows with one token in vectors of 256 bits: as {@link Q4KDot}, once the
 * fifth bits have joined the nibbles of their bytes.
 */
final class Q5KDot {
  private static final int BYTES = 176;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Short> S16 = ShortVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // From an array, 8 lanes each: see Q4KDot.
  private static final int[] CONSTANTS = new int[3 * 8];

  static {
    Arrays.fill(CONSTANTS, 0, 8, 0x0f0f0f0f);
    Arrays.fill(CONSTANTS, 8, 16, 0x10101010);
    Arrays.fill(CONSTANTS, 16, 24, 0x00ff00ff);
  }

  private Q5KDot() {}

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
    IntVector nibbles = IntVector.fromArray(I8, CONSTANTS, 0);
    IntVector fifths = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector odd = IntVector.fromArray(I8, CONSTANTS, 16);
    ShortVector eight = ShortVector.fromArray(S16, RowDots.SHIFTS, 0);
    IntVector shift = IntVector.fromArray(I8, SuperBlockScales.SIX_BITS, 0);
    IntVector mask = IntVector.fromArray(I8, SuperBlockScales.SIX_BITS, 8);
    IntVector lowShift = IntVector.fromArray(I8, SuperBlockScales.SIX_BITS, 16);
    IntVector highShift = IntVector.fromArray(I8, SuperBlockScales.SIX_BITS, 24);
    IntVector lowMask = IntVector.fromArray(I8, SuperBlockScales.SIX_BITS, 32);
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
          long minimumsAt = kept + RowDots.MINIMUMS + (long) RowDots.ROW_SUMS_BYTES * m;
          int both = Memory.ALL.get(Memory.INT, at);
          float d = Float.float16ToFloat((short) both);
          float dMin = Float.float16ToFloat((short) (both >> 16));
          IntVector four = IntVector.broadcast(I8, Memory.ALL.get(Memory.INT, at + 12));
          FloatVector scale =
              ((FloatVector)
                      IntVector.broadcast(I8, Memory.ALL.get(Memory.INT, at + 4))
                          .lanewise(VectorOperators.LSHR, shift)
                          .and(mask)
                          .add(four.lanewise(VectorOperators.LSHR, lowShift).and(lowMask))
                          .convertShape(VectorOperators.I2F, F8, 0))
                  .mul(d);
          FloatVector minimums =
              ((FloatVector)
                      IntVector.broadcast(I8, Memory.ALL.get(Memory.INT, at + 8))
                          .lanewise(VectorOperators.LSHR, shift)
                          .and(mask)
                          .add(four.lanewise(VectorOperators.LSHR, highShift).and(lowMask))
                          .convertShape(VectorOperators.I2F, F8, 0))
                  .mul(dMin)
                  .fma(
                      FloatVector.fromMemorySegment(
                          F8, Memory.ALL, values + QuantizedTokens.SINGLE_SUMS, LITTLE),
                      FloatVector.fromMemorySegment(F8, Memory.ALL, minimumsAt, LITTLE));
          scale.intoMemorySegment(Memory.ALL, scales + 32L * m, LITTLE);
          minimums.intoMemorySegment(Memory.ALL, minimumsAt, LITTLE);
        }
        for (int row = 0; row < RowDots.ROWS; row++) {
          int m = row & 3;
          long at = first + distance * m + o & Memory.ANY;
          long sumAt = kept + (long) RowDots.ROW_SUMS_BYTES * m;
          FloatVector evenSum = FloatVector.fromMemorySegment(F8, Memory.ALL, sumAt, LITTLE);
          FloatVector oddSum =
              FloatVector.fromMemorySegment(F8, Memory.ALL, sumAt + RowDots.ODD, LITTLE);
          for (int half = 0; half < 2; half++) {
            int h = half & 1;
            long weights = at + 48 + 64L * h;
            long p = values + QuantizedTokens.SINGLE_SUMS / 2 * h;
            long scale = scales + 32L * m + 16L * h;
            IntVector f =
                IntVector.fromMemorySegment(I8, Memory.ALL, at + 16, LITTLE)
                    .lanewise(VectorOperators.LSHR, 4 * h);
            IntVector u = IntVector.fromMemorySegment(I8, Memory.ALL, weights, LITTLE);
            IntVector w;
            IntVector t;
            w = u.and(nibbles).or(f.lanewise(VectorOperators.LSHL, 4).and(fifths));
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
                u.lanewise(VectorOperators.LSHR, 4)
                    .and(nibbles)
                    .or(f.lanewise(VectorOperators.LSHL, 3).and(fifths));
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
            u = IntVector.fromMemorySegment(I8, Memory.ALL, weights + 32, LITTLE);
            w = u.and(nibbles).or(f.lanewise(VectorOperators.LSHL, 2).and(fifths));
            t =
                w.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 128, LITTLE))
                    .add(
                        (Processor.SHIFTS_SHORTS
                                ? w.reinterpretAsShorts()
                                    .lanewise(VectorOperators.LSHR, eight)
                                    .reinterpretAsInts()
                                : w.lanewise(VectorOperators.LSHR, 8).and(odd))
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 160, LITTLE)));
            evenSum =
                ((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0))
                    .fma(
                        FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 8)),
                        evenSum);
            w =
                u.lanewise(VectorOperators.LSHR, 4)
                    .and(nibbles)
                    .or(f.lanewise(VectorOperators.LSHL, 1).and(fifths));
            t =
                w.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 192, LITTLE))
                    .add(
                        (Processor.SHIFTS_SHORTS
                                ? w.reinterpretAsShorts()
                                    .lanewise(VectorOperators.LSHR, eight)
                                    .reinterpretAsInts()
                                : w.lanewise(VectorOperators.LSHR, 8).and(odd))
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 224, LITTLE)));
            oddSum =
                ((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0))
                    .fma(
                        FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 12)),
                        oddSum);
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
