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
 * Dot products of Q6_K rows with one vector in vectors of 256 bits. The nibbles and the upper bits
 * of 32 weights are first put together byte by byte, which four AND, OR and shifts do for all 32;
 * then each byte becomes a float where it is, as in {@link Q4KDot256}.
 */
final class Q6KDot256 {
  private static final int BYTES = 210;
  private static final int HIGH_BITS = 128;
  private static final int SCALES = 192;
  private static final int D = 208;

  /** What the format takes off each weight. */
  static final float OFFSET = 32;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Byte> B8 = ByteVector.SPECIES_64;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // From an array, 8 lanes each: see Q4KDot256.
  private static final int[] CONSTANTS = new int[10 * 8];

  static {
    for (int i = 0; i < 8; i++) {
      CONSTANTS[i] = 0x0f0f0f0f;
      CONSTANTS[8 + i] = 0x30303030;
      for (int k = 0; k < 4; k++) {
        CONSTANTS[16 + 8 * k + i] = 63 << 8 * k;
      }
      // two scales, spread over the lanes of their weights
      for (int k = 0; k < 4; k++) {
        CONSTANTS[48 + 8 * k + i] = 2 * k + (i >> 2);
      }
    }
  }

  private Q6KDot256() {}

  /** {@code out[offset + r] = Σ w[r][c]·x[token][c]} for rows [rowFrom, rowTo). */
  static void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, int token, float[] out, int offset) {
    Activations.Arranged a = x.arranged(ActivationOrder.SIX_BITS_256);
    long address = Memory.address(w, rowFrom, rowTo);
    dot(
        address,
        rowTo - rowFrom,
        w.columns() / 256,
        a.values(token),
        a.sums(token),
        out,
        offset + rowFrom);
    Reference.reachabilityFence(x);
  }

  /**
   * Some rows, one after the other, half a super-block at a time: see {@link Q4KDot256}. What is
   * read twice comes from the level 1 cache; a register that held it would be missing elsewhere.
   *
   * @param x the address of the vector's values
   * @param sums the address of what the scales are multiplied with to be taken off
   */
  private static void dot(
      long address, int rows, int blocks, long x, long sums, float[] out, int o) {
    IntVector nibble = IntVector.fromArray(I8, CONSTANTS, 0);
    IntVector upper = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector mask0 = IntVector.fromArray(I8, CONSTANTS, 16);
    IntVector mask1 = IntVector.fromArray(I8, CONSTANTS, 24);
    IntVector mask2 = IntVector.fromArray(I8, CONSTANTS, 32);
    IntVector mask3 = IntVector.fromArray(I8, CONSTANTS, 40);
    VectorShuffle<Integer> spreadA = IntVector.fromArray(I8, CONSTANTS, 48).toShuffle();
    VectorShuffle<Integer> spreadB = IntVector.fromArray(I8, CONSTANTS, 56).toShuffle();
    VectorShuffle<Integer> spreadC = IntVector.fromArray(I8, CONSTANTS, 64).toShuffle();
    VectorShuffle<Integer> spreadD = IntVector.fromArray(I8, CONSTANTS, 72).toShuffle();
    for (int r = 0; r < rows; r++) {
      long row = address + (long) r * blocks * BYTES;
      FloatVector off = FloatVector.zero(F8);
      FloatVector sum = FloatVector.zero(F8);
      for (int half = 0; half < 2 * blocks; half++) {
        long second = 8 * (half & 1);
        long block = row + (long) BYTES * (half >> 1) & Memory.ANY;
        long low = block + 8 * second;
        long high = block + HIGH_BITS + 4 * second;
        long p = x + 512L * half & Memory.ANY;
        FloatVector scales =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B8, Memory.ALL, block + SCALES + second, LITTLE)
                        .convertShape(VectorOperators.B2F, F8, 0))
                .mul(Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, block + D)));
        off =
            FloatVector.fromMemorySegment(F8, Memory.ALL, sums + 32L * half & Memory.ANY, LITTLE)
                .fma(scales, off);
        IntVector s = scales.reinterpretAsInts();
        VarHandle.loadLoadFence();

        IntVector a =
            nibble
                .and(IntVector.fromMemorySegment(I8, Memory.ALL, low, LITTLE))
                .or(
                    IntVector.fromMemorySegment(I8, Memory.ALL, high, LITTLE)
                        .lanewise(VectorOperators.LSHL, 4)
                        .and(upper));
        FloatVector aSum =
            ((FloatVector) a.and(mask0).convertShape(VectorOperators.I2F, F8, 0))
                .mul(FloatVector.fromMemorySegment(F8, Memory.ALL, p, LITTLE));
        aSum =
            ((FloatVector) a.and(mask1).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 128, LITTLE), aSum);
        aSum =
            ((FloatVector) a.and(mask2).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 256, LITTLE), aSum);
        aSum =
            ((FloatVector) a.and(mask3).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 384, LITTLE), aSum);
        sum = s.rearrange(spreadA).reinterpretAsFloats().fma(aSum, sum);
        VarHandle.loadLoadFence();

        IntVector b =
            nibble
                .and(IntVector.fromMemorySegment(I8, Memory.ALL, low + 32, LITTLE))
                .or(
                    IntVector.fromMemorySegment(I8, Memory.ALL, high, LITTLE)
                        .lanewise(VectorOperators.LSHL, 2)
                        .and(upper));
        FloatVector bSum =
            ((FloatVector) b.and(mask0).convertShape(VectorOperators.I2F, F8, 0))
                .mul(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 32, LITTLE));
        bSum =
            ((FloatVector) b.and(mask1).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 160, LITTLE), bSum);
        bSum =
            ((FloatVector) b.and(mask2).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 288, LITTLE), bSum);
        bSum =
            ((FloatVector) b.and(mask3).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 416, LITTLE), bSum);
        sum = s.rearrange(spreadB).reinterpretAsFloats().fma(bSum, sum);
        VarHandle.loadLoadFence();

        IntVector c =
            IntVector.fromMemorySegment(I8, Memory.ALL, low, LITTLE)
                .lanewise(VectorOperators.LSHR, 4)
                .and(nibble)
                .or(upper.and(IntVector.fromMemorySegment(I8, Memory.ALL, high, LITTLE)));
        FloatVector cSum =
            ((FloatVector) c.and(mask0).convertShape(VectorOperators.I2F, F8, 0))
                .mul(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 64, LITTLE));
        cSum =
            ((FloatVector) c.and(mask1).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 192, LITTLE), cSum);
        cSum =
            ((FloatVector) c.and(mask2).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 320, LITTLE), cSum);
        cSum =
            ((FloatVector) c.and(mask3).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 448, LITTLE), cSum);
        sum = s.rearrange(spreadC).reinterpretAsFloats().fma(cSum, sum);
        VarHandle.loadLoadFence();

        IntVector d =
            IntVector.fromMemorySegment(I8, Memory.ALL, low + 32, LITTLE)
                .lanewise(VectorOperators.LSHR, 4)
                .and(nibble)
                .or(
                    IntVector.fromMemorySegment(I8, Memory.ALL, high, LITTLE)
                        .lanewise(VectorOperators.LSHR, 2)
                        .and(upper));
        FloatVector dSum =
            ((FloatVector) d.and(mask0).convertShape(VectorOperators.I2F, F8, 0))
                .mul(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 96, LITTLE));
        dSum =
            ((FloatVector) d.and(mask1).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 224, LITTLE), dSum);
        dSum =
            ((FloatVector) d.and(mask2).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 352, LITTLE), dSum);
        dSum =
            ((FloatVector) d.and(mask3).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 480, LITTLE), dSum);
        sum = s.rearrange(spreadD).reinterpretAsFloats().fma(dSum, sum);
        VarHandle.loadLoadFence();
      }
      out[o + r] = sum.sub(off).reduceLanes(VectorOperators.ADD);
    }
  }
}
