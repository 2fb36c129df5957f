package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/**
 * 32 weights in 18 bytes: {@code half d; byte q[16]}, weight = d·(q − 8). Low nibbles are weights 0
 * to 15, high nibbles 16 to 31.
 */
final class Q4_0 extends QuantizedFormat {
  Q4_0() {
    super(GgmlType.Q4_0, 32, false);
  }

  @Override
  public void unpackBlock(
      MemorySegment source,
      long offset,
      short[] q,
      int qOffset,
      float[] scales,
      float[] mins,
      int groupOffset) {
    scales[groupOffset] = half(source, offset);
    for (int i = 0; i < 16; i++) {
      int packed = unsigned(source, offset + 2 + i);
      q[qOffset + i] = (short) ((packed & 15) - 8);
      q[qOffset + 16 + i] = (short) ((packed >>> 4) - 8);
    }
  }
}
