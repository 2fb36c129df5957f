package pelican.kernel;

import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of Q4_K rows with one vector in vectors of 256 bits.
 *
 * <p>A nibble that stays where it is in its int needs no shift: AND with a mask and the conversion
 * of the int give {@code q·2^8k}, and the power is taken out of the vector's value beforehand. So a
 * vector of eight weights costs three instructions: AND, conversion, FMA.
 */
final class Q4KDot256 {
  private static final int BYTES = 144;

  private static final int HALF_MASK = 0x8fffe000;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // From an array, 8 lanes each, since the compiler loads what it knows to be constant anew for
  // each use. In the order of their use.
  private static final int[] CONSTANTS = new int[10 * 8];

  static {
    for (int i = 0; i < 8; i++) {
      for (int k = 0; k < 4; k++) {
        CONSTANTS[8 * k + i] = 15 << 8 * k;
      }
      // where in their ints the scales (first four lanes) and the minimums are
      boolean scale = i < 4;
      int byteShift = 8 * (i & 3);
      CONSTANTS[32 + i] = byteShift;
      CONSTANTS[40 + i] = byteShift + 2;
      CONSTANTS[48 + i] = byteShift + (scale ? 0 : 4);
      CONSTANTS[56 + i] = scale ? 16 : 0;
      CONSTANTS[64 + i] = scale ? 1 : 2;
      CONSTANTS[72 + i] = 3;
    }
  }

  private Q4KDot256() {}

  /** {@code out[offset + r] = Σ w[r][c]·x[token][c]} for rows [rowFrom, rowTo). */
  static void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, int token, float[] out, int offset) {
    Activations.Arranged a = x.arranged(ActivationOrder.NIBBLES_256);
    long address = Memory.address(w, rowFrom, rowTo);
    long scales = Scratch.ofThread().scales();
    dot(
        address,
        rowTo - rowFrom,
        w.columns() / 256,
        a.values(token),
        a.sums(token),
        scales,
        out,
        offset + rowFrom);
    Reference.reachabilityFence(x);
  }

  /**
   * Some rows, one after the other, 64 weights at a time. Short enough for the compiler's first
   * tier, without which a method may stay in the interpreter. The fence costs no instruction: it
   * keeps the compiler from loading ahead, for which there are no registers.
   *
   * @param x the address of the vector's values
   * @param sums the address of what the 16 lanes of each super-block's scales are multiplied with
   *     to be taken off
   * @param scales the address of room for the scales of a super-block: to spread one over a vector
   *     costs no instruction of its own when it comes from memory
   */
  private static void dot(
      long address, int rows, int blocks, long x, long sums, long scales, float[] out, int o) {
    Memory.mayFault(address);
    IntVector mask0 = IntVector.fromArray(I8, CONSTANTS, 0);
    IntVector mask1 = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector mask2 = IntVector.fromArray(I8, CONSTANTS, 16);
    IntVector mask3 = IntVector.fromArray(I8, CONSTANTS, 24);
    IntVector byteShift = IntVector.fromArray(I8, CONSTANTS, 32);
    IntVector secondShift = IntVector.fromArray(I8, CONSTANTS, 40);
    IntVector upperShift = IntVector.fromArray(I8, CONSTANTS, 48);
    IntVector halfShift = IntVector.fromArray(I8, CONSTANTS, 56);
    VectorShuffle<Integer> firstOrSecond = IntVector.fromArray(I8, CONSTANTS, 64).toShuffle();
    VectorShuffle<Integer> third = IntVector.fromArray(I8, CONSTANTS, 72).toShuffle();
    VectorShuffle<Integer> halves = IntVector.zero(I8).toShuffle();
    for (int r = 0; r < rows; r++) {
      long row = address + (long) r * blocks * BYTES;
      FloatVector off = FloatVector.zero(F8);
      FloatVector sum = FloatVector.zero(F8);
      for (int c = 0; c < 4 * blocks; c++) {
        int quarter = c & 3;
        long at = row + 32L * c + 16L * (c >> 2) & Memory.ANY;
        long p = x + 256L * c & Memory.ANY;
        if (quarter == 0) {
          IntVector head = IntVector.fromMemorySegment(I8, Memory.ALL, at, LITTLE);
          IntVector bytes = head.rearrange(firstOrSecond);
          IntVector upper = head.rearrange(third).lanewise(VectorOperators.LSHR, upperShift);
          FloatVector d =
              head.rearrange(halves)
                  .lanewise(VectorOperators.LSHL, halfShift)
                  .lanewise(VectorOperators.ASHR, 3)
                  .and(HALF_MASK)
                  .reinterpretAsFloats()
                  .mul(Memory.WIDEN_A)
                  .mul(Memory.WIDEN_B)
                  .mul(Memory.WIDEN_C);
          IntVector first = bytes.lanewise(VectorOperators.LSHR, byteShift).and(63);
          IntVector second =
              bytes.lanewise(VectorOperators.LSHR, secondShift).and(48).or(upper.and(15));
          FloatVector s0 = ((FloatVector) first.convertShape(VectorOperators.I2F, F8, 0)).mul(d);
          FloatVector s1 = ((FloatVector) second.convertShape(VectorOperators.I2F, F8, 0)).mul(d);
          // the second four scales follow the first; the first minimums are not needed there
          s0.intoMemorySegment(Memory.ALL, scales & Memory.ANY, LITTLE);
          s1.intoMemorySegment(Memory.ALL, (scales & Memory.ANY) + 16, LITTLE);
          long s = sums + 16L * c & Memory.ANY;
          off = FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE).fma(s0, off);
          off = FloatVector.fromMemorySegment(F8, Memory.ALL, s + 32, LITTLE).fma(s1, off);
        }
        long scale = scales + 8L * quarter & Memory.ANY;
        IntVector u = IntVector.fromMemorySegment(I8, Memory.ALL, at + 16, LITTLE);
        FloatVector low =
            ((FloatVector) u.and(mask0).convertShape(VectorOperators.I2F, F8, 0))
                .mul(FloatVector.fromMemorySegment(F8, Memory.ALL, p, LITTLE));
        low =
            ((FloatVector) u.and(mask1).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 32, LITTLE), low);
        low =
            ((FloatVector) u.and(mask2).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 64, LITTLE), low);
        low =
            ((FloatVector) u.and(mask3).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 96, LITTLE), low);
        sum = low.fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale)), sum);
        IntVector v = u.lanewise(VectorOperators.LSHR, 4);
        FloatVector high =
            ((FloatVector) v.and(mask0).convertShape(VectorOperators.I2F, F8, 0))
                .mul(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 128, LITTLE));
        high =
            ((FloatVector) v.and(mask1).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 160, LITTLE), high);
        high =
            ((FloatVector) v.and(mask2).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 192, LITTLE), high);
        high =
            ((FloatVector) v.and(mask3).convertShape(VectorOperators.I2F, F8, 0))
                .fma(FloatVector.fromMemorySegment(F8, Memory.ALL, p + 224, LITTLE), high);
        sum = high.fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scale + 4)), sum);
        VarHandle.loadLoadFence();
      }
      out[o + r] = sum.sub(off).reduceLanes(VectorOperators.ADD);
    }
  }
}
