package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/**
 * 256 weights in 110 bytes: {@code byte high[32]; byte q[64]; byte scales[12]; half d}. Two bits of
 * q as in {@link Q2K}; where bit i/32 of high[i % 32] is clear, 4 is subtracted. The 6-bit scale of
 * group g of 16, minus 32: low four bits in nibble g/8 of scales[g % 8], upper two at 2·(g/4) of
 * scales[8 + g % 4].
 */
final class Q3K extends QuantizedFormat {
  Q3K() {
    super(GgmlType.Q3_K, 16, false);
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
    float d = half(source, offset + 108);
    for (int g = 0; g < 16; g++) {
      int low = unsigned(source, offset + 96 + g % 8) >>> g / 8 * 4 & 15;
      int high = unsigned(source, offset + 104 + g % 4) >>> g / 4 * 2 & 3;
      scales[groupOffset + g] = d * ((low | high << 4) - 32);
    }
    for (int i = 0; i < 256; i++) {
      int packed = unsigned(source, offset + 32 + i / 128 * 32 + i % 32);
      int high = unsigned(source, offset + i % 32) >>> i / 32 & 1;
      q[qOffset + i] = (short) ((packed >>> i % 128 / 32 * 2 & 3) - (high == 0 ? 4 : 0));
    }
  }
}
