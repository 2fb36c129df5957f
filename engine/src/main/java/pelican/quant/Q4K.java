package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/**
 * 256 weights in 144 bytes: {@code half d; half dmin; byte scales[12]; byte q[128]}. Groups of 32
 * have 6-bit scales and minimums, see {@link SixBitScales}: weight = d·scale·q − dmin·min. The 32
 * bytes j of q hold groups 2j (low nibbles) and 2j + 1 (high nibbles).
 */
final class Q4K extends QuantizedFormat {
  Q4K() {
    super(GgmlType.Q4_K, 32, true);
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
      int packed = unsigned(source, offset + 16 + i / 64 * 32 + i % 32);
      q[qOffset + i] = (short) (packed >>> i / 32 % 2 * 4 & 15);
    }
  }
}
