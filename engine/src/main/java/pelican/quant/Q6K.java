package pelican.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import pelican.gguf.GgmlType;

/**
 * 256 weights in 210 bytes: {@code byte low[128]; byte high[64]; byte scales[16]; half d}, weight =
 * d·scales[i / 16]·(q − 32). Each half of 128 weights has 64 bytes of low and 32 of high: weight i
 * has nibble i/64 of low[i % 64] and two bits at 2·(i/32) of high[i % 32].
 */
final class Q6K extends QuantizedFormat {
  Q6K() {
    super(GgmlType.Q6_K, 16, false);
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
    float d = half(source, offset + 208);
    for (int g = 0; g < 16; g++) {
      scales[groupOffset + g] = d * source.get(ValueLayout.JAVA_BYTE, offset + 192 + g);
    }
    for (int i = 0; i < 256; i++) {
      int part = i % 128;
      int low = unsigned(source, offset + i / 128 * 64 + part % 64) >>> part / 64 * 4 & 15;
      int high = unsigned(source, offset + 128 + i / 128 * 32 + part % 32) >>> part / 32 * 2 & 3;
      q[qOffset + i] = (short) ((low | high << 4) - 32);
    }
  }
}
