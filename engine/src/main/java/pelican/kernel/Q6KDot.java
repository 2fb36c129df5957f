package pelican.kernel;

import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q6_K rows with one token in vectors of 256 bits. The nibbles and the upper bits
 * of 32 weights are first put together byte by byte, which AND, OR and shifts do for all 32; then
 * their even and odd bytes are multiplied as {@link QuantizedTokens} tells. The 32 that the format
 * takes off each weight is taken off the products, before their upper half could overflow.
 */
final class Q6KDot {
  private static final int BYTES = 210;
  private static final int SCALES = 192;
  private static final int D = 208;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Byte> B8 = ByteVector.SPECIES_64;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
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

  /** {@code out[offset + r] = Σ w[r][c]·x[token][c]} for rows [rowFrom, rowTo). */
  static void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, int token, float[] out, int offset) {
    QuantizedTokens q = x.quantizedTokens();
    long address = Memory.address(w, rowFrom, rowTo);
    long sums = Scratch.ofThread().block();
    int blocks = w.columns() / QuantizedTokens.BLOCK;
    int runs = QuantizedTokens.runs(w.columns());
    int rows;
    for (int row = rowFrom; row < rowTo; row += rows) {
      rows = LaneSums.dotRows(rowTo - row, runs);
      int streams = LaneSums.streams(rows);
      LaneSums.clear(sums, rows * runs);
      dot(
          address + (row - rowFrom) * w.rowBytes(),
          w.rowBytes(),
          streams,
          rows / streams,
          blocks,
          q.values(token, 1, 0),
          q.corrections(token, 0),
          sums);
      LaneSums.addRuns(sums, rows, streams, runs, q.factors(token, 1, 0));
      LaneSums.store(sums, rows, streams, IntegerTiles.parts(blocks), out, offset + row);
    }
    Reference.reachabilityFence(x);
  }

  /**
   * Some rows: see {@link Q4KDot}. What is read twice comes from the level 1 cache; a register that
   * held it would be missing elsewhere. One loop runs over the super-blocks of all streams: around
   * one of its own for each super-block the compiler saves and restores the constants.
   *
   * @param streams how many rows are read at once, a power of two
   * @param each how many rows each of the streams consists of
   * @param x the address of the token's values
   * @param corrections the address of what is taken off the products of each group
   * @param rowSums the address of a sum for each run of each row, those that are read at once
   *     together
   */
  private static void dot(
      long address,
      long rowBytes,
      int streams,
      int each,
      int blocks,
      long x,
      long corrections,
      long rowSums) {
    IntVector nibbles = IntVector.fromArray(I8, CONSTANTS, 0);
    IntVector upper = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector even = IntVector.fromArray(I8, CONSTANTS, 16);
    VectorShuffle<Float> spreadA = IntVector.fromArray(I8, CONSTANTS, 24).toShuffle().cast(F8);
    VectorShuffle<Float> spreadB = IntVector.fromArray(I8, CONSTANTS, 32).toShuffle().cast(F8);
    VectorShuffle<Float> spreadC = IntVector.fromArray(I8, CONSTANTS, 40).toShuffle().cast(F8);
    VectorShuffle<Float> spreadD = IntVector.fromArray(I8, CONSTANTS, 48).toShuffle().cast(F8);
    int runs = (blocks + QuantizedTokens.RUN_BLOCKS - 1) / QuantizedTokens.RUN_BLOCKS;
    long streamBytes = each * rowBytes;
    int shift = Integer.numberOfTrailingZeros(streams);
    for (int r = 0; r < each; r++) {
      long row = address + r * rowBytes;
      long sumsAt = rowSums + 32L * streams * runs * r;
      for (int i = 0; i < blocks << shift; i++) {
        int m = i & streams - 1;
        int c = i >> shift;
        long at = row + m * streamBytes + (long) BYTES * c & Memory.ANY;
        long kept = sumsAt + 32L * (c / QuantizedTokens.RUN_BLOCKS * streams + m) & Memory.ANY;
        long values = x + 512L * c & Memory.ANY;
        long takenOff = corrections + 256L * c & Memory.ANY;
        float d = Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + D));
        FloatVector sum = FloatVector.fromMemorySegment(F8, Memory.ALL, kept, LITTLE);
        for (int half = 0; half < 2; half++) {
          int h = half & 1; // see Q4KDot
          long low = at + 64L * h;
          long high = at + 128 + 32L * h;
          long p = values + 256L * h;
          long k = takenOff + 128L * h;
          FloatVector scales =
              ((FloatVector)
                      ByteVector.fromMemorySegment(B8, Memory.ALL, at + SCALES + 8L * h, LITTLE)
                          .convertShape(VectorOperators.B2F, F8, 0))
                  .mul(d);
          IntVector w =
              IntVector.fromMemorySegment(I8, Memory.ALL, low, LITTLE)
                  .and(nibbles)
                  .or(
                      IntVector.fromMemorySegment(I8, Memory.ALL, high, LITTLE)
                          .lanewise(VectorOperators.LSHL, 4)
                          .and(upper));
          IntVector t =
              w.and(even)
                  .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                  .sub(IntVector.fromMemorySegment(I8, Memory.ALL, k, LITTLE))
                  .add(
                      w.lanewise(VectorOperators.LSHR, 8)
                          .and(even)
                          .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)));
          sum =
              scales
                  .rearrange(spreadA)
                  .fma((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0), sum);
          w =
              IntVector.fromMemorySegment(I8, Memory.ALL, low + 32, LITTLE)
                  .and(nibbles)
                  .or(
                      IntVector.fromMemorySegment(I8, Memory.ALL, high, LITTLE)
                          .lanewise(VectorOperators.LSHL, 2)
                          .and(upper));
          t =
              w.and(even)
                  .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 64, LITTLE))
                  .sub(IntVector.fromMemorySegment(I8, Memory.ALL, k + 32, LITTLE))
                  .add(
                      w.lanewise(VectorOperators.LSHR, 8)
                          .and(even)
                          .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 96, LITTLE)));
          sum =
              scales
                  .rearrange(spreadB)
                  .fma((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0), sum);
          VarHandle.loadLoadFence();
          w =
              IntVector.fromMemorySegment(I8, Memory.ALL, low, LITTLE)
                  .lanewise(VectorOperators.LSHR, 4)
                  .and(nibbles)
                  .or(IntVector.fromMemorySegment(I8, Memory.ALL, high, LITTLE).and(upper));
          t =
              w.and(even)
                  .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 128, LITTLE))
                  .sub(IntVector.fromMemorySegment(I8, Memory.ALL, k + 64, LITTLE))
                  .add(
                      w.lanewise(VectorOperators.LSHR, 8)
                          .and(even)
                          .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 160, LITTLE)));
          sum =
              scales
                  .rearrange(spreadC)
                  .fma((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0), sum);
          w =
              IntVector.fromMemorySegment(I8, Memory.ALL, low + 32, LITTLE)
                  .lanewise(VectorOperators.LSHR, 4)
                  .and(nibbles)
                  .or(
                      IntVector.fromMemorySegment(I8, Memory.ALL, high, LITTLE)
                          .lanewise(VectorOperators.LSHR, 2)
                          .and(upper));
          t =
              w.and(even)
                  .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 192, LITTLE))
                  .sub(IntVector.fromMemorySegment(I8, Memory.ALL, k + 96, LITTLE))
                  .add(
                      w.lanewise(VectorOperators.LSHR, 8)
                          .and(even)
                          .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 224, LITTLE)));
          sum =
              scales
                  .rearrange(spreadD)
                  .fma((FloatVector) t.convertShape(VectorOperators.I2F, F8, 0), sum);
          VarHandle.loadLoadFence();
        }
        sum.intoMemorySegment(Memory.ALL, kept, LITTLE);
      }
    }
  }
}
