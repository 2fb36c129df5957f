package pelican.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import pelican.gguf.GgmlType;

/**
 * Tokens as small integers, as {@link QuantizedTokens}, for {@link WideProducts}: in vectors of 512
 * bits, and with a factor for each block of {@link #BLOCK} values, which costs nothing there.
 *
 * <p>Blocks follow each other, and within a block the tokens, so that a kernel that has unpacked a
 * super-block of weights reads from one end to the other what it multiplies with all tokens. A
 * block of a token is eight vectors of values, of which each two meet the same weights, and for
 * weights with minimums one with the sums of its groups of 32, in the upper lanes, which meet
 * those.
 */
final class WideTokens {
  /** In which order values stand in their vectors: that of the weights in the kernels. */
  enum Order {
    /**
     * Quarters of a vector have halves of groups. The first pair of vectors has the first halves of
     * the even groups, the next of the odd ones, then come the second halves.
     */
    HALVES,

    /** Halves of a vector have a group and the fourth after it. */
    FOURTHS;

    /** The order for weights of a type. */
    static Order of(GgmlType type) {
      return type == GgmlType.Q6_K ? FOURTHS : HALVES;
    }

    /**
     * Where a half of a group begins in the first of its two vectors, in bytes within the block.
     */
    int offset(int group, int half) {
      return switch (this) {
        case HALVES -> 128 * (2 * half + (group & 1)) + 16 * (group >> 1);
        case FOURTHS -> 128 * (group & 3) + 32 * (group >> 2) + 16 * half;
      };
    }
  }

  /** Values that meet a super-block of weights. */
  static final int BLOCK = QuantizedTokens.BLOCK;

  /** Where the vector of sums is. */
  static final int SUMS = 8 * 64;

  /** Bytes of a block of a token with sums. */
  static final int BLOCK_BYTES = SUMS + 64;

  /**
   * Bytes of one without, as Q6_K's are: a long token leaves more of the level 1 cache to others.
   */
  static final int PLAIN_BLOCK_BYTES = SUMS;

  private static final int GROUP = 32;
  private static final int GROUPS = BLOCK / GROUP;

  /** Blocks that a thread quantizes at a time: fewer take less time than sharing them. */
  private static final int GRAIN = 16;

  /** Below this all values of a block are zero: the factor's reciprocal would overflow. */
  private static final float TINY = 1e-30f;

  /** Adding it to a float of at most 2^22 in amount rounds that to an int, in its lowest bits. */
  private static final float ROUND = 0x1.8p23f;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I4 = IntVector.SPECIES_128;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;

  // What stands two lanes on; and which of 16 lanes begin pairs of even values, then of odd ones.
  private static final int[] ORDER = new int[2 * 16];

  /** Where those of the second 16 values go. */
  private static final long SECOND = 0xf0f0;

  static {
    for (int i = 0; i < 16; i++) {
      ORDER[i] = i + 2 & 15;
      ORDER[16 + i] = 4 * (i & 3) + (i >> 3);
    }
  }

  private MemorySegment memory = MemorySegment.NULL;
  private int tokens;
  private int blockBytes;
  private long factors;

  /**
   * Quantizes tokens.
   *
   * @param values [tokens][columns]
   * @param columns a multiple of {@link #BLOCK}
   */
  void set(float[] values, int tokens, int columns, Order order, Workers workers) {
    this.tokens = tokens;
    blockBytes = order == Order.FOURTHS ? PLAIN_BLOCK_BYTES : BLOCK_BYTES;
    int all = Math.multiplyExact(tokens, columns / BLOCK);
    long valueBytes = (long) all * blockBytes;
    long size = valueBytes + (long) all * Float.BYTES;
    if (memory.byteSize() < size) {
      memory = Arena.ofAuto().allocate(size, 64);
    }
    factors = memory.address() + valueBytes;
    workers.run(
        all,
        GRAIN,
        (from, to) -> {
          long scratch = Scratch.ofThread().block();
          for (int i = from; i < to; i++) {
            int token = i % tokens;
            int block = i / tokens;
            int at = token * columns + block * BLOCK;
            float factor = quantize(values, at, order, values(block, token), scratch);
            Memory.ALL.set(Memory.FLOAT, factors(block, token) & Memory.ANY, factor);
          }
        });
  }

  /** The address of a block of a token; that of the next token follows. */
  long values(int block, int token) {
    return memory.address() + blockBytes * ((long) block * tokens + token);
  }

  /** The address of its factor; that of the next token follows. */
  long factors(int block, int token) {
    return factors + Float.BYTES * ((long) block * tokens + token);
  }

  /**
   * Quantizes a block.
   *
   * @return its factor, which is not finite if a value is not
   */
  private static float quantize(float[] values, int from, Order order, long to, long scratch) {
    float max = largest(values, from);
    boolean tiny = max < TINY;
    float scale = tiny ? 0 : QuantizedTokens.LEVELS / max;
    boolean sums = order == Order.HALVES;
    if (sums) {
      FloatVector.zero(F16).intoMemorySegment(Memory.ALL, to + SUMS & Memory.ANY, LITTLE);
    }
    VectorShuffle<Integer> twoOn = IntVector.fromArray(I16, ORDER, 0).toShuffle();
    VectorShuffle<Integer> pairs = IntVector.fromArray(I16, ORDER, 16).toShuffle();
    VectorMask<Integer> second = VectorMask.fromLong(I16, SECOND);
    long kept = scratch & Memory.ANY;
    for (int g = 0; g < GROUPS; g++) {
      IntVector a =
          FloatVector.fromArray(F16, values, from + GROUP * g)
              .mul(scale)
              .add(ROUND)
              .reinterpretAsInts()
              .sub(Float.floatToRawIntBits(ROUND));
      IntVector b =
          FloatVector.fromArray(F16, values, from + GROUP * g + 16)
              .mul(scale)
              .add(ROUND)
              .reinterpretAsInts()
              .sub(Float.floatToRawIntBits(ROUND));
      if (sums) {
        float sum = -0x1p16f * a.add(b).reduceLanes(VectorOperators.ADD);
        Memory.ALL.set(Memory.FLOAT, to + SUMS + 32 + 4L * g & Memory.ANY, sum);
      }
      a.lanewise(VectorOperators.LSHL, 16)
          .add(a.rearrange(twoOn))
          .rearrange(pairs)
          .blend(
              b.lanewise(VectorOperators.LSHL, 16).add(b.rearrange(twoOn)).rearrange(pairs), second)
          .intoMemorySegment(Memory.ALL, kept, LITTLE);
      IntVector.fromMemorySegment(I8, Memory.ALL, kept + 32, LITTLE)
          .sub(
              IntVector.fromMemorySegment(I8, Memory.ALL, kept, LITTLE)
                  .lanewise(VectorOperators.LSHL, 8))
          .intoMemorySegment(Memory.ALL, kept + 32, LITTLE);
      for (int half = 0; half < 2; half++) {
        long at = to + order.offset(g, half) & Memory.ANY;
        long source = kept + 16L * half & Memory.ANY;
        IntVector.fromMemorySegment(I4, Memory.ALL, source, LITTLE)
            .intoMemorySegment(Memory.ALL, at, LITTLE);
        IntVector.fromMemorySegment(I4, Memory.ALL, source + 32, LITTLE)
            .intoMemorySegment(Memory.ALL, at + 64, LITTLE);
      }
    }
    return tiny ? 0 : max / QuantizedTokens.LEVELS;
  }

  /** The largest amount: floats without sign have the order of their bits, NaN above infinity. */
  private static float largest(float[] values, int from) {
    IntVector largest = IntVector.zero(I16);
    for (int i = from; i < from + BLOCK; i += 16) {
      largest =
          FloatVector.fromArray(F16, values, i)
              .reinterpretAsInts()
              .and(Integer.MAX_VALUE)
              .max(largest);
    }
    return Float.intBitsToFloat(largest.reduceLanes(VectorOperators.MAX));
  }
}
