package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/**
 * 32 weights in 24 bytes: {@code half d; half m; int high; byte q[16]}, weight = d·q + m. Bits as
 * in {@link Q5_0}.
 */
final class Q5_1 extends QuantizedFormat {
  Q5_1() {
    super(GgmlType.Q5_1, 32, true);
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
    int high = source.get(INT, offset + 4);
    for (int i = 0; i < 16; i++) {
      int packed = unsigned(source, offset + 8 + i);
      q[qOffset + i] = (short) (packed & 15 | (high >>> i & 1) << 4);
      q[qOffset + 16 + i] = (short) (packed >>> 4 | (high >>> i + 16 & 1) << 4);
    }
  }
}
