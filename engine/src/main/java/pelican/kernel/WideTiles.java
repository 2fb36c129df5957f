package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products of a block of several tokens with a super-block of each of some rows, which was unpacked
 * for it: its weights stay in registers for all tokens. Where there are registers enough, those of
 * two rows do, for which each of a token's vectors is read once.
 *
 * <p>The operations of each sum are those of {@link WideQ4K#dot} and the others, in the same order.
 * The tokens' loop runs on pointers until they meet its end: see {@link IntegerTileKernels}.
 */
final class WideTiles {
  /** Where the scales of an unpacked super-block are: behind eight vectors of weights. */
  static final int SCALES = 8 * 64;

  /** Where its minimums are, behind the scales of up to four vectors of sums of products. */
  static final int MINIMUMS = SCALES + 4 * 64;

  /** Bytes of an unpacked super-block. */
  static final int ROW_BYTES = MINIMUMS + 64;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;

  private WideTiles() {}

  /**
   * With weights of four bits and minimums: see {@link WideQ4K}.
   *
   * @param weights the address of the first row's weights
   * @param rows how many; to an odd number comes one whose sums are worth nothing
   * @param values the address of the first token's block
   * @param factors the address of its factor
   * @param sums the address of a sum for each token, for each row in turn; what is there is added
   *     to
   */
  static void nibbles(long weights, int rows, long values, long factors, int tokens, long sums) {
    long end = values + (long) WideTokens.BLOCK_BYTES * tokens & Memory.ANY;
    for (int row = 0; row < rows; row += 2) {
      long w = weights + (long) ROW_BYTES * row & Memory.ANY;
      long next = w + ROW_BYTES;
      IntVector a0 = IntVector.fromMemorySegment(I16, Memory.ALL, w, LITTLE);
      IntVector oddA0 = IntVector.fromMemorySegment(I16, Memory.ALL, w + 64, LITTLE);
      IntVector b0 = IntVector.fromMemorySegment(I16, Memory.ALL, w + 128, LITTLE);
      IntVector oddB0 = IntVector.fromMemorySegment(I16, Memory.ALL, w + 192, LITTLE);
      IntVector c0 = IntVector.fromMemorySegment(I16, Memory.ALL, w + 256, LITTLE);
      IntVector oddC0 = IntVector.fromMemorySegment(I16, Memory.ALL, w + 320, LITTLE);
      IntVector e0 = IntVector.fromMemorySegment(I16, Memory.ALL, w + 384, LITTLE);
      IntVector oddE0 = IntVector.fromMemorySegment(I16, Memory.ALL, w + 448, LITTLE);
      FloatVector scaleA0 = FloatVector.fromMemorySegment(F16, Memory.ALL, w + SCALES, LITTLE);
      FloatVector scaleB0 = FloatVector.fromMemorySegment(F16, Memory.ALL, w + SCALES + 64, LITTLE);
      FloatVector minimums0 = FloatVector.fromMemorySegment(F16, Memory.ALL, w + MINIMUMS, LITTLE);
      IntVector a1 = IntVector.fromMemorySegment(I16, Memory.ALL, next, LITTLE);
      IntVector oddA1 = IntVector.fromMemorySegment(I16, Memory.ALL, next + 64, LITTLE);
      IntVector b1 = IntVector.fromMemorySegment(I16, Memory.ALL, next + 128, LITTLE);
      IntVector oddB1 = IntVector.fromMemorySegment(I16, Memory.ALL, next + 192, LITTLE);
      IntVector c1 = IntVector.fromMemorySegment(I16, Memory.ALL, next + 256, LITTLE);
      IntVector oddC1 = IntVector.fromMemorySegment(I16, Memory.ALL, next + 320, LITTLE);
      IntVector e1 = IntVector.fromMemorySegment(I16, Memory.ALL, next + 384, LITTLE);
      IntVector oddE1 = IntVector.fromMemorySegment(I16, Memory.ALL, next + 448, LITTLE);
      FloatVector scaleA1 = FloatVector.fromMemorySegment(F16, Memory.ALL, next + SCALES, LITTLE);
      FloatVector scaleB1 =
          FloatVector.fromMemorySegment(F16, Memory.ALL, next + SCALES + 64, LITTLE);
      FloatVector minimums1 =
          FloatVector.fromMemorySegment(F16, Memory.ALL, next + MINIMUMS, LITTLE);
      long p = values;
      long f = factors;
      long s = sums + (long) WideSums.BYTES * tokens * row;
      long distance = (long) WideSums.BYTES * tokens;
      do {
        p &= Memory.ANY;
        f &= Memory.ANY;
        s &= Memory.ANY;
        long s1 = s + distance & Memory.ANY;
        FloatVector groups =
            FloatVector.fromMemorySegment(F16, Memory.ALL, p + WideTokens.SUMS, LITTLE);
        FloatVector v0 = minimums0.mul(groups);
        FloatVector v1 = minimums1.mul(groups);
        IntVector x = IntVector.fromMemorySegment(I16, Memory.ALL, p, LITTLE);
        IntVector y = IntVector.fromMemorySegment(I16, Memory.ALL, p + 64, LITTLE);
        IntVector t0 = a0.mul(x).add(oddA0.mul(y));
        IntVector t1 = a1.mul(x).add(oddA1.mul(y));
        x = IntVector.fromMemorySegment(I16, Memory.ALL, p + 256, LITTLE);
        y = IntVector.fromMemorySegment(I16, Memory.ALL, p + 320, LITTLE);
        t0 = t0.add(c0.mul(x).add(oddC0.mul(y)));
        t1 = t1.add(c1.mul(x).add(oddC1.mul(y)));
        v0 = ((FloatVector) t0.convertShape(VectorOperators.I2F, F16, 0)).fma(scaleA0, v0);
        v1 = ((FloatVector) t1.convertShape(VectorOperators.I2F, F16, 0)).fma(scaleA1, v1);
        x = IntVector.fromMemorySegment(I16, Memory.ALL, p + 128, LITTLE);
        y = IntVector.fromMemorySegment(I16, Memory.ALL, p + 192, LITTLE);
        t0 = b0.mul(x).add(oddB0.mul(y));
        t1 = b1.mul(x).add(oddB1.mul(y));
        x = IntVector.fromMemorySegment(I16, Memory.ALL, p + 384, LITTLE);
        y = IntVector.fromMemorySegment(I16, Memory.ALL, p + 448, LITTLE);
        t0 = t0.add(e0.mul(x).add(oddE0.mul(y)));
        t1 = t1.add(e1.mul(x).add(oddE1.mul(y)));
        v0 = ((FloatVector) t0.convertShape(VectorOperators.I2F, F16, 0)).fma(scaleB0, v0);
        v1 = ((FloatVector) t1.convertShape(VectorOperators.I2F, F16, 0)).fma(scaleB1, v1);
        FloatVector factor = FloatVector.broadcast(F16, Memory.ALL.get(Memory.FLOAT, f));
        v0.fma(factor, FloatVector.fromMemorySegment(F16, Memory.ALL, s, LITTLE))
            .intoMemorySegment(Memory.ALL, s, LITTLE);
        v1.fma(factor, FloatVector.fromMemorySegment(F16, Memory.ALL, s1, LITTLE))
            .intoMemorySegment(Memory.ALL, s1, LITTLE);
        p += WideTokens.BLOCK_BYTES;
        f += Float.BYTES;
        s += WideSums.BYTES;
      } while ((int) p != (int) end);
    }
  }

  /**
   * With weights of five bits and minimums: see {@link WideQ5K}.
   *
   * @param weights the address of the first row's weights
   * @param rows how many; to an odd number comes one whose sums are worth nothing
   * @param values the address of the first token's block
   * @param factors the address of its factor
   * @param sums the address of a sum for each token, for each row in turn; what is there is added
   *     to
   */
  static void fiveBits(long weights, int rows, long values, long factors, int tokens, long sums) {
    long end = values + (long) WideTokens.BLOCK_BYTES * tokens & Memory.ANY;
    long s = sums;
    for (int row = 0; row < rows; row++) {
      long w = weights + (long) ROW_BYTES * row & Memory.ANY;
      IntVector a = IntVector.fromMemorySegment(I16, Memory.ALL, w, LITTLE);
      IntVector oddA = IntVector.fromMemorySegment(I16, Memory.ALL, w + 64, LITTLE);
      IntVector b = IntVector.fromMemorySegment(I16, Memory.ALL, w + 128, LITTLE);
      IntVector oddB = IntVector.fromMemorySegment(I16, Memory.ALL, w + 192, LITTLE);
      IntVector c = IntVector.fromMemorySegment(I16, Memory.ALL, w + 256, LITTLE);
      IntVector oddC = IntVector.fromMemorySegment(I16, Memory.ALL, w + 320, LITTLE);
      IntVector e = IntVector.fromMemorySegment(I16, Memory.ALL, w + 384, LITTLE);
      IntVector oddE = IntVector.fromMemorySegment(I16, Memory.ALL, w + 448, LITTLE);
      FloatVector scaleA = FloatVector.fromMemorySegment(F16, Memory.ALL, w + SCALES, LITTLE);
      FloatVector scaleB = FloatVector.fromMemorySegment(F16, Memory.ALL, w + SCALES + 64, LITTLE);
      FloatVector minimums = FloatVector.fromMemorySegment(F16, Memory.ALL, w + MINIMUMS, LITTLE);
      long p = values;
      long f = factors;
      do {
        p &= Memory.ANY;
        f &= Memory.ANY;
        s &= Memory.ANY;
        FloatVector v =
            minimums.mul(
                FloatVector.fromMemorySegment(F16, Memory.ALL, p + WideTokens.SUMS, LITTLE));
        v =
            ((FloatVector)
                    a.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p, LITTLE))
                        .add(oddA.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 64, LITTLE)))
                        .convertShape(VectorOperators.I2F, F16, 0))
                .fma(scaleA, v);
        v =
            ((FloatVector)
                    b.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 128, LITTLE))
                        .add(
                            oddB.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 192, LITTLE)))
                        .convertShape(VectorOperators.I2F, F16, 0))
                .fma(scaleB, v);
        v =
            ((FloatVector)
                    c.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 256, LITTLE))
                        .add(
                            oddC.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 320, LITTLE)))
                        .convertShape(VectorOperators.I2F, F16, 0))
                .fma(scaleA, v);
        v =
            ((FloatVector)
                    e.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 384, LITTLE))
                        .add(
                            oddE.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 448, LITTLE)))
                        .convertShape(VectorOperators.I2F, F16, 0))
                .fma(scaleB, v);
        v.fma(
                FloatVector.broadcast(F16, Memory.ALL.get(Memory.FLOAT, f)),
                FloatVector.fromMemorySegment(F16, Memory.ALL, s, LITTLE))
            .intoMemorySegment(Memory.ALL, s, LITTLE);
        p += WideTokens.BLOCK_BYTES;
        f += Float.BYTES;
        s += WideSums.BYTES;
      } while ((int) p != (int) end);
    }
  }

  /**
   * With weights of six bits: see {@link WideQ6K}.
   *
   * @param weights the address of the first row's weights
   * @param rows how many
   * @param values the address of the first token's block
   * @param factors the address of its factor
   * @param sums the address of a sum for each token, for each row in turn; what is there is added
   *     to
   */
  static void sixBits(long weights, int rows, long values, long factors, int tokens, long sums) {
    long end = values + (long) WideTokens.PLAIN_BLOCK_BYTES * tokens & Memory.ANY;
    long s = sums;
    for (int row = 0; row < rows; row++) {
      long w = weights + (long) ROW_BYTES * row & Memory.ANY;
      IntVector a = IntVector.fromMemorySegment(I16, Memory.ALL, w, LITTLE);
      IntVector oddA = IntVector.fromMemorySegment(I16, Memory.ALL, w + 64, LITTLE);
      IntVector b = IntVector.fromMemorySegment(I16, Memory.ALL, w + 128, LITTLE);
      IntVector oddB = IntVector.fromMemorySegment(I16, Memory.ALL, w + 192, LITTLE);
      IntVector c = IntVector.fromMemorySegment(I16, Memory.ALL, w + 256, LITTLE);
      IntVector oddC = IntVector.fromMemorySegment(I16, Memory.ALL, w + 320, LITTLE);
      IntVector e = IntVector.fromMemorySegment(I16, Memory.ALL, w + 384, LITTLE);
      IntVector oddE = IntVector.fromMemorySegment(I16, Memory.ALL, w + 448, LITTLE);
      FloatVector scaleA = FloatVector.fromMemorySegment(F16, Memory.ALL, w + SCALES, LITTLE);
      FloatVector scaleB = FloatVector.fromMemorySegment(F16, Memory.ALL, w + SCALES + 64, LITTLE);
      FloatVector scaleC = FloatVector.fromMemorySegment(F16, Memory.ALL, w + SCALES + 128, LITTLE);
      FloatVector scaleE = FloatVector.fromMemorySegment(F16, Memory.ALL, w + SCALES + 192, LITTLE);
      long p = values;
      long f = factors;
      do {
        p &= Memory.ANY;
        f &= Memory.ANY;
        s &= Memory.ANY;
        FloatVector v =
            ((FloatVector)
                    a.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p, LITTLE))
                        .add(oddA.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 64, LITTLE)))
                        .convertShape(VectorOperators.I2F, F16, 0))
                .mul(scaleA);
        v =
            ((FloatVector)
                    b.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 128, LITTLE))
                        .add(
                            oddB.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 192, LITTLE)))
                        .convertShape(VectorOperators.I2F, F16, 0))
                .fma(scaleB, v);
        v =
            ((FloatVector)
                    c.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 256, LITTLE))
                        .add(
                            oddC.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 320, LITTLE)))
                        .convertShape(VectorOperators.I2F, F16, 0))
                .fma(scaleC, v);
        v =
            ((FloatVector)
                    e.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 384, LITTLE))
                        .add(
                            oddE.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 448, LITTLE)))
                        .convertShape(VectorOperators.I2F, F16, 0))
                .fma(scaleE, v);
        v.fma(
                FloatVector.broadcast(F16, Memory.ALL.get(Memory.FLOAT, f)),
                FloatVector.fromMemorySegment(F16, Memory.ALL, s, LITTLE))
            .intoMemorySegment(Memory.ALL, s, LITTLE);
        p += WideTokens.PLAIN_BLOCK_BYTES;
        f += Float.BYTES;
        s += WideSums.BYTES;
      } while ((int) p != (int) end);
    }
  }
}
