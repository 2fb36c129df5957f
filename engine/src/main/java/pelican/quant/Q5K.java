package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/**
 * 256 weights in 176 bytes: {@code half d; half dmin; byte scales[12]; byte high[32]; byte q[128]}.
 * As {@link Q4K}, with bit g of high[i] the fifth bit of weight i of group g.
 */
final class Q5K extends QuantizedFormat {
  Q5K() {
    super(GgmlType.Q5_K, 32, true);
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
    SixBitScales.unpack(source, offset, scales, mins, groupOffset);
    for (int i = 0; i < 256; i++) {
      int packed = unsigned(source, offset + 48 + i / 64 * 32 + i % 32);
      int high = unsigned(source, offset + 16 + i % 32) >>> i / 32 & 1;
      q[qOffset + i] = (short) (packed >>> i / 32 % 2 * 4 & 15 | high << 4);
    }
  }
}
