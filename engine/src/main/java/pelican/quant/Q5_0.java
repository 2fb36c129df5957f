package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/**
 * 32 weights in 22 bytes: {@code half d; int high; byte q[16]}, weight = d·(q − 16). Nibbles as in
 * {@link Q4_0}; bit i of {@code high} is the fifth bit of weight i.
 */
final class Q5_0 extends QuantizedFormat {
  Q5_0() {
    super(GgmlType.Q5_0, 32, false);
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
    int high = source.get(INT, offset + 2);
    for (int i = 0; i < 16; i++) {
      int packed = unsigned(source, offset + 6 + i);
      q[qOffset + i] = (short) ((packed & 15 | (high >>> i & 1) << 4) - 16);
      q[qOffset + 16 + i] = (short) ((packed >>> 4 | (high >>> i + 16 & 1) << 4) - 16);
    }
  }
}
