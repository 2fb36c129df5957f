package pelican.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Tokens as small integers, for products that are computed with integers: for each {@link #RUN}
 * values of a token one factor, the largest of them by {@link #LEVELS}, and the values as multiples
 * of it, rounded to nearest.
 *
 * <p>What multiplies four values with four weights is one multiplication of ints for two of them.
 * With weights u0, u1 and values a0, a1 the product of {@code u0 + u1·2^16} and {@code a0·2^16 +
 * a1} is, modulo 2^32, {@code (u0·a0 + u1·a1)·2^16 + u0·a1}: its upper half is a dot product, and
 * its lower half at most a quarter of one unit of that. The Vector API has no instruction that
 * multiplies shorts and adds pairs ({@code vpmaddwd}); this one takes its place. Four products of a
 * weight below 32 in amount with a value up to 255 are below 2^15, so two multiplications can be
 * added before the upper half overflows.
 *
 * <p>Values stand where the bytes of weights are that meet them: of a group of 32, lane i of the
 * first vector holds the values 4i and 4i + 2, which meet the even bytes of an int of weights. It
 * is multiplied with the int as a whole, which saves a mask; what the odd bytes add is the product
 * of them alone, moved to even places, with 2^8 times the first vector. So the second vector, which
 * meets those, holds the values 4i + 1 and 4i + 3 less 2^8 times the first. All that is exact
 * modulo 2^32. Of a token that is a tile of its own the sums of groups, which others have
 * elsewhere, stand behind the values of each block, so that one address leads to both. Behind them
 * stands a third vector for each group: what 32 weights of 32 would give, for formats that take 32
 * off each weight. Others leave those lines alone: a long token has to leave room for weights in
 * the level 1 cache, or they come from memory by a third more slowly.
 *
 * <p>The tokens of a tile ({@link #tile}) stand together, vector by vector, so that a kernel reads
 * them from one end to the other.
 */
final class QuantizedTokens {
  /** Values that meet a super-block of weights. */
  static final int BLOCK = 256;

  /** Blocks that have a factor in common; at a row's end there may be fewer. */
  static final int RUN_BLOCKS = 4;

  /** Values that have a factor in common. */
  static final int RUN = RUN_BLOCKS * BLOCK;

  /** The largest value. */
  static final int LEVELS = 255;

  /** Values that stand together, and the bytes that they take. */
  static final int GROUP = 32;

  /** Bytes of the values of a group. */
  static final int GROUP_BYTES = 64;

  /** Where a block's sums are, of a token that is a tile of its own: behind its values. */
  static final int SINGLE_SUMS = BLOCK / GROUP * GROUP_BYTES;

  /** Where its third vectors are: behind the sums. */
  static final int SINGLE_THIRDS = SINGLE_SUMS + BLOCK / GROUP * Float.BYTES;

  /** Bytes of a block of such a token. */
  static final int SINGLE_BLOCK_BYTES = SINGLE_THIRDS + BLOCK / GROUP * 32;

  /** Up to so many tokens are tiles of their own, where they are not to be multiplied as others. */
  static final int MAX_SINGLE = 2;

  /** Below this all values of a run are zero: the factor's reciprocal would overflow. */
  private static final float TINY = 1e-30f;

  /** Adding it to a float of at most 2^22 in amount rounds that to an int, in its lowest bits. */
  private static final float ROUND = 0x1.8p23f;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  private MemorySegment memory = MemorySegment.NULL;
  private int tokens;
  private int columns;
  private boolean single;
  private long sums;
  private long factors;

  /** How many of the tokens that are left the next tile takes, the last with some of zeros. */
  int tile(int left) {
    if (single) {
      return 1;
    }
    return left > 4 ? 8 : 4;
  }

  /**
   * Quantizes tokens.
   *
   * @param values [tokens][columns]
   * @param columns a multiple of {@link #BLOCK}
   * @param single whether each is a tile of its own
   */
  void set(float[] values, int tokens, int columns, boolean single, Workers workers) {
    this.tokens = tokens;
    this.columns = columns;
    this.single = single;
    int padded = single ? tokens : tokens + 7 & -8;
    long all = Math.multiplyExact((long) padded, columns);
    long valueBytes =
        single ? all / BLOCK * SINGLE_BLOCK_BYTES : Math.multiplyExact(all / GROUP, GROUP_BYTES);
    // for each value an eighth of a byte for sums that stand apart, a 64th for factors
    long size = valueBytes + all / 8 + all / 64;
    if (memory.byteSize() < size) {
      memory = Arena.ofAuto().allocate(size, 64);
    }
    sums = memory.address() + valueBytes;
    factors = sums + all / 8;
    int step = single ? 1 : 8;
    workers.run(
        (tokens + step - 1) / step,
        1,
        (from, to) -> {
          long block = Scratch.ofThread().block();
          for (int first = step * from; first < Math.min(step * to, tokens); first += step) {
            int tile = tile(tokens - first);
            for (int t = 0; t < tile; t++) {
              quantize(values, first, t, tile, block);
            }
          }
        });
  }

  /**
   * The address of the values of a tile, from a column on.
   *
   * @param first the tile's first token
   * @param column a multiple of {@link #GROUP}
   */
  long values(int first, int tile, int column) {
    if (single) {
      return memory.address()
          + ((long) first * columns + column) / BLOCK * SINGLE_BLOCK_BYTES
          + column % BLOCK / GROUP * GROUP_BYTES;
    }
    return memory.address() + ((long) first * columns + (long) tile * column) / GROUP * GROUP_BYTES;
  }

  /**
   * The address of the sums of a tile's groups, from a column on: for each block and each token in
   * turn those of eight groups, which meet the minimums of a super-block. They are negative, since
   * minimums are taken off.
   *
   * @param column a multiple of {@link #BLOCK}
   */
  long sums(int first, int tile, int column) {
    if (single) {
      return values(first, tile, column) + SINGLE_SUMS;
    }
    return sums + ((long) first * columns + (long) tile * column) / GROUP * Float.BYTES;
  }

  /**
   * The address of the factors of a tile, from a column on: for each run a float for each token.
   *
   * @param column a multiple of {@link #RUN}
   */
  long factors(int first, int tile, int column) {
    return factors + Float.BYTES * ((long) first * runs(columns) + (long) tile * (column / RUN));
  }

  /** The runs of so many values. */
  static int runs(int columns) {
    return (columns + RUN - 1) / RUN;
  }

  private void quantize(float[] values, int first, int t, int tile, long block) {
    int token = first + t;
    for (int column = 0; column < columns; column += RUN) {
      int count = Math.min(RUN, columns - column);
      float factor = 0;
      if (token < tokens) {
        factor = round(values, token * columns + column, count, block);
      } else {
        clear(block, count);
      }
      Memory.ALL.set(Memory.FLOAT, factors(first, tile, column) + 4L * t & Memory.ANY, factor);
      for (int g = 0; g < count / GROUP; g++) {
        long at = values(first, tile, column + GROUP * g) + (long) GROUP_BYTES * t;
        int sum = group(block + 4L * GROUP * g, at);
        int inBlock = g % (BLOCK / GROUP);
        long sumAt = sums(first, tile, column + GROUP * (g - inBlock));
        sumAt = sumAt + 32L * t + 4L * inBlock & Memory.ANY;
        Memory.ALL.set(Memory.FLOAT, sumAt, -0x1p16f * sum);
        if (single) {
          third(at, at + SINGLE_THIRDS - 32L * inBlock);
        }
      }
    }
  }

  /**
   * What a token's values are worth once they are quantized.
   *
   * @param offset where they are in both arrays
   * @param columns how many, a multiple of {@link #BLOCK}
   */
  static void round(float[] values, int offset, int columns, float[] rounded) {
    for (int from = offset; from < offset + columns; from += RUN) {
      int end = Math.min(from + RUN, offset + columns);
      float max = largest(values, from, end);
      float scale = max < TINY ? 0 : LEVELS / max;
      float factor = max < TINY ? 0 : max / LEVELS;
      for (int i = from; i < end; i += 8) {
        FloatVector.fromArray(F8, values, i)
            .mul(scale)
            .add(ROUND)
            .sub(ROUND)
            .mul(factor)
            .intoArray(rounded, i);
      }
    }
  }

  /** The largest amount: floats without sign have the order of their bits, NaN above infinity. */
  private static float largest(float[] values, int from, int to) {
    IntVector largest = IntVector.zero(I8);
    for (int i = from; i < to; i += 8) {
      largest =
          FloatVector.fromArray(F8, values, i)
              .reinterpretAsInts()
              .and(Integer.MAX_VALUE)
              .max(largest);
    }
    return Float.intBitsToFloat(largest.reduceLanes(VectorOperators.MAX));
  }

  /**
   * Rounds a run to multiples of its factor, which is returned. What is not finite makes the factor
   * so too.
   */
  private static float round(float[] values, int from, int count, long block) {
    float max = largest(values, from, from + count);
    if (max < TINY) {
      clear(block, count);
      return 0;
    }
    float scale = LEVELS / max;
    for (int i = 0; i < count; i += 8) {
      FloatVector.fromArray(F8, values, from + i)
          .mul(scale)
          .add(ROUND)
          .reinterpretAsInts()
          .sub(Float.floatToRawIntBits(ROUND))
          .intoMemorySegment(Memory.ALL, block + 4L * i & Memory.ANY, LITTLE);
    }
    return max / LEVELS;
  }

  private static void clear(long block, int count) {
    for (int i = 0; i < count; i++) {
      Memory.ALL.set(Memory.INT, block + 4L * i & Memory.ANY, 0);
    }
  }

  /** Writes the first two vectors of a group of values; returns their sum. */
  private static int group(long from, long to) {
    int sum = 0;
    for (int i = 0; i < 8; i++) {
      long at = from + 16L * i & Memory.ANY;
      long target = to + 4L * i & Memory.ANY;
      int a = Memory.ALL.get(Memory.INT, at);
      int b = Memory.ALL.get(Memory.INT, at + 4);
      int c = Memory.ALL.get(Memory.INT, at + 8);
      int d = Memory.ALL.get(Memory.INT, at + 12);
      sum += a + b + c + d;
      int even = (a << 16) + c;
      Memory.ALL.set(Memory.INT, target, even);
      Memory.ALL.set(Memory.INT, target + 32, (b << 16) + d - (even << 8));
    }
    return sum;
  }

  /** Writes the third vector of a group. */
  private static void third(long group, long to) {
    for (int i = 0; i < 8; i++) {
      long at = group + 4L * i & Memory.ANY;
      int even = Memory.ALL.get(Memory.INT, at);
      int odd = Memory.ALL.get(Memory.INT, at + 32) + (even << 8);
      Memory.ALL.set(Memory.INT, to + 4L * i & Memory.ANY, (even + odd) * 0x00200020);
    }
  }
}
