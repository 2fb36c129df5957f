package pelican.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import pelican.engine.PelicanException;
import pelican.gguf.GgmlType;

/**
 * How one ggml type stores weights. The methods here are plain loops: they are the specification
 * that the vector kernels are tested against.
 */
public abstract class BlockFormat {
  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final Map<GgmlType, BlockFormat> FORMATS = new EnumMap<>(GgmlType.class);

  static {
    for (BlockFormat format :
        List.of(
            new F32(),
            new F16(),
            new Bf16(),
            new Q8_0(),
            new Q4_0(),
            new Q4_1(),
            new Q5_0(),
            new Q5_1(),
            new Q2K(),
            new Q3K(),
            new Q4K(),
            new Q5K(),
            new Q6K(),
            new Iq4Nl(),
            new Iq4Xs())) {
      FORMATS.put(format.type, format);
    }
  }

  private final GgmlType type;

  BlockFormat(GgmlType type) {
    this.type = type;
  }

  /** Whether weights of a type can be decoded. */
  public static boolean supports(GgmlType type) {
    return FORMATS.containsKey(type);
  }

  /**
   * The format of a type.
   *
   * @throws PelicanException if weights of the type cannot be decoded
   */
  public static BlockFormat of(GgmlType type) {
    BlockFormat format = FORMATS.get(type);
    if (format == null) {
      throw new PelicanException("type " + type + " is not supported, only " + FORMATS.keySet());
    }
    return format;
  }

  public final GgmlType type() {
    return type;
  }

  /** Weights in a block. */
  public final int blockSize() {
    return type.blockSize();
  }

  /** Bytes of a block. */
  public final int blockBytes() {
    return type.blockBytes();
  }

  /**
   * Decodes weights.
   *
   * @param source holds the blocks, from byte {@code offset} on
   * @param count how many weights, a multiple of the block size
   */
  public abstract void dequantize(
      MemorySegment source, long offset, float[] destination, int destinationOffset, int count);

  /**
   * The dot product of weights with a vector: {@code Σ_i w[i]·x[i]}, summed in double precision.
   *
   * @param count how many weights, a multiple of the block size
   */
  public final float dot(MemorySegment source, long offset, float[] x, int xOffset, int count) {
    int size = blockSize();
    float[] block = new float[size];
    double sum = 0;
    for (int i = 0; i < count; i += size) {
      dequantize(source, offset + (long) (i / size) * blockBytes(), block, 0, size);
      for (int j = 0; j < size; j++) {
        sum += (double) block[j] * x[xOffset + i + j];
      }
    }
    return (float) sum;
  }

  static float half(MemorySegment source, long offset) {
    return Float.float16ToFloat(source.get(SHORT, offset));
  }

  static int unsigned(MemorySegment source, long offset) {
    return source.get(ValueLayout.JAVA_BYTE, offset) & 0xff;
  }
}
