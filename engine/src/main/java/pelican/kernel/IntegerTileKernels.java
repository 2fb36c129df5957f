package pelican.kernel;

import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The inner loops of {@link IntegerTiles}: for super-blocks, which have eight groups of 32 weights,
 * and for eight, four, or one token. In two steps, since one method would be too long for the first
 * compiler, without which it may stay in the interpreter.
 */
final class IntegerTileKernels {
  /** What is taken off weights of formats that have minimums: see {@link #tile8}. */
  static final int NOTHING = 8;

  /** What is taken off weights of Q6_K. */
  static final int THIRTY_TWO = 16;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  // The even bytes of shorts, NOTHING and THIRTY_TWO; from an array: see Q4KDot.
  private static final int[] CONSTANTS = new int[3 * 8];

  static {
    for (int i = 0; i < 8; i++) {
      CONSTANTS[i] = 0x00ff00ff;
      CONSTANTS[THIRTY_TWO + i] = 0x00200020;
    }
  }

  private IntegerTileKernels() {}

  /**
   * The products of some super-blocks of a row with eight tokens, before they are multiplied with
   * the tokens' factors.
   *
   * @param w the address of the row's bytes
   * @param scales the address of a vector of scales for each group
   * @param minimums the address of a vector of minimums for each super-block
   * @param bases which of the constants is taken off the even and the odd bytes of a short
   * @param x the address of the tokens' values
   * @param sumsOfX the address of the sums of their groups
   * @param sums the address of room for a vector for each super-block and token
   */
  static void tile8(
      long w, long scales, long minimums, int blocks, int bases, long x, long sumsOfX, long sums) {
    IntVector mask = IntVector.fromArray(I8, CONSTANTS, 0);
    IntVector base = IntVector.fromArray(I8, CONSTANTS, bases);
    for (int b = 0; b < blocks; b++) {
      long s = sumsOfX + 256L * b & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(F8, Memory.ALL, minimums + 32L * b & Memory.ANY, LITTLE);
      FloatVector a0 = m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE));
      FloatVector a1 = m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 32, LITTLE));
      FloatVector a2 = m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 64, LITTLE));
      FloatVector a3 = m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 96, LITTLE));
      FloatVector a4 = m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 128, LITTLE));
      FloatVector a5 = m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 160, LITTLE));
      FloatVector a6 = m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 192, LITTLE));
      FloatVector a7 = m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 224, LITTLE));
      for (int g = 8 * b; g < 8 * b + 8; g++) {
        long p = x + 512L * g & Memory.ANY;
        IntVector u = IntVector.fromMemorySegment(I8, Memory.ALL, w + 32L * g & Memory.ANY, LITTLE);
        FloatVector scale =
            FloatVector.fromMemorySegment(F8, Memory.ALL, scales + 32L * g & Memory.ANY, LITTLE);
        IntVector even = u.and(mask).sub(base);
        IntVector odd = u.lanewise(VectorOperators.LSHR, 8).and(mask).sub(base);
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
      long to = sums + 256L * b & Memory.ANY;
      a0.intoMemorySegment(Memory.ALL, to, LITTLE);
      a1.intoMemorySegment(Memory.ALL, to + 32, LITTLE);
      a2.intoMemorySegment(Memory.ALL, to + 64, LITTLE);
      a3.intoMemorySegment(Memory.ALL, to + 96, LITTLE);
      a4.intoMemorySegment(Memory.ALL, to + 128, LITTLE);
      a5.intoMemorySegment(Memory.ALL, to + 160, LITTLE);
      a6.intoMemorySegment(Memory.ALL, to + 192, LITTLE);
      a7.intoMemorySegment(Memory.ALL, to + 224, LITTLE);
    }
  }

  /**
   * Adds what {@link #tile8} made, times the tokens' factors.
   *
   * @param sums the address of a vector of sums for each token
   */
  static void finish8(long from, int blocks, long factors, long sums) {
    long to = sums & Memory.ANY;
    FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE);
    FloatVector a1 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 32, LITTLE);
    FloatVector a2 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 64, LITTLE);
    FloatVector a3 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 96, LITTLE);
    FloatVector a4 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 128, LITTLE);
    FloatVector a5 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 160, LITTLE);
    FloatVector a6 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 192, LITTLE);
    FloatVector a7 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 224, LITTLE);
    for (int b = 0; b < blocks; b++) {
      long at = from + 256L * b & Memory.ANY;
      long factor = factors + 32L * b & Memory.ANY;
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
  static void tile4(
      long w, long scales, long minimums, int blocks, int bases, long x, long sumsOfX, long sums) {
    IntVector mask = IntVector.fromArray(I8, CONSTANTS, 0);
    IntVector base = IntVector.fromArray(I8, CONSTANTS, bases);
    for (int b = 0; b < blocks; b++) {
      long s = sumsOfX + 128L * b & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(F8, Memory.ALL, minimums + 32L * b & Memory.ANY, LITTLE);
      FloatVector a0 = m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE));
      FloatVector a1 = m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 32, LITTLE));
      FloatVector a2 = m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 64, LITTLE));
      FloatVector a3 = m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 96, LITTLE));
      for (int g = 8 * b; g < 8 * b + 8; g++) {
        long p = x + 256L * g & Memory.ANY;
        IntVector u = IntVector.fromMemorySegment(I8, Memory.ALL, w + 32L * g & Memory.ANY, LITTLE);
        FloatVector scale =
            FloatVector.fromMemorySegment(F8, Memory.ALL, scales + 32L * g & Memory.ANY, LITTLE);
        IntVector even = u.and(mask).sub(base);
        IntVector odd = u.lanewise(VectorOperators.LSHR, 8).and(mask).sub(base);
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
      long to = sums + 128L * b & Memory.ANY;
      a0.intoMemorySegment(Memory.ALL, to, LITTLE);
      a1.intoMemorySegment(Memory.ALL, to + 32, LITTLE);
      a2.intoMemorySegment(Memory.ALL, to + 64, LITTLE);
      a3.intoMemorySegment(Memory.ALL, to + 96, LITTLE);
    }
  }

  /** The same with four tokens. */
  static void finish4(long from, int blocks, long factors, long sums) {
    long to = sums & Memory.ANY;
    FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE);
    FloatVector a1 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 32, LITTLE);
    FloatVector a2 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 64, LITTLE);
    FloatVector a3 = FloatVector.fromMemorySegment(F8, Memory.ALL, to + 96, LITTLE);
    for (int b = 0; b < blocks; b++) {
      long at = from + 128L * b & Memory.ANY;
      long factor = factors + 16L * b & Memory.ANY;
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
  static void tile1(
      long w, long scales, long minimums, int blocks, int bases, long x, long sumsOfX, long sums) {
    IntVector mask = IntVector.fromArray(I8, CONSTANTS, 0);
    IntVector base = IntVector.fromArray(I8, CONSTANTS, bases);
    for (int b = 0; b < blocks; b++) {
      long s = sumsOfX + 32L * b & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(F8, Memory.ALL, minimums + 32L * b & Memory.ANY, LITTLE);
      FloatVector a0 = m.mul(FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE));
      for (int g = 8 * b; g < 8 * b + 8; g++) {
        long p = x + 64L * g & Memory.ANY;
        IntVector u = IntVector.fromMemorySegment(I8, Memory.ALL, w + 32L * g & Memory.ANY, LITTLE);
        FloatVector scale =
            FloatVector.fromMemorySegment(F8, Memory.ALL, scales + 32L * g & Memory.ANY, LITTLE);
        IntVector even = u.and(mask).sub(base);
        IntVector odd = u.lanewise(VectorOperators.LSHR, 8).and(mask).sub(base);
        a0 =
            ((FloatVector)
                    even.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                        .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)))
                        .convertShape(VectorOperators.I2F, F8, 0))
                .fma(scale, a0);
      }
      long to = sums + 32L * b & Memory.ANY;
      a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    }
  }

  /** The same with one token. */
  static void finish1(long from, int blocks, long factors, long sums) {
    long to = sums & Memory.ANY;
    FloatVector a0 = FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE);
    for (int b = 0; b < blocks; b++) {
      long at = from + 32L * b & Memory.ANY;
      long factor = factors + 4L * b & Memory.ANY;
      a0 =
          FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
              .fma(FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor)), a0);
    }
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
  }
}
