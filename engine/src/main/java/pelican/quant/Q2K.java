package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/**
 * 256 weights in 84 bytes: {@code byte scales[16]; byte q[64]; half d; half dmin}. Group g of 16
 * has scale d·(scales[g] & 15) and minimum dmin·(scales[g] >> 4). Each half of 128 weights has 32
 * bytes of q; two bits at 0, 2, 4, 6 of byte i are weights i, 32 + i, 64 + i, 96 + i of the half.
 */
final class Q2K extends QuantizedFormat {
  Q2K() {
    super(GgmlType.Q2_K, 16, true);
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
    float d = half(source, offset + 80);
    float min = half(source, offset + 82);
    for (int g = 0; g < 16; g++) {
      int packed = unsigned(source, offset + g);
      scales[groupOffset + g] = d * (packed & 15);
      mins[groupOffset + g] = min * (packed >>> 4);
    }
    for (int i = 0; i < 256; i++) {
      int packed = unsigned(source, offset + 16 + i / 128 * 32 + i % 32);
      q[qOffset + i] = (short) (packed >>> i % 128 / 32 * 2 & 3);
    }
  }
}
