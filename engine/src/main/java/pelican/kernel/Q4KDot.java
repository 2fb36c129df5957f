package pelican.kernel;

import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q4_K rows with one token in vectors of 256 bits.
 *
 * <p>As {@link QuantizedTokens} tells, two multiplications and an addition of ints give eight times
 * four products of 32 weights; a conversion and an FMA with the group's scale finish them. That is
 * 9 instructions for 32 weights with those that take the nibbles apart, where products of floats
 * take 13.
 */
final class Q4KDot {
  private static final int BYTES = 144;

  /** What a stream has in working memory that stays in the level 1 cache. */
  static final int STREAM_BYTES = 96;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // From an array, since the compiler loads what it knows to be constant anew for each use.
  private static final int[] NIBBLES = new int[8];

  static {
    Arrays.fill(NIBBLES, 0x000f000f);
  }

  private Q4KDot() {}

  /** {@code out[offset + r] = Σ w[r][c]·x[token][c]} for rows [rowFrom, rowTo). */
  static void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, int token, float[] out, int offset) {
    QuantizedTokens q = x.quantizedTokens();
    long address = Memory.address(w, rowFrom, rowTo);
    Scratch scratch = Scratch.ofThread();
    long sums = scratch.block();
    int blocks = w.columns() / QuantizedTokens.BLOCK;
    int parts = IntegerTiles.parts(blocks);
    LaneSums.clear(scratch.scales(), LaneSums.STREAMS * STREAM_BYTES / 32);
    int rows;
    for (int row = rowFrom; row < rowTo; row += rows) {
      rows = LaneSums.dotRows(rowTo - row, parts);
      int streams = LaneSums.streams(rows);
      LaneSums.clear(sums, rows * parts);
      dot(
          address + (row - rowFrom) * w.rowBytes(),
          w.rowBytes(),
          streams,
          rows / streams,
          blocks,
          q.values(token, 1, 0),
          q.sums(token, 1, 0),
          q.factors(token, 1, 0),
          scratch.scales(),
          sums);
      endRun(
          scratch.scales(),
          streams,
          q.factors(token, 1, 0) + 4L * (QuantizedTokens.runs(w.columns()) - 1),
          sums + 32L * (rows * parts - streams));
      LaneSums.store(sums, rows, streams, parts, out, offset + row);
    }
    Reference.reachabilityFence(x);
  }

  /**
   * Some rows. Two are read at once, far apart, a super-block of each in turn: the machine's own
   * prefetching follows each of them, and so has more memory lines on their way than one row would
   * give. Short enough for the compiler's first tier, without which a method may stay in the
   * interpreter. The fences cost no instruction: they keep the compiler from loading ahead, for
   * which there are no registers. Scales and minimums are taken apart as {@link SuperBlockScales}
   * does it.
   *
   * <p>A run ends where the next begins, at the head of the loop: at its end the compiler no longer
   * inlines ({@code NodeCountInliningCutoff}), and around a call it keeps vectors as objects.
   *
   * @param streams how many rows are read at once
   * @param each how many rows each of the streams consists of
   * @param x the address of the token's values
   * @param sums the address of the sums of the token's groups, which minimums are multiplied with
   * @param factors the address of the factors of the token's runs
   * @param scratch the address of {@link #STREAM_BYTES} for each stream: room for the scales of a
   *     super-block (to spread one over a vector costs no instruction of its own when it comes from
   *     memory), then the sum of a run's products and that of its minimums, zeros
   * @param rowSums the address of a sum for each part of each row, those that are read at once
   *     together
   */
  private static void dot(
      long address,
      long rowBytes,
      int streams,
      int each,
      int blocks,
      long x,
      long sums,
      long factors,
      long scratch,
      long rowSums) {
    Memory.mayFault(address);
    IntVector nibbles = IntVector.fromArray(I8, NIBBLES, 0);
    IntVector shift = IntVector.fromArray(I8, SuperBlockScales.SIX_BITS, 0);
    IntVector mask = IntVector.fromArray(I8, SuperBlockScales.SIX_BITS, 8);
    IntVector lowShift = IntVector.fromArray(I8, SuperBlockScales.SIX_BITS, 16);
    IntVector highShift = IntVector.fromArray(I8, SuperBlockScales.SIX_BITS, 24);
    IntVector lowMask = IntVector.fromArray(I8, SuperBlockScales.SIX_BITS, 32);
    int parts = IntegerTiles.parts(blocks);
    long streamBytes = each * rowBytes;
    // of the run that ends; at first zeros are added to the first sum
    long factor = factors;
    long to = rowSums;
    for (int r = 0; r < each; r++) {
      long row = address + r * rowBytes;
      long sumsAt = rowSums + 32L * streams * parts * r;
      for (int c = 0; c < blocks; c++) {
        if (c % QuantizedTokens.RUN_BLOCKS == 0) {
          endRun(scratch, streams, factor, to);
          factor = factors + 4L * (c / QuantizedTokens.RUN_BLOCKS);
          to = sumsAt + 32L * (c / IntegerTiles.PART_BLOCKS * streams);
        }
        long s = sums + 32L * c & Memory.ANY;
        long values = x + 512L * c & Memory.ANY;
        for (int m = 0; m < streams; m++) {
          long at = row + m * streamBytes + (long) BYTES * c & Memory.ANY;
          long scale = scratch + (long) STREAM_BYTES * m & Memory.ANY;
          float d = Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at));
          float dMin = -Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + 2));
          IntVector four = IntVector.broadcast(I8, Memory.ALL.get(Memory.INT, at + 12));
          FloatVector scales =
              ((FloatVector)
                      IntVector.broadcast(I8, Memory.ALL.get(Memory.INT, at + 4))
                          .lanewise(VectorOperators.LSHR, shift)
                          .and(mask)
                          .or(four.lanewise(VectorOperators.LSHR, lowShift).and(lowMask))
                          .convertShape(VectorOperators.I2F, F8, 0))
                  .mul(d);
          FloatVector minimums =
              ((FloatVector)
                      IntVector.broadcast(I8, Memory.ALL.get(Memory.INT, at + 8))
                          .lanewise(VectorOperators.LSHR, shift)
                          .and(mask)
                          .or(four.lanewise(VectorOperators.LSHR, highShift).and(lowMask))
                          .convertShape(VectorOperators.I2F, F8, 0))
                  .mul(dMin)
                  .fma(
                      FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE),
                      FloatVector.fromMemorySegment(F8, Memory.ALL, scale + 64, LITTLE));
          scales.intoMemorySegment(Memory.ALL, scale, LITTLE);
          minimums.intoMemorySegment(Memory.ALL, scale + 64, LITTLE);
        }
        for (int m = 0; m < streams; m++) {
          long at = row + m * streamBytes + (long) BYTES * c & Memory.ANY;
          long stream = scratch + (long) STREAM_BYTES * m & Memory.ANY;
          FloatVector sum = FloatVector.fromMemorySegment(F8, Memory.ALL, stream + 32, LITTLE);
          for (int half = 0; half < 2; half++) {
            int h = half & 1; // so that addresses are known not to be negative
            long weights = at + 16 + 64L * h;
            long p = values + 256L * h;
            long scale = stream + 16L * h;
            IntVector u = IntVector.fromMemorySegment(I8, Memory.ALL, weights, LITTLE);
            IntVector low =
                u.and(nibbles)
                    .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                    .add(
                        u.lanewise(VectorOperators.LSHR, 8)
                            .and(nibbles)
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)));
            sum =
                ((FloatVector) low.convertShape(VectorOperators.I2F, F8, 0))
                    .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale)), sum);
            IntVector high =
                u.lanewise(VectorOperators.LSHR, 4)
                    .and(nibbles)
                    .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 64, LITTLE))
                    .add(
                        u.lanewise(VectorOperators.LSHR, 12)
                            .and(nibbles)
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 96, LITTLE)));
            sum =
                ((FloatVector) high.convertShape(VectorOperators.I2F, F8, 0))
                    .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 4)), sum);
            VarHandle.loadLoadFence();
            u = IntVector.fromMemorySegment(I8, Memory.ALL, weights + 32, LITTLE);
            low =
                u.and(nibbles)
                    .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 128, LITTLE))
                    .add(
                        u.lanewise(VectorOperators.LSHR, 8)
                            .and(nibbles)
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 160, LITTLE)));
            sum =
                ((FloatVector) low.convertShape(VectorOperators.I2F, F8, 0))
                    .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 8)), sum);
            high =
                u.lanewise(VectorOperators.LSHR, 4)
                    .and(nibbles)
                    .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 192, LITTLE))
                    .add(
                        u.lanewise(VectorOperators.LSHR, 12)
                            .and(nibbles)
                            .mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 224, LITTLE)));
            sum =
                ((FloatVector) high.convertShape(VectorOperators.I2F, F8, 0))
                    .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 12)), sum);
            VarHandle.loadLoadFence();
          }
          sum.intoMemorySegment(Memory.ALL, stream + 32, LITTLE);
        }
      }
    }
  }

  /**
   * Ends a run of the rows that are read at once as {@link IntegerTileKernels} do that of a tile:
   * adds the sums of products and of minimums, times the token's factor, to those of a part, and
   * sets them to zero for the next run.
   */
  private static void endRun(long scratch, int streams, long factor, long sums) {
    for (int m = 0; m < streams; m++) {
      long at = scratch + 32 + (long) STREAM_BYTES * m & Memory.ANY;
      long to = sums + 32L * m & Memory.ANY;
      FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
          .add(FloatVector.fromMemorySegment(F8, Memory.ALL, at + 32, LITTLE))
          .fma(
              FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor & Memory.ANY)),
              FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE))
          .intoMemorySegment(Memory.ALL, to, LITTLE);
      FloatVector.zero(F8).intoMemorySegment(Memory.ALL, at, LITTLE);
      FloatVector.zero(F8).intoMemorySegment(Memory.ALL, at + 32, LITTLE);
    }
  }
}
