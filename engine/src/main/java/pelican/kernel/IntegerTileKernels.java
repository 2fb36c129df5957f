package pelican.kernel;

import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The inner loops of {@link IntegerTiles}: for half super-blocks, which have four groups of 32
 * weights, and for eight, four, or one token. In three steps, since one method would be too long
 * for the first compiler, without which it may stay in the interpreter.
 */
final class IntegerTileKernels {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // Which of two scales is whose, and the even bytes of shorts; from an array: see Q4KDot.
  private static final int[] CONSTANTS = new int[2 * 8];

  static {
    for (int i = 0; i < 8; i++) {
      CONSTANTS[i] = i >> 2;
      CONSTANTS[8 + i] = 0x00ff00ff;
    }
  }

  private IntegerTileKernels() {}

  /**
   * What the sums of some blocks of a row begin with for eight tokens: minimums times sums of the
   * tokens' values. Apart from {@link #tile8}, which would be too long for the first compiler.
   */
  static void start8(long minimums, int halves, long sumsOfX, long sums) {
    for (int h = 0; h < halves; h++) {
      long s = sumsOfX + 256L * h & Memory.ANY;
      long to = sums + 256L * h & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(F8, Memory.ALL, minimums + 32L * h & Memory.ANY, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE))
          .intoMemorySegment(Memory.ALL, to, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 32, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 32, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 64, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 64, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 96, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 96, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 128, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 128, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 160, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 160, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 192, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 192, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 224, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 224, LITTLE);
    }
  }

  /**
   * Adds the products of some blocks of a row with eight tokens.
   *
   * @param w the address of the row's bytes
   * @param scales the address of their scales and minimums
   * @param base what is taken off the even and the odd bytes of a short
   * @param x the address of the tokens' values
   * @param sums the address of a vector for each block and token: what the sum begins with, then
   *     the sum
   */
  static void tile8(long w, long scales, int halves, int base, long x, long sums) {
    VectorShuffle<Float> spreadScale = IntVector.fromArray(I8, CONSTANTS, 0).toShuffle().cast(F8);
    IntVector mask = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector bases = IntVector.broadcast(I8, base);
    for (int h = 0; h < halves; h++) {
      long sum = sums + 256L * h & Memory.ANY;
      FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum, LITTLE);
      FloatVector a1 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 32, LITTLE);
      FloatVector a2 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 64, LITTLE);
      FloatVector a3 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 96, LITTLE);
      FloatVector a4 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 128, LITTLE);
      FloatVector a5 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 160, LITTLE);
      FloatVector a6 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 192, LITTLE);
      FloatVector a7 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 224, LITTLE);
      for (int g = 4 * h; g < 4 * h + 4; g++) {
        long p = x + 512L * g & Memory.ANY;
        IntVector u =
            IntVector.fromMemorySegment(
                I8, Memory.ALL, w + (long) ByteRows.GROUP * g & Memory.ANY, LITTLE);
        FloatVector scale =
            FloatVector.fromMemorySegment(
                    F8, Memory.ALL, scales + (long) ByteRows.SCALE_BYTES * g & Memory.ANY, LITTLE)
                .rearrange(spreadScale);
        IntVector even = u.and(mask).sub(bases);
        IntVector odd = u.lanewise(VectorOperators.LSHR, 8).and(mask).sub(bases);
        a0 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a0);
        a1 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 64, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 96, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a1);
        VarHandle.loadLoadFence();
        a2 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 128, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 160, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a2);
        a3 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 192, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 224, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a3);
        VarHandle.loadLoadFence();
        a4 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 256, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 288, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a4);
        a5 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 320, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 352, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a5);
        VarHandle.loadLoadFence();
        a6 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 384, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 416, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a6);
        a7 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 448, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 480, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a7);
        VarHandle.loadLoadFence();
      }
      a0.intoMemorySegment(Memory.ALL, sum, LITTLE);
      a1.intoMemorySegment(Memory.ALL, sum + 32, LITTLE);
      a2.intoMemorySegment(Memory.ALL, sum + 64, LITTLE);
      a3.intoMemorySegment(Memory.ALL, sum + 96, LITTLE);
      a4.intoMemorySegment(Memory.ALL, sum + 128, LITTLE);
      a5.intoMemorySegment(Memory.ALL, sum + 160, LITTLE);
      a6.intoMemorySegment(Memory.ALL, sum + 192, LITTLE);
      a7.intoMemorySegment(Memory.ALL, sum + 224, LITTLE);
    }
  }

  /**
   * Adds what {@link #tile8} made of some blocks, times the tokens' factors.
   *
   * @param sums the address of a vector of sums for each token
   */
  static void finish8(long from, int halves, long factors, long sums) {
    long to = sums & Memory.ANY;
    FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE);
    FloatVector a1 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 32, LITTLE);
    FloatVector a2 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 64, LITTLE);
    FloatVector a3 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 96, LITTLE);
    FloatVector a4 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 128, LITTLE);
    FloatVector a5 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 160, LITTLE);
    FloatVector a6 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 192, LITTLE);
    FloatVector a7 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 224, LITTLE);
    for (int h = 0; h < halves; h++) {
      long at = from + 256L * h & Memory.ANY;
      long factor = factors + 32L * (h >> 1) & Memory.ANY;
      a0 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor)), a0);
      a1 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 32, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 4)), a1);
      a2 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 64, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 8)), a2);
      a3 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 96, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 12)), a3);
      a4 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 128, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 16)), a4);
      a5 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 160, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 20)), a5);
      a6 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 192, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 24)), a6);
      a7 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 224, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 28)), a7);
    }
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.intoMemorySegment(Memory.ALL, to + 32, LITTLE);
    a2.intoMemorySegment(Memory.ALL, to + 64, LITTLE);
    a3.intoMemorySegment(Memory.ALL, to + 96, LITTLE);
    a4.intoMemorySegment(Memory.ALL, to + 128, LITTLE);
    a5.intoMemorySegment(Memory.ALL, to + 160, LITTLE);
    a6.intoMemorySegment(Memory.ALL, to + 192, LITTLE);
    a7.intoMemorySegment(Memory.ALL, to + 224, LITTLE);
  }

  /** The same with four tokens. */
  static void start4(long minimums, int halves, long sumsOfX, long sums) {
    for (int h = 0; h < halves; h++) {
      long s = sumsOfX + 128L * h & Memory.ANY;
      long to = sums + 128L * h & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(F8, Memory.ALL, minimums + 32L * h & Memory.ANY, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE))
          .intoMemorySegment(Memory.ALL, to, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 32, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 32, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 64, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 64, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 96, LITTLE))
          .intoMemorySegment(Memory.ALL, to + 96, LITTLE);
    }
  }

  /** The same with four tokens. */
  static void tile4(long w, long scales, int halves, int base, long x, long sums) {
    VectorShuffle<Float> spreadScale = IntVector.fromArray(I8, CONSTANTS, 0).toShuffle().cast(F8);
    IntVector mask = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector bases = IntVector.broadcast(I8, base);
    for (int h = 0; h < halves; h++) {
      long sum = sums + 128L * h & Memory.ANY;
      FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum, LITTLE);
      FloatVector a1 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 32, LITTLE);
      FloatVector a2 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 64, LITTLE);
      FloatVector a3 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum + 96, LITTLE);
      for (int g = 4 * h; g < 4 * h + 4; g++) {
        long p = x + 256L * g & Memory.ANY;
        IntVector u =
            IntVector.fromMemorySegment(
                I8, Memory.ALL, w + (long) ByteRows.GROUP * g & Memory.ANY, LITTLE);
        FloatVector scale =
            FloatVector.fromMemorySegment(
                    F8, Memory.ALL, scales + (long) ByteRows.SCALE_BYTES * g & Memory.ANY, LITTLE)
                .rearrange(spreadScale);
        IntVector even = u.and(mask).sub(bases);
        IntVector odd = u.lanewise(VectorOperators.LSHR, 8).and(mask).sub(bases);
        a0 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a0);
        a1 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 64, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 96, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a1);
        VarHandle.loadLoadFence();
        a2 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 128, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 160, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a2);
        a3 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 192, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 224, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a3);
        VarHandle.loadLoadFence();
      }
      a0.intoMemorySegment(Memory.ALL, sum, LITTLE);
      a1.intoMemorySegment(Memory.ALL, sum + 32, LITTLE);
      a2.intoMemorySegment(Memory.ALL, sum + 64, LITTLE);
      a3.intoMemorySegment(Memory.ALL, sum + 96, LITTLE);
    }
  }

  /** The same with four tokens. */
  static void finish4(long from, int halves, long factors, long sums) {
    long to = sums & Memory.ANY;
    FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE);
    FloatVector a1 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 32, LITTLE);
    FloatVector a2 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 64, LITTLE);
    FloatVector a3 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 96, LITTLE);
    for (int h = 0; h < halves; h++) {
      long at = from + 128L * h & Memory.ANY;
      long factor = factors + 16L * (h >> 1) & Memory.ANY;
      a0 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor)), a0);
      a1 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 32, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 4)), a1);
      a2 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 64, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 8)), a2);
      a3 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at + 96, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 12)), a3);
    }
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.intoMemorySegment(Memory.ALL, to + 32, LITTLE);
    a2.intoMemorySegment(Memory.ALL, to + 64, LITTLE);
    a3.intoMemorySegment(Memory.ALL, to + 96, LITTLE);
  }

  /** The same with one token. */
  static void start1(long minimums, int halves, long sumsOfX, long sums) {
    for (int h = 0; h < halves; h++) {
      long s = sumsOfX + 32L * h & Memory.ANY;
      long to = sums + 32L * h & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(F8, Memory.ALL, minimums + 32L * h & Memory.ANY, LITTLE);
      m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE))
          .intoMemorySegment(Memory.ALL, to, LITTLE);
    }
  }

  /** The same with one token. */
  static void tile1(long w, long scales, int halves, int base, long x, long sums) {
    VectorShuffle<Float> spreadScale = IntVector.fromArray(I8, CONSTANTS, 0).toShuffle().cast(F8);
    IntVector mask = IntVector.fromArray(I8, CONSTANTS, 8);
    IntVector bases = IntVector.broadcast(I8, base);
    for (int h = 0; h < halves; h++) {
      long sum = sums + 32L * h & Memory.ANY;
      FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, sum, LITTLE);
      for (int g = 4 * h; g < 4 * h + 4; g++) {
        long p = x + 64L * g & Memory.ANY;
        IntVector u =
            IntVector.fromMemorySegment(
                I8, Memory.ALL, w + (long) ByteRows.GROUP * g & Memory.ANY, LITTLE);
        FloatVector scale =
            FloatVector.fromMemorySegment(
                    F8, Memory.ALL, scales + (long) ByteRows.SCALE_BYTES * g & Memory.ANY, LITTLE)
                .rearrange(spreadScale);
        IntVector even = u.and(mask).sub(bases);
        IntVector odd = u.lanewise(VectorOperators.LSHR, 8).and(mask).sub(bases);
        a0 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a0);
      }
      a0.intoMemorySegment(Memory.ALL, sum, LITTLE);
    }
  }

  /** The same with one token. */
  static void finish1(long from, int halves, long factors, long sums) {
    long to = sums & Memory.ANY;
    FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE);
    for (int h = 0; h < halves; h++) {
      long at = from + 32L * h & Memory.ANY;
      long factor = factors + 4L * (h >> 1) & Memory.ANY;
      a0 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor)), a0);
    }
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
  }
}
