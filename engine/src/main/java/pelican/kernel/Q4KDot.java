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
 * Dot products of Q4_K rows with one token in vectors of 256 bits.
 *
 * <p>As {@link QuantizedTokens} tells, two multiplications and an addition of ints give eight times
 * four products of 32 weights; a conversion and an FMA with the group's scale finish them. That is
 * 9 instructions for 32 weights with those that take the nibbles apart, 8 where {@link
 * Processor#SHIFTS_SHORTS shorts are shifted}, where products of floats take 13.
 */
final class Q4KDot {
  private static final int BYTES = 144;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Short> S16 = ShortVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // From an array, since the compiler loads what it knows to be constant anew for each use: masks
  // of the nibbles of all bytes, and of those of the odd ones once they stand at even places.
  private static final int[] NIBBLES = new int[16];

  static {
    Arrays.fill(NIBBLES, 0, 8, 0x0f0f0f0f);
    Arrays.fill(NIBBLES, 8, 16, 0x000f000f);
  }

  private Q4KDot() {}

  /**
   * Sets of rows, a super-block of each in a step. The loops over a set and over halves of a
   * super-block are there for the first compiler, which would skip a method of four times the
   * length, so that it stayed in the interpreter; the second writes them out, with addresses that
   * differ by constants. The fences cost no instruction: they keep the compiler from loading ahead,
   * for which there are no registers. Scales and minimums are taken apart as {@link
   * SuperBlockScales} does it.
   *
   * <p>Within a row the loop counts bytes: a number from zero on, added to a row's address, is
   * known not to be negative and needs no mask of its own. What is the same for all of a set's
   * super-blocks is computed before them.
   *
   * <p>Products of even and of odd groups are added up apart. An FMA takes four cycles, and those
   * of a single sum, each waiting for the one before, filled the processor's schedulers.
   *
   * <p>The lower and the upper bits of a scale are added, which is as good as OR: where vectors of
   * 512 bits are known, the compiler makes a single instruction of AND and OR, and then no longer
   * reads and spreads the word at once.
   *
   * <p>A run ends where the next begins, at the head of the loop: at its end the compiler no longer
   * inlines ({@code NodeCountInliningCutoff}), and around a call it keeps vectors as objects. Both
   * factors are read as one int for the same limit: with one read more it was met before the last
   * scale in every third process or so, which then took a third more time for a token.
   *
   * @param address the address of the sets' first rows, one after the other
   * @param distance how many bytes after each row the next one of its set is
   * @param x the address of the token's values
   * @param factors the address of the factors of the token's runs
   * @param scratch the address of {@link RowDots#SCRATCH_BYTES}: the sums of a run, zeros, and room
   *     for scales (to spread one over a vector costs no instruction of its own when it comes from
   *     memory)
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
    IntVector nibbles = IntVector.fromArray(I8, NIBBLES, 0);
    IntVector odd = IntVector.fromArray(I8, NIBBLES, 8);
    ShortVector eight = ShortVector.fromArray(S16, RowDots.SHIFTS, 0);
    ShortVector twelve = ShortVector.fromArray(S16, RowDots.SHIFTS, 16);
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
            long weights = at + 16 + 64L * h;
            long p = values + QuantizedTokens.SINGLE_SUMS / 2 * h;
            long scale = scales + 32L * m + 16L * h;
            IntVector u = IntVector.fromMemorySegment(I8, Memory.ALL, weights, LITTLE);
            IntVector low = u.and(nibbles);
            IntVector t =
                low.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                    .add(
                        (Processor.SHIFTS_SHORTS
                                ? low.reinterpretAsShorts()
                                    .lanewise(VectorOperators.LSHR, eight)
                                    .reinterpretAsInts()
                                : u.lanewise(VectorOperators.LSHR, 8).and(odd))
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)));
            evenSum =
                ((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0))
                    .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale)), evenSum);
            t =
                u.lanewise(VectorOperators.LSHR, 4)
                    .and(nibbles)
                    .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 64, LITTLE))
                    .add(
                        (Processor.SHIFTS_SHORTS
                                ? u.reinterpretAsShorts()
                                    .lanewise(VectorOperators.LSHR, twelve)
                                    .reinterpretAsInts()
                                : u.lanewise(VectorOperators.LSHR, 12).and(odd))
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 96, LITTLE)));
            oddSum =
                ((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0))
                    .fma(
                        FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 4)), oddSum);
            VarHandle.loadLoadFence();
            u = IntVector.fromMemorySegment(I8, Memory.ALL, weights + 32, LITTLE);
            low = u.and(nibbles);
            t =
                low.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 128, LITTLE))
                    .add(
                        (Processor.SHIFTS_SHORTS
                                ? low.reinterpretAsShorts()
                                    .lanewise(VectorOperators.LSHR, eight)
                                    .reinterpretAsInts()
                                : u.lanewise(VectorOperators.LSHR, 8).and(odd))
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 160, LITTLE)));
            evenSum =
                ((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0))
                    .fma(
                        FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 8)),
                        evenSum);
            t =
                u.lanewise(VectorOperators.LSHR, 4)
                    .and(nibbles)
                    .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 192, LITTLE))
                    .add(
                        (Processor.SHIFTS_SHORTS
                                ? u.reinterpretAsShorts()
                                    .lanewise(VectorOperators.LSHR, twelve)
                                    .reinterpretAsInts()
                                : u.lanewise(VectorOperators.LSHR, 12).and(odd))
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
