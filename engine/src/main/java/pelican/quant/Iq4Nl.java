package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/**
 * 32 weights in 18 bytes: {@code half d; byte q[16]}, weight = d·{@link #LEVELS}[q]. Nibbles as in
 * {@link Q4_0}.
 */
final class Iq4Nl extends QuantizedFormat {
  /** The sixteen levels, denser around zero. */
  static final byte[] LEVELS = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  Iq4Nl() {
    super(GgmlType.IQ4_NL, 32, false);
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
      q[qOffset + i] = (short) (LEVELS[packed & 15]);
      q[qOffset + 16 + i] = (short) (LEVELS[packed >>> 4]);
    }
  }
}
