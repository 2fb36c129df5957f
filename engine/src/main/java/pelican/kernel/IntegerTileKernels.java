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
  private static final VectorSpecies<Integer> IV =
      Processor.WIDE_INTEGERS ? IntVector.SPECIES_512 : IntVector.SPECIES_256;

  /** The vectors of the sums of a run. */
  static final VectorSpecies<Float> FLOATS =
      Processor.WIDE_INTEGERS ? FloatVector.SPECIES_512 : FloatVector.SPECIES_256;

  private static final VectorSpecies<Float> FV = FLOATS;

  private static final int V = QuantizedTokens.VECTOR_BYTES;

  /** Groups of a super-block, or pairs of them. */
  private static final int GROUPS = QuantizedTokens.BLOCK_BYTES / (2 * V);

  /**
   * A tile takes every second group, the even or the odd ones, since {@link Q4KDot} and {@link
   * Q6KDot} add them up apart: their single sum would wait for itself four cycles for each group.
   */
  static final int STEP = 2;

  /** Room for a tile's sums: those of the odd groups stand so many bytes after the others. */
  static final int SUMS_BYTES = 8 * V;

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
    FloatVector a0 = FloatVector.zero(FV);
    FloatVector a1 = FloatVector.zero(FV);
    FloatVector a2 = FloatVector.zero(FV);
    FloatVector a3 = FloatVector.zero(FV);
    FloatVector a4 = FloatVector.zero(FV);
    FloatVector a5 = FloatVector.zero(FV);
    FloatVector a6 = FloatVector.zero(FV);
    FloatVector a7 = FloatVector.zero(FV);
    long p = x;
    long q = w;
    long end = w + (long) IntegerRows.BLOCK_BYTES * blocks & Memory.ANY;
    do {
      p &= Memory.ANY;
      q &= Memory.ANY;
      FloatVector scale = FloatVector.fromMemorySegment(FV, Memory.ALL, q, LITTLE);
      IntVector all = IntVector.fromMemorySegment(IV, Memory.ALL, q + IntegerRows.ALL, LITTLE);
      IntVector odd = IntVector.fromMemorySegment(IV, Memory.ALL, q + IntegerRows.ODD, LITTLE);
      a0 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + V, LITTLE)))
                      .convertShape(VectorOperators.I2F, FV, 0))
              .fma(scale, a0);
      a1 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 2 * V, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 3 * V, LITTLE)))
                      .convertShape(VectorOperators.I2F, FV, 0))
              .fma(scale, a1);
      a2 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 4 * V, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 5 * V, LITTLE)))
                      .convertShape(VectorOperators.I2F, FV, 0))
              .fma(scale, a2);
      a3 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 6 * V, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 7 * V, LITTLE)))
                      .convertShape(VectorOperators.I2F, FV, 0))
              .fma(scale, a3);
      a4 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 8 * V, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 9 * V, LITTLE)))
                      .convertShape(VectorOperators.I2F, FV, 0))
              .fma(scale, a4);
      a5 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 10 * V, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 11 * V, LITTLE)))
                      .convertShape(VectorOperators.I2F, FV, 0))
              .fma(scale, a5);
      a6 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 12 * V, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 13 * V, LITTLE)))
                      .convertShape(VectorOperators.I2F, FV, 0))
              .fma(scale, a6);
      a7 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 14 * V, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 15 * V, LITTLE)))
                      .convertShape(VectorOperators.I2F, FV, 0))
              .fma(scale, a7);
      p += STEP * 16 * V;
      q += STEP * IntegerRows.VECTORS_BYTES;
    } while ((int) q != (int) end);
    long to = sums & Memory.ANY;
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.intoMemorySegment(Memory.ALL, to + V, LITTLE);
    a2.intoMemorySegment(Memory.ALL, to + 2 * V, LITTLE);
    a3.intoMemorySegment(Memory.ALL, to + 3 * V, LITTLE);
    a4.intoMemorySegment(Memory.ALL, to + 4 * V, LITTLE);
    a5.intoMemorySegment(Memory.ALL, to + 5 * V, LITTLE);
    a6.intoMemorySegment(Memory.ALL, to + 6 * V, LITTLE);
    a7.intoMemorySegment(Memory.ALL, to + 7 * V, LITTLE);
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
    FloatVector m0 = FloatVector.zero(FV);
    FloatVector m1 = FloatVector.zero(FV);
    FloatVector m2 = FloatVector.zero(FV);
    FloatVector m3 = FloatVector.zero(FV);
    FloatVector m4 = FloatVector.zero(FV);
    FloatVector m5 = FloatVector.zero(FV);
    FloatVector m6 = FloatVector.zero(FV);
    FloatVector m7 = FloatVector.zero(FV);
    for (int b = 0; b < blocks; b++) {
      long s = sumsOfX + 8L * V * b & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(
              FV, Memory.ALL, minimums + (long) V * b & Memory.ANY, LITTLE);
      m0 = m.fma(FloatVector.fromMemorySegment(FV, Memory.ALL, s, LITTLE), m0);
      m1 = m.fma(FloatVector.fromMemorySegment(FV, Memory.ALL, s + V, LITTLE), m1);
      m2 = m.fma(FloatVector.fromMemorySegment(FV, Memory.ALL, s + 2 * V, LITTLE), m2);
      m3 = m.fma(FloatVector.fromMemorySegment(FV, Memory.ALL, s + 3 * V, LITTLE), m3);
      m4 = m.fma(FloatVector.fromMemorySegment(FV, Memory.ALL, s + 4 * V, LITTLE), m4);
      m5 = m.fma(FloatVector.fromMemorySegment(FV, Memory.ALL, s + 5 * V, LITTLE), m5);
      m6 = m.fma(FloatVector.fromMemorySegment(FV, Memory.ALL, s + 6 * V, LITTLE), m6);
      m7 = m.fma(FloatVector.fromMemorySegment(FV, Memory.ALL, s + 7 * V, LITTLE), m7);
    }
    long at = from & Memory.ANY;
    long odd = at + SUMS_BYTES;
    long factor = factors & Memory.ANY;
    long to = sums & Memory.ANY;
    FloatVector.fromMemorySegment(FV, Memory.ALL, at, LITTLE)
        .add(FloatVector.fromMemorySegment(FV, Memory.ALL, odd, LITTLE))
        .add(m0)
        .fma(
            FloatVector.broadcast(FV, Memory.ALL.get(Memory.FLOAT, factor)),
            FloatVector.fromMemorySegment(FV, Memory.ALL, to, LITTLE))
        .intoMemorySegment(Memory.ALL, to, LITTLE);
    FloatVector.fromMemorySegment(FV, Memory.ALL, at + V, LITTLE)
        .add(FloatVector.fromMemorySegment(FV, Memory.ALL, odd + V, LITTLE))
        .add(m1)
        .fma(
            FloatVector.broadcast(FV, Memory.ALL.get(Memory.FLOAT, factor + 4)),
            FloatVector.fromMemorySegment(FV, Memory.ALL, to + V, LITTLE))
        .intoMemorySegment(Memory.ALL, to + V, LITTLE);
    FloatVector.fromMemorySegment(FV, Memory.ALL, at + 2 * V, LITTLE)
        .add(FloatVector.fromMemorySegment(FV, Memory.ALL, odd + 2 * V, LITTLE))
        .add(m2)
        .fma(
            FloatVector.broadcast(FV, Memory.ALL.get(Memory.FLOAT, factor + 8)),
            FloatVector.fromMemorySegment(FV, Memory.ALL, to + 2 * V, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 2 * V, LITTLE);
    FloatVector.fromMemorySegment(FV, Memory.ALL, at + 3 * V, LITTLE)
        .add(FloatVector.fromMemorySegment(FV, Memory.ALL, odd + 3 * V, LITTLE))
        .add(m3)
        .fma(
            FloatVector.broadcast(FV, Memory.ALL.get(Memory.FLOAT, factor + 12)),
            FloatVector.fromMemorySegment(FV, Memory.ALL, to + 3 * V, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 3 * V, LITTLE);
    FloatVector.fromMemorySegment(FV, Memory.ALL, at + 4 * V, LITTLE)
        .add(FloatVector.fromMemorySegment(FV, Memory.ALL, odd + 4 * V, LITTLE))
        .add(m4)
        .fma(
            FloatVector.broadcast(FV, Memory.ALL.get(Memory.FLOAT, factor + 16)),
            FloatVector.fromMemorySegment(FV, Memory.ALL, to + 4 * V, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 4 * V, LITTLE);
    FloatVector.fromMemorySegment(FV, Memory.ALL, at + 5 * V, LITTLE)
        .add(FloatVector.fromMemorySegment(FV, Memory.ALL, odd + 5 * V, LITTLE))
        .add(m5)
        .fma(
            FloatVector.broadcast(FV, Memory.ALL.get(Memory.FLOAT, factor + 20)),
            FloatVector.fromMemorySegment(FV, Memory.ALL, to + 5 * V, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 5 * V, LITTLE);
    FloatVector.fromMemorySegment(FV, Memory.ALL, at + 6 * V, LITTLE)
        .add(FloatVector.fromMemorySegment(FV, Memory.ALL, odd + 6 * V, LITTLE))
        .add(m6)
        .fma(
            FloatVector.broadcast(FV, Memory.ALL.get(Memory.FLOAT, factor + 24)),
            FloatVector.fromMemorySegment(FV, Memory.ALL, to + 6 * V, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 6 * V, LITTLE);
    FloatVector.fromMemorySegment(FV, Memory.ALL, at + 7 * V, LITTLE)
        .add(FloatVector.fromMemorySegment(FV, Memory.ALL, odd + 7 * V, LITTLE))
        .add(m7)
        .fma(
            FloatVector.broadcast(FV, Memory.ALL.get(Memory.FLOAT, factor + 28)),
            FloatVector.fromMemorySegment(FV, Memory.ALL, to + 7 * V, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 7 * V, LITTLE);
  }

  /** The same with four tokens. */
  static void tile4(long w, int blocks, long x, long sums) {
    FloatVector a0 = FloatVector.zero(FV);
    FloatVector a1 = FloatVector.zero(FV);
    FloatVector a2 = FloatVector.zero(FV);
    FloatVector a3 = FloatVector.zero(FV);
    long p = x;
    long q = w;
    long end = w + (long) IntegerRows.BLOCK_BYTES * blocks & Memory.ANY;
    do {
      p &= Memory.ANY;
      q &= Memory.ANY;
      FloatVector scale = FloatVector.fromMemorySegment(FV, Memory.ALL, q, LITTLE);
      IntVector all = IntVector.fromMemorySegment(IV, Memory.ALL, q + IntegerRows.ALL, LITTLE);
      IntVector odd = IntVector.fromMemorySegment(IV, Memory.ALL, q + IntegerRows.ODD, LITTLE);
      a0 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + V, LITTLE)))
                      .convertShape(VectorOperators.I2F, FV, 0))
              .fma(scale, a0);
      a1 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 2 * V, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 3 * V, LITTLE)))
                      .convertShape(VectorOperators.I2F, FV, 0))
              .fma(scale, a1);
      a2 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 4 * V, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 5 * V, LITTLE)))
                      .convertShape(VectorOperators.I2F, FV, 0))
              .fma(scale, a2);
      a3 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 6 * V, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + 7 * V, LITTLE)))
                      .convertShape(VectorOperators.I2F, FV, 0))
              .fma(scale, a3);
      p += STEP * 8 * V;
      q += STEP * IntegerRows.VECTORS_BYTES;
    } while ((int) q != (int) end);
    long to = sums & Memory.ANY;
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.intoMemorySegment(Memory.ALL, to + V, LITTLE);
    a2.intoMemorySegment(Memory.ALL, to + 2 * V, LITTLE);
    a3.intoMemorySegment(Memory.ALL, to + 3 * V, LITTLE);
  }

  /** The same with four tokens. */
  static void finish4(long from, int blocks, long minimums, long sumsOfX, long factors, long sums) {
    FloatVector m0 = FloatVector.zero(FV);
    FloatVector m1 = FloatVector.zero(FV);
    FloatVector m2 = FloatVector.zero(FV);
    FloatVector m3 = FloatVector.zero(FV);
    for (int b = 0; b < blocks; b++) {
      long s = sumsOfX + 4L * V * b & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(
              FV, Memory.ALL, minimums + (long) V * b & Memory.ANY, LITTLE);
      m0 = m.fma(FloatVector.fromMemorySegment(FV, Memory.ALL, s, LITTLE), m0);
      m1 = m.fma(FloatVector.fromMemorySegment(FV, Memory.ALL, s + V, LITTLE), m1);
      m2 = m.fma(FloatVector.fromMemorySegment(FV, Memory.ALL, s + 2 * V, LITTLE), m2);
      m3 = m.fma(FloatVector.fromMemorySegment(FV, Memory.ALL, s + 3 * V, LITTLE), m3);
    }
    long at = from & Memory.ANY;
    long odd = at + SUMS_BYTES;
    long factor = factors & Memory.ANY;
    long to = sums & Memory.ANY;
    FloatVector.fromMemorySegment(FV, Memory.ALL, at, LITTLE)
        .add(FloatVector.fromMemorySegment(FV, Memory.ALL, odd, LITTLE))
        .add(m0)
        .fma(
            FloatVector.broadcast(FV, Memory.ALL.get(Memory.FLOAT, factor)),
            FloatVector.fromMemorySegment(FV, Memory.ALL, to, LITTLE))
        .intoMemorySegment(Memory.ALL, to, LITTLE);
    FloatVector.fromMemorySegment(FV, Memory.ALL, at + V, LITTLE)
        .add(FloatVector.fromMemorySegment(FV, Memory.ALL, odd + V, LITTLE))
        .add(m1)
        .fma(
            FloatVector.broadcast(FV, Memory.ALL.get(Memory.FLOAT, factor + 4)),
            FloatVector.fromMemorySegment(FV, Memory.ALL, to + V, LITTLE))
        .intoMemorySegment(Memory.ALL, to + V, LITTLE);
    FloatVector.fromMemorySegment(FV, Memory.ALL, at + 2 * V, LITTLE)
        .add(FloatVector.fromMemorySegment(FV, Memory.ALL, odd + 2 * V, LITTLE))
        .add(m2)
        .fma(
            FloatVector.broadcast(FV, Memory.ALL.get(Memory.FLOAT, factor + 8)),
            FloatVector.fromMemorySegment(FV, Memory.ALL, to + 2 * V, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 2 * V, LITTLE);
    FloatVector.fromMemorySegment(FV, Memory.ALL, at + 3 * V, LITTLE)
        .add(FloatVector.fromMemorySegment(FV, Memory.ALL, odd + 3 * V, LITTLE))
        .add(m3)
        .fma(
            FloatVector.broadcast(FV, Memory.ALL.get(Memory.FLOAT, factor + 12)),
            FloatVector.fromMemorySegment(FV, Memory.ALL, to + 3 * V, LITTLE))
        .intoMemorySegment(Memory.ALL, to + 3 * V, LITTLE);
  }

  /** The same with one token. */
  static void tile1(long w, int blocks, long x, long sums) {
    FloatVector a0 = FloatVector.zero(FV);
    long p = x;
    long q = w;
    long end = w + (long) IntegerRows.BLOCK_BYTES * blocks & Memory.ANY;
    int group = 0;
    do {
      p &= Memory.ANY;
      q &= Memory.ANY;
      FloatVector scale = FloatVector.fromMemorySegment(FV, Memory.ALL, q, LITTLE);
      IntVector all = IntVector.fromMemorySegment(IV, Memory.ALL, q + IntegerRows.ALL, LITTLE);
      IntVector odd = IntVector.fromMemorySegment(IV, Memory.ALL, q + IntegerRows.ODD, LITTLE);
      a0 =
          ((FloatVector)
                  all.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p, LITTLE))
                      .add(odd.mul(IntVector.fromMemorySegment(IV, Memory.ALL, p + V, LITTLE)))
                      .convertShape(VectorOperators.I2F, FV, 0))
              .fma(scale, a0);
      p += STEP * 2 * V;
      group += STEP;
      if (group % GROUPS == 0) {
        p += QuantizedTokens.SINGLE_BLOCK_BYTES - QuantizedTokens.BLOCK_BYTES;
      }
      q += STEP * IntegerRows.VECTORS_BYTES;
    } while ((int) q != (int) end);
    long to = sums & Memory.ANY;
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
  }

  /** The same with one token. */
  static void finish1(long from, int blocks, long minimums, long sumsOfX, long factors, long sums) {
    FloatVector m0 = FloatVector.zero(FV);
    for (int b = 0; b < blocks; b++) {
      long s = sumsOfX + (long) QuantizedTokens.SINGLE_BLOCK_BYTES * b & Memory.ANY;
      FloatVector m =
          FloatVector.fromMemorySegment(
              FV, Memory.ALL, minimums + (long) V * b & Memory.ANY, LITTLE);
      m0 = m.fma(FloatVector.fromMemorySegment(FV, Memory.ALL, s, LITTLE), m0);
    }
    long at = from & Memory.ANY;
    long odd = at + SUMS_BYTES;
    long factor = factors & Memory.ANY;
    long to = sums & Memory.ANY;
    FloatVector.fromMemorySegment(FV, Memory.ALL, at, LITTLE)
        .add(FloatVector.fromMemorySegment(FV, Memory.ALL, odd, LITTLE))
        .add(m0)
        .fma(
            FloatVector.broadcast(FV, Memory.ALL.get(Memory.FLOAT, factor)),
            FloatVector.fromMemorySegment(FV, Memory.ALL, to, LITTLE))
        .intoMemorySegment(Memory.ALL, to, LITTLE);
  }
}
