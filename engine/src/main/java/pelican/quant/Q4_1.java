package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/**
 * 32 weights in 20 bytes: {@code half d; half m; byte q[16]}, weight = d·q + m. Nibbles as in
 * {@link Q4_0}.
 */
final class Q4_1 extends QuantizedFormat {
  Q4_1() {
    super(GgmlType.Q4_1, 32, true);
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
    mins[groupOffset] = -half(source, offset + 2);
    for (int i = 0; i < 16; i++) {
      int packed = unsigned(source, offset + 4 + i);
      q[qOffset + i] = (short) (packed & 15);
      q[qOffset + 16 + i] = (short) (packed >>> 4);
    }
  }
}
