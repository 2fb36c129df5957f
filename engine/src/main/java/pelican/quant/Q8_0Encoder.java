package pelican.quant;

import pelican.gguf.GgmlType;

/** {@link Q8_0}: the largest weight of a block becomes ±127. */
final class Q8_0Encoder extends BlockEncoder {
  private static final int SIZE = 32;
  private static final int BYTES = 34;

  Q8_0Encoder() {
    super(GgmlType.Q8_0);
  }

  @Override
  public void encode(float[] values, int from, int count, byte[] out, int at) {
    for (int i = 0; i < count; i += SIZE, at += BYTES) {
      float largest = 0;
      for (int j = 0; j < SIZE; j++) {
        largest = Math.max(largest, Math.abs(values[from + i + j]));
      }
      short d = half(largest / 127.0);
      putShort(out, at, d);
      float scale = Float.float16ToFloat(d);
      float inverse = scale == 0 ? 0 : 1 / scale;
      for (int j = 0; j < SIZE; j++) {
        int q = Math.round(values[from + i + j] * inverse);
        out[at + 2 + j] = (byte) Math.min(Math.max(q, -127), 127);
      }
    }
  }
}
