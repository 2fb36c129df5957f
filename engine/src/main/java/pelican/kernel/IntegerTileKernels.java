package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The inner loops of {@link IntegerTiles}: for rows as {@link IntegerRows} holds them and for
 * eight, four, or one token. In two steps, since one method would be too long for the first
 * compiler, without which it may stay in the interpreter.
 *
 * <p>A tile's loop runs on pointers until they meet its end, not for a number of times: a counted
 * loop the compiler would put into another one, whose begin and end take as long as two groups. The
 * pointers are compared as ints, which within a tile are equal only where they are: of two longs
 * the compiler keeps which is larger, four instructions in each step. There is no fence, which
 * would make each load an instruction of its own.
 */
final class IntegerTileKernels {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  /** Groups of a super-block. */
  private static final int GROUPS = QuantizedTokens.BLOCK / QuantizedTokens.GROUP;

  /**
   * A tile takes every second group, the even or the odd ones, since {@link Q4KDot} and {@link
   * Q6KDot} add them up apart: their single sum would wait for itself four cycles for each group.
   */
  static final int STEP = 2;

  /** Room for a tile's sums: those of the odd groups stand so many bytes after the others. */
  static final int SUMS_BYTES = 8 * 32;

  private IntegerTileKernels() {}

  /**
   * The products of every second group of a row's super-blocks with eight tokens, without minimums
   * and before they are multiplied with the tokens' factors.
   *
   * @param w the address of the weights of the first group
   * @param blocks how many super-blocks, at least one
   * @param x the address of the tokens' values for it
   * @param sums the address of room for a vector for each token
   */
  static void tile8(long w, int blocks, long x, long sums) {
    FloatVector a0 = FloatVector.zero(F8);
    FloatVector a1 = FloatVector.zero(F8);
    FloatVector a2 = FloatVector.zero(F8);
    FloatVector a3 = FloatVector.zero(F8);
    FloatVector a4 = FloatVector.zero(F8);
    FloatVector a5 = FloatVector.zero(F8);
    FloatVector a6 = FloatVector.zero(F8);
    FloatVector a7 = FloatVector.zero(F8);
    long p = x;
    long q = w;
    long end = w + (long) IntegerRows.BLOCK_BYTES * blocks & Memory.ANY;
    do {
      p &= Memory.ANY;
      q &= Memory.ANY;
      FloatVector scale = FloatVector.fromMemorySegment(F8, Memory.ALL, q, LITTLE);
      IntVector all = IntVector.fromMemorySegment(I8, Memory.ALL, q + IntegerRows.ALL, LITTLE);
      IntVector odd = IntVector.fromMemorySegment(I8, Memory.ALL, q + IntegerRows.ODD, LITTLE);
      a0 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, a0);
      a1 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 64, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 96, LITTLE)))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, a1);
      a2 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 128, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 160, LITTLE)))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, a2);
      a3 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 192, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 224, LITTLE)))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, a3);
      a4 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 256, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 288, LITTLE)))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, a4);
      a5 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 320, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 352, LITTLE)))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, a5);
      a6 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 384, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 416, LITTLE)))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, a6);
      a7 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 448, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 480, LITTLE)))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, a7);
      p += STEP * 512;
      q += STEP * IntegerRows.GROUP_BYTES;
    } while ((int) q != (int) end);
    long to = sums & Memory.ANY;
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.intoMemorySegment(Memory.ALL, to + 32, LITTLE);
    a2.intoMemorySegment(Memory.ALL, to + 64, LITTLE);
    a3.intoMemorySegment(Memory.ALL, to + 96, LITTLE);
    a4.intoMemorySegment(Memory.ALL, to + 128, LITTLE);
    a5.intoMemorySegment(Memory.ALL, to + 160, LITTLE);
    a6.intoMemorySegment(Memory.ALL, to + 192, LITTLE);
    a7.intoMemorySegment(Memory.ALL, to + 224, LITTLE);
  }

  /**
   * Adds what {@link #tile8} made and what the minimums give, times the tokens' factors.
   *
   * @param from the address of what it made of the even groups
   * @param blocks how many super-blocks have minimums: all or none
   * @param minimums the address of a vector of minimums for each of them
   * @param sumsOfX the address of the sums of the tokens' groups
   * @param factors the address of the tokens' factors
   * @param sums the address of a vector of sums for each token
   */
  static void finish8(long from, int blocks, long minimums, long sumsOfX, long factors, long sums) {
    FloatVector m0 = FloatVector.zero(F8);
    FloatVector m1 = FloatVector.zero(F8);
    FloatVector m2 = FloatVector.zero(F8);
    FloatVector m3 = FloatVector.zero(F8);
    FloatVector m4 = FloatVector.zero(F8);
    FloatVector m5 = FloatVector.zero(F8);
    FloatVector m6 = FloatVector.zero(F8);
    FloatVector m7 = FloatVector.zero(F8);
    for (int b = 0; b < blocks; b++) {
      long s = sumsOfX + 256L * b & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(F8, Memory.ALL, minimums + 32L * b & Memory.ANY, LITTLE);
      m0 = m.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE), m0);
      m1 = m.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 32, LITTLE), m1);
      m2 = m.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 64, LITTLE), m2);
      m3 = m.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 96, LITTLE), m3);
      m4 = m.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 128, LITTLE), m4);
      m5 = m.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 160, LITTLE), m5);
      m6 = m.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 192, LITTLE), m6);
      m7 = m.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 224, LITTLE), m7);
    }
    long at = from & Memory.ANY;
    long odd = at + SUMS_BYTES;
    long factor = factors & Memory.ANY;
    long to = sums & Memory.ANY;
    FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
        .add(FloatVector.fromMemorySegment(F8, Memory.ALL, odd, LITTLE))
        .add(m0)
        .fma(
            FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor)),
            FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE))
        .intoMemorySegment(Memory.ALL, to, LITTLE);
    FloatVector.fromMemorySegment(F8, Memory.ALL, at + 32, LITTLE)
        .add(FloatVector.fromMemorySegment(F8, Memory.ALL, odd + 32, LITTLE))
        .add(m1)
        .fma(
            FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 4)),
            FloatVector.fromMemorySegment(F8, Memory.ALL, to + 32, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 32, LITTLE);
    FloatVector.fromMemorySegment(F8, Memory.ALL, at + 64, LITTLE)
        .add(FloatVector.fromMemorySegment(F8, Memory.ALL, odd + 64, LITTLE))
        .add(m2)
        .fma(
            FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 8)),
            FloatVector.fromMemorySegment(F8, Memory.ALL, to + 64, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 64, LITTLE);
    FloatVector.fromMemorySegment(F8, Memory.ALL, at + 96, LITTLE)
        .add(FloatVector.fromMemorySegment(F8, Memory.ALL, odd + 96, LITTLE))
        .add(m3)
        .fma(
            FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 12)),
            FloatVector.fromMemorySegment(F8, Memory.ALL, to + 96, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 96, LITTLE);
    FloatVector.fromMemorySegment(F8, Memory.ALL, at + 128, LITTLE)
        .add(FloatVector.fromMemorySegment(F8, Memory.ALL, odd + 128, LITTLE))
        .add(m4)
        .fma(
            FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 16)),
            FloatVector.fromMemorySegment(F8, Memory.ALL, to + 128, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 128, LITTLE);
    FloatVector.fromMemorySegment(F8, Memory.ALL, at + 160, LITTLE)
        .add(FloatVector.fromMemorySegment(F8, Memory.ALL, odd + 160, LITTLE))
        .add(m5)
        .fma(
            FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 20)),
            FloatVector.fromMemorySegment(F8, Memory.ALL, to + 160, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 160, LITTLE);
    FloatVector.fromMemorySegment(F8, Memory.ALL, at + 192, LITTLE)
        .add(FloatVector.fromMemorySegment(F8, Memory.ALL, odd + 192, LITTLE))
        .add(m6)
        .fma(
            FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 24)),
            FloatVector.fromMemorySegment(F8, Memory.ALL, to + 192, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 192, LITTLE);
    FloatVector.fromMemorySegment(F8, Memory.ALL, at + 224, LITTLE)
        .add(FloatVector.fromMemorySegment(F8, Memory.ALL, odd + 224, LITTLE))
        .add(m7)
        .fma(
            FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 28)),
            FloatVector.fromMemorySegment(F8, Memory.ALL, to + 224, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 224, LITTLE);
  }

  /** The same with four tokens. */
  static void tile4(long w, int blocks, long x, long sums) {
    FloatVector a0 = FloatVector.zero(F8);
    FloatVector a1 = FloatVector.zero(F8);
    FloatVector a2 = FloatVector.zero(F8);
    FloatVector a3 = FloatVector.zero(F8);
    long p = x;
    long q = w;
    long end = w + (long) IntegerRows.BLOCK_BYTES * blocks & Memory.ANY;
    do {
      p &= Memory.ANY;
      q &= Memory.ANY;
      FloatVector scale = FloatVector.fromMemorySegment(F8, Memory.ALL, q, LITTLE);
      IntVector all = IntVector.fromMemorySegment(I8, Memory.ALL, q + IntegerRows.ALL, LITTLE);
      IntVector odd = IntVector.fromMemorySegment(I8, Memory.ALL, q + IntegerRows.ODD, LITTLE);
      a0 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, a0);
      a1 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 64, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 96, LITTLE)))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, a1);
      a2 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 128, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 160, LITTLE)))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, a2);
      a3 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 192, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 224, LITTLE)))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, a3);
      p += STEP * 256;
      q += STEP * IntegerRows.GROUP_BYTES;
    } while ((int) q != (int) end);
    long to = sums & Memory.ANY;
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.intoMemorySegment(Memory.ALL, to + 32, LITTLE);
    a2.intoMemorySegment(Memory.ALL, to + 64, LITTLE);
    a3.intoMemorySegment(Memory.ALL, to + 96, LITTLE);
  }

  /** The same with four tokens. */
  static void finish4(long from, int blocks, long minimums, long sumsOfX, long factors, long sums) {
    FloatVector m0 = FloatVector.zero(F8);
    FloatVector m1 = FloatVector.zero(F8);
    FloatVector m2 = FloatVector.zero(F8);
    FloatVector m3 = FloatVector.zero(F8);
    for (int b = 0; b < blocks; b++) {
      long s = sumsOfX + 128L * b & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(F8, Memory.ALL, minimums + 32L * b & Memory.ANY, LITTLE);
      m0 = m.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE), m0);
      m1 = m.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 32, LITTLE), m1);
      m2 = m.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 64, LITTLE), m2);
      m3 = m.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, s + 96, LITTLE), m3);
    }
    long at = from & Memory.ANY;
    long odd = at + SUMS_BYTES;
    long factor = factors & Memory.ANY;
    long to = sums & Memory.ANY;
    FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
        .add(FloatVector.fromMemorySegment(F8, Memory.ALL, odd, LITTLE))
        .add(m0)
        .fma(
            FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor)),
            FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE))
        .intoMemorySegment(Memory.ALL, to, LITTLE);
    FloatVector.fromMemorySegment(F8, Memory.ALL, at + 32, LITTLE)
        .add(FloatVector.fromMemorySegment(F8, Memory.ALL, odd + 32, LITTLE))
        .add(m1)
        .fma(
            FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 4)),
            FloatVector.fromMemorySegment(F8, Memory.ALL, to + 32, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 32, LITTLE);
    FloatVector.fromMemorySegment(F8, Memory.ALL, at + 64, LITTLE)
        .add(FloatVector.fromMemorySegment(F8, Memory.ALL, odd + 64, LITTLE))
        .add(m2)
        .fma(
            FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 8)),
            FloatVector.fromMemorySegment(F8, Memory.ALL, to + 64, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 64, LITTLE);
    FloatVector.fromMemorySegment(F8, Memory.ALL, at + 96, LITTLE)
        .add(FloatVector.fromMemorySegment(F8, Memory.ALL, odd + 96, LITTLE))
        .add(m3)
        .fma(
            FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor + 12)),
            FloatVector.fromMemorySegment(F8, Memory.ALL, to + 96, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 96, LITTLE);
  }

  /** The same with one token. */
  static void tile1(long w, int blocks, long x, long sums) {
    FloatVector a0 = FloatVector.zero(F8);
    long p = x;
    long q = w;
    long end = w + (long) IntegerRows.BLOCK_BYTES * blocks & Memory.ANY;
    int group = 0;
    do {
      p &= Memory.ANY;
      q &= Memory.ANY;
      FloatVector scale = FloatVector.fromMemorySegment(F8, Memory.ALL, q, LITTLE);
      IntVector all = IntVector.fromMemorySegment(I8, Memory.ALL, q + IntegerRows.ALL, LITTLE);
      IntVector odd = IntVector.fromMemorySegment(I8, Memory.ALL, q + IntegerRows.ODD, LITTLE);
      a0 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(I8, Memory.ALL, p + 32, LITTLE)))
                      .convertShape(VectorOperators.I2F, F8, 0))
              .fma(scale, a0);
      p += STEP * QuantizedTokens.GROUP_BYTES;
      group += STEP;
      if (group % GROUPS == 0) {
        p += QuantizedTokens.SINGLE_BLOCK_BYTES - QuantizedTokens.SINGLE_SUMS;
      }
      q += STEP * IntegerRows.GROUP_BYTES;
    } while ((int) q != (int) end);
    long to = sums & Memory.ANY;
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
  }

  /** The same with one token. */
  static void finish1(long from, int blocks, long minimums, long sumsOfX, long factors, long sums) {
    FloatVector m0 = FloatVector.zero(F8);
    for (int b = 0; b < blocks; b++) {
      long s = sumsOfX + (long) QuantizedTokens.SINGLE_BLOCK_BYTES * b & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(F8, Memory.ALL, minimums + 32L * b & Memory.ANY, LITTLE);
      m0 = m.fma(FloatVector.fromMemorySegment(F8, Memory.ALL, s, LITTLE), m0);
    }
    long at = from & Memory.ANY;
    long odd = at + SUMS_BYTES;
    long factor = factors & Memory.ANY;
    long to = sums & Memory.ANY;
    FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
        .add(FloatVector.fromMemorySegment(F8, Memory.ALL, odd, LITTLE))
        .add(m0)
        .fma(
            FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, factor)),
            FloatVector.fromMemorySegment(F8, Memory.ALL, to, LITTLE))
        .intoMemorySegment(Memory.ALL, to, LITTLE);
  }
}
