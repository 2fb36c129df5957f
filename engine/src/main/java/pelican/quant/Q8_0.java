package pelican.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import pelican.gguf.GgmlType;

/** 32 weights in 34 bytes: {@code half d; byte q[32]}, weight = d·q. */
final class Q8_0 extends QuantizedFormat {
  Q8_0() {
    super(GgmlType.Q8_0, 32, false);
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
    for (int i = 0; i < 32; i++) {
      q[qOffset + i] = source.get(ValueLayout.JAVA_BYTE, offset + 2 + i);
    }
  }
}
