package pelican.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import pelican.gguf.GgmlType;
import pelican.kernel.Matrix;
import pelican.quant.BlockFormat;

/**
 * Matrices of random weights, one after the other in memory outside the heap as in a model's file.
 * Nothing is said of the weights' size but that they are numbers.
 */
final class RandomMatrices {
  /** Random bytes are repeated after so many blocks: speed does not depend on what they are. */
  private static final int PATTERN_BLOCKS = 1 << 12;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private RandomMatrices() {}

  /** The bytes of one matrix. */
  static long bytes(GgmlType type, int rows, int columns) {
    return type.bytes((long) rows * columns);
  }

  /**
   * @param arena what the weights live in
   * @param count how many matrices
   */
  static Matrix[] create(Arena arena, GgmlType type, int rows, int columns, int count) {
    long size = bytes(type, rows, columns);
    MemorySegment all = arena.allocate(Math.multiplyExact(size, (long) count), 4096);
    fill(all, type);
    Matrix[] matrices = new Matrix[count];
    for (int i = 0; i < count; i++) {
      MemorySegment data = all.asSlice(i * size, size);
      matrices[i] = new Matrix("random " + i, BlockFormat.of(type), rows, columns, data);
    }
    return matrices;
  }

  private static void fill(MemorySegment all, GgmlType type) {
    int block = type.blockBytes();
    byte[] noise = new byte[(int) Math.min(all.byteSize(), (long) PATTERN_BLOCKS * block)];
    SplittableRandom random = new SplittableRandom(1);
    random.nextBytes(noise);
    MemorySegment pattern = MemorySegment.ofArray(noise);
    for (int at = 0; at < noise.length; at += block) {
      switch (type) {
        case F32 -> pattern.set(INT, at, Float.floatToIntBits(uniform(random)));
        case BF16 -> pattern.set(SHORT, at, (short) (Float.floatToIntBits(uniform(random)) >>> 16));
        default -> {
          for (int offset : halfOffsets(type)) {
            pattern.set(SHORT, at + offset, Float.floatToFloat16(uniform(random)));
          }
        }
      }
    }
    for (long at = 0; at < all.byteSize(); at += noise.length) {
      long size = Math.min(noise.length, all.byteSize() - at);
      MemorySegment.copy(pattern, 0, all, at, size);
    }
  }

  private static float uniform(SplittableRandom random) {
    return (float) random.nextDouble(-0.1, 0.1);
  }

  /** Where a block has half-precision numbers; random bits there would not all be numbers. */
  private static int[] halfOffsets(GgmlType type) {
    return switch (type) {
      case F16, Q8_0, Q4_0, Q5_0, IQ4_NL, IQ4_XS -> new int[] {0};
      case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
      case Q2_K -> new int[] {80, 82};
      case Q3_K -> new int[] {108};
      case Q6_K -> new int[] {208};
      default -> throw new IllegalArgumentException("type " + type + " is not supported");
    };
  }
}
