package pelican.kernel;

import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q6_K rows with one token in vectors of 256 bits. The nibbles and the upper bits
 * of 32 weights are first put together byte by byte, which AND, OR and shifts do for all 32; then
 * all bytes and the odd ones are multiplied as {@link QuantizedTokens} tells. The 32 that the
 * format takes off each weight is taken off the products, before their upper half could overflow.
 */
final class Q6KDot {
  private static final int BYTES = 210;
  private static final int SCALES = 192;
  private static final int D = 208;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Byte> B8 = ByteVector.SPECIES_64;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Short> S16 = ShortVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // From an array, 8 lanes each: see Q4KDot.
  private static final int[] CONSTANTS = new int[7 * 8];

  static {
    for (int i = 0; i < 8; i++) {
      CONSTANTS[i] = 0x0f0f0f0f;
      CONSTANTS[8 + i] = 0x30303030;
      CONSTANTS[16 + i] = 0x00ff00ff;
      // two scales, spread over the lanes of their weights
      for (int k = 0; k < 4; k++) {
        CONSTANTS[24 + 8 * k + i] = 2 * k + (i >> 2);
      }
    }
  }

  private Q6KDot() {}

  /**
   * Sets of rows: see {@link Q4KDot}. What is read twice comes from the level 1 cache; a register
   * that held it would be missing elsewhere.
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
    IntVector nibbles = IntVector.fromArray(I8, CONSTANTS, 0);
    IntVector upper = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector odd = IntVector.fromArray(I8, CONSTANTS, 16);
    ShortVector eight = ShortVector.fromArray(S16, RowDots.SHIFTS, 0);
    VectorShuffle<Float> spreadA = IntVector.fromArray(I8, CONSTANTS, 24).toShuffle().cast(F8);
    VectorShuffle<Float> spreadB = IntVector.fromArray(I8, CONSTANTS, 32).toShuffle().cast(F8);
    VectorShuffle<Float> spreadC = IntVector.fromArray(I8, CONSTANTS, 40).toShuffle().cast(F8);
    VectorShuffle<Float> spreadD = IntVector.fromArray(I8, CONSTANTS, 48).toShuffle().cast(F8);
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
          int m = row & 3; // see Q4KDot
          long at = first + distance * m + o & Memory.ANY;
          float d = Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + D));
          long sumAt = kept + (long) RowDots.ROW_SUMS_BYTES * m;
          FloatVector evenSum = FloatVector.fromMemorySegment(F8, Memory.ALL, sumAt, LITTLE);
          FloatVector oddSum =
              FloatVector.fromMemorySegment(F8, Memory.ALL, sumAt + RowDots.ODD, LITTLE);
          for (int half = 0; half < 2; half++) {
            int h = half & 1;
            long low = at + 64L * h;
            long high = at + 128 + 32L * h;
            long p = values + QuantizedTokens.SINGLE_SUMS / 2 * h;
            long thirds = values + QuantizedTokens.SINGLE_THIRDS + 4 * 32 * h;
            FloatVector scales =
                ((FloatVector)
                        ByteVector.fromMemorySegment(B8, Memory.ALL, at + SCALES + 8L * h, LITTLE)
                            .convertShape(VectorOperators.B2F, F8, 0))
                    .mul(d);
            IntVector w =
                nibbles
                    .and(IntVector.fromMemorySegment(I8, Memory.ALL, low, LITTLE))
                    .or(
                        IntVector.fromMemorySegment(I8, Memory.ALL, high, LITTLE)
                            .lanewise(VectorOperators.LSHL, 4)
                            .and(upper));
            IntVector t =
                w.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                    .sub(IntVector.fromMemorySegment(I8, Memory.ALL, thirds, LITTLE))
                    .add(
                        (Processor.SHIFTS_SHORTS
                                ? w.reinterpretAsShorts()
                                    .lanewise(VectorOperators.LSHR, eight)
                                    .reinterpretAsInts()
                                : w.lanewise(VectorOperators.LSHR, 8).and(odd))
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)));
            evenSum =
                scales
                    .rearrange(spreadA)
                    .fma((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0), evenSum);
            w =
                nibbles
                    .and(IntVector.fromMemorySegment(I8, Memory.ALL, low + 32, LITTLE))
                    .or(
                        IntVector.fromMemorySegment(I8, Memory.ALL, high, LITTLE)
                            .lanewise(VectorOperators.LSHL, 2)
                            .and(upper));
            t =
                w.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 64, LITTLE))
                    .sub(IntVector.fromMemorySegment(I8, Memory.ALL, thirds + 32, LITTLE))
                    .add(
                        (Processor.SHIFTS_SHORTS
                                ? w.reinterpretAsShorts()
                                    .lanewise(VectorOperators.LSHR, eight)
                                    .reinterpretAsInts()
                                : w.lanewise(VectorOperators.LSHR, 8).and(odd))
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 96, LITTLE)));
            oddSum =
                scales
                    .rearrange(spreadB)
                    .fma((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0), oddSum);
            VarHandle.loadLoadFence();
            w =
                IntVector.fromMemorySegment(I8, Memory.ALL, low, LITTLE)
                    .lanewise(VectorOperators.LSHR, 4)
                    .and(nibbles)
                    .or(upper.and(IntVector.fromMemorySegment(I8, Memory.ALL, high, LITTLE)));
            t =
                w.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 128, LITTLE))
                    .sub(IntVector.fromMemorySegment(I8, Memory.ALL, thirds + 64, LITTLE))
                    .add(
                        (Processor.SHIFTS_SHORTS
                                ? w.reinterpretAsShorts()
                                    .lanewise(VectorOperators.LSHR, eight)
                                    .reinterpretAsInts()
                                : w.lanewise(VectorOperators.LSHR, 8).and(odd))
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 160, LITTLE)));
            evenSum =
                scales
                    .rearrange(spreadC)
                    .fma((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0), evenSum);
            w =
                IntVector.fromMemorySegment(I8, Memory.ALL, low + 32, LITTLE)
                    .lanewise(VectorOperators.LSHR, 4)
                    .and(nibbles)
                    .or(
                        IntVector.fromMemorySegment(I8, Memory.ALL, high, LITTLE)
                            .lanewise(VectorOperators.LSHR, 2)
                            .and(upper));
            t =
                w.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 192, LITTLE))
                    .sub(IntVector.fromMemorySegment(I8, Memory.ALL, thirds + 96, LITTLE))
                    .add(
                        (Processor.SHIFTS_SHORTS
                                ? w.reinterpretAsShorts()
                                    .lanewise(VectorOperators.LSHR, eight)
                                    .reinterpretAsInts()
                                : w.lanewise(VectorOperators.LSHR, 8).and(odd))
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 224, LITTLE)));
            oddSum =
                scales
                    .rearrange(spreadD)
                    .fma((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0), oddSum);
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
