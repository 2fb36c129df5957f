package pelican.quant;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import pelican.engine.PelicanException;
import pelican.gguf.GgmlType;

/**
 * How weights are brought into one ggml type: the inverse of {@link BlockFormat}, whose classes
 * state the layouts. The encoders of quantized types look for the scales of each block that give
 * the least squared error. They have no state; any number of threads may use one.
 */
public abstract class BlockEncoder {
  private static final Map<GgmlType, BlockEncoder> ENCODERS = new EnumMap<>(GgmlType.class);

  static {
    for (BlockEncoder encoder :
        List.of(
            new FloatEncoder(GgmlType.F32),
            new FloatEncoder(GgmlType.F16),
            new FloatEncoder(GgmlType.BF16),
            new Q8_0Encoder(),
            new SymmetricEncoder(GgmlType.Q4_0, 4),
            new SymmetricEncoder(GgmlType.Q5_0, 5),
            new Q5_1Encoder(),
            new AffineKEncoder(GgmlType.Q4_K, 4),
            new AffineKEncoder(GgmlType.Q5_K, 5),
            new Q6KEncoder())) {
      ENCODERS.put(encoder.type, encoder);
    }
  }

  private final GgmlType type;

  BlockEncoder(GgmlType type) {
    this.type = type;
  }

  /** Whether weights can be brought into a type. */
  public static boolean supports(GgmlType type) {
    return ENCODERS.containsKey(type);
  }

  /**
   * The encoder of a type.
   *
   * @throws PelicanException if weights cannot be brought into the type
   */
  public static BlockEncoder of(GgmlType type) {
    BlockEncoder encoder = ENCODERS.get(type);
    if (encoder == null) {
      throw new PelicanException("type " + type + " cannot be written, only " + ENCODERS.keySet());
    }
    return encoder;
  }

  public final GgmlType type() {
    return type;
  }

  /**
   * Encodes finite weights.
   *
   * @param values the weights, from {@code from} on
   * @param count how many, a multiple of the block size
   * @param out gets the blocks, from {@code at} on
   */
  public abstract void encode(float[] values, int from, int count, byte[] out, int at);

  /** The nearest half-precision number of finite size, as bits. */
  static short half(double value) {
    return Float.floatToFloat16((float) Math.clamp(value, -65504.0, 65504.0));
  }

  static void putShort(byte[] out, int at, short value) {
    out[at] = (byte) value;
    out[at + 1] = (byte) (value >>> 8);
  }
}
