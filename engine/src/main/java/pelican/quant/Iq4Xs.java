package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/**
 * 256 weights in 136 bytes: {@code half d; short high; byte low[4]; byte q[128]}, weight = d·(scale
 * − 32)·{@link Iq4Nl#LEVELS}[q]. The 6-bit scale of group g of 32: nibble g % 2 of low[g/2], upper
 * two bits at 2·g of high. Each group has 16 bytes of q, nibbles as in {@link Q4_0}.
 */
final class Iq4Xs extends QuantizedFormat {
  Iq4Xs() {
    super(GgmlType.IQ4_XS, 32, false);
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
    float d = half(source, offset);
    int high = source.get(SHORT, offset + 2);
    for (int g = 0; g < 8; g++) {
      int low = unsigned(source, offset + 4 + g / 2) >>> g % 2 * 4 & 15;
      scales[groupOffset + g] = d * ((low | (high >>> 2 * g & 3) << 4) - 32);
    }
    for (int i = 0; i < 256; i++) {
      int packed = unsigned(source, offset + 8 + i / 32 * 16 + i % 16);
      q[qOffset + i] = Iq4Nl.LEVELS[packed >>> i / 16 % 2 * 4 & 15];
    }
  }
}
