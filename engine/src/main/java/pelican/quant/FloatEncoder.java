package pelican.quant;

import pelican.gguf.GgmlType;

/** F32, F16 and BF16: each weight is rounded to the nearest number, ties to even. */
final class FloatEncoder extends BlockEncoder {
  FloatEncoder(GgmlType type) {
    super(type);
  }

  @Override
  public void encode(float[] values, int from, int count, byte[] out, int at) {
    for (int i = 0; i < count; i++) {
      float value = values[from + i];
      switch (type()) {
        case F16 -> putShort(out, at + 2 * i, Float.floatToFloat16(value));
        case BF16 -> putShort(out, at + 2 * i, brainFloat(value));
        default -> {
          int bits = Float.floatToRawIntBits(value);
          putShort(out, at + 4 * i, (short) bits);
          putShort(out, at + 4 * i + 2, (short) (bits >>> 16));
        }
      }
    }
  }

  private static short brainFloat(float value) {
    int bits = Float.floatToIntBits(value);
    // half of the last place that stays, less one where that place is even
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }
}
