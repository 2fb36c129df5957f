package pelican.compare;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Blocks decoded as their formats are defined, one weight at a time, without the engine. */
public final class BlockDefinition {
  private BlockDefinition() {}

  /** What a weight is stored as: {@code scale · integer − min}. */
  public record Weight(int integer, double scale, double min) {
    public double value() {
      return scale * integer - min;
    }
  }

  /** Weights in a block of a type. */
  public static int size(String type) {
    return type.equals("Q8_0") ? 32 : 256;
  }

  /** Bytes of a block of a type. */
  public static int bytes(String type) {
    return switch (type) {
      case "Q8_0" -> 34;
      case "Q4_K" -> 144;
      case "Q6_K" -> 210;
      default -> throw new IllegalArgumentException(type);
    };
  }

  /** Weights that share a scale. */
  public static int groupSize(String type) {
    return type.equals("Q6_K") ? 16 : 32;
  }

  /** The i-th weight of a block. */
  public static Weight weight(String type, byte[] bytes, int i) {
    ByteBuffer block = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    return switch (type) {
      case "Q8_0" -> q8(block, i);
      case "Q4_K" -> q4k(block, i);
      case "Q6_K" -> q6k(block, i);
      default -> throw new IllegalArgumentException(type);
    };
  }

  private static double half(ByteBuffer block, int at) {
    return Float.float16ToFloat(block.getShort(at));
  }

  private static int unsigned(ByteBuffer block, int at) {
    return block.get(at) & 0xff;
  }

  /** 32 weights: half scale, 32 signed bytes. */
  private static Weight q8(ByteBuffer block, int i) {
    return new Weight(block.get(2 + i), half(block, 0), 0);
  }

  /** 256 weights: half d, half dmin, 12 bytes of 6-bit scales and mins, 128 bytes of nibbles. */
  private static Weight q4k(ByteBuffer block, int i) {
    int group = i / 32;
    int scale;
    int min;
    if (group < 4) {
      scale = unsigned(block, 4 + group) & 63;
      min = unsigned(block, 8 + group) & 63;
    } else {
      int low = unsigned(block, 8 + group);
      scale = low & 15 | unsigned(block, group) >> 6 << 4;
      min = low >> 4 | unsigned(block, 4 + group) >> 6 << 4;
    }
    // Each 32 bytes hold two groups: the first in the low nibbles, the second in the high ones.
    int pair = unsigned(block, 16 + group / 2 * 32 + i % 32);
    int integer = group % 2 == 0 ? pair & 15 : pair >> 4;
    return new Weight(integer, half(block, 0) * scale, half(block, 2) * min);
  }

  /** 256 weights: 128 bytes of low nibbles, 64 of high pairs, 16 signed scales, half d. */
  private static Weight q6k(ByteBuffer block, int i) {
    int part = i / 128;
    int row = i % 128 / 32;
    int column = i % 32;
    int low = unsigned(block, part * 64 + row % 2 * 32 + column) >> (row < 2 ? 0 : 4) & 15;
    int high = unsigned(block, 128 + part * 32 + column) >> 2 * row & 3;
    return new Weight((low | high << 4) - 32, half(block, 208) * block.get(192 + i / 16), 0);
  }
}
