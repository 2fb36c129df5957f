package pelican.quant;

import java.lang.foreign.MemorySegment;

/**
 * The head of a {@link Q4K} or {@link Q5K} block: {@code half d; half dmin; byte s[12]}. Eight
 * 6-bit scales and eight 6-bit minimums: for j &lt; 4, scale j is the low six bits of s[j], minimum
 * j those of s[4 + j]; scale 4 + j is the low nibble of s[8 + j] with the top two bits of s[j],
 * minimum 4 + j the high nibble with the top two bits of s[4 + j].
 */
final class SixBitScales {
  private SixBitScales() {}

  static void unpack(
      MemorySegment source, long offset, float[] scales, float[] mins, int groupOffset) {
    float d = BlockFormat.half(source, offset);
    float min = BlockFormat.half(source, offset + 2);
    for (int j = 0; j < 4; j++) {
      int a = BlockFormat.unsigned(source, offset + 4 + j);
      int b = BlockFormat.unsigned(source, offset + 8 + j);
      int c = BlockFormat.unsigned(source, offset + 12 + j);
      scales[groupOffset + j] = d * (a & 63);
      mins[groupOffset + j] = min * (b & 63);
      scales[groupOffset + 4 + j] = d * (c & 15 | a >>> 6 << 4);
      mins[groupOffset + 4 + j] = min * (c >>> 4 | b >>> 6 << 4);
    }
  }

  /** Packs eight scales and eight minimums into twelve bytes. */
  static void pack(int[] scales, int[] mins, byte[] out, int at) {
    for (int j = 0; j < 4; j++) {
      out[at + j] = (byte) (scales[j] | scales[4 + j] >>> 4 << 6);
      out[at + 4 + j] = (byte) (mins[j] | mins[4 + j] >>> 4 << 6);
      out[at + 8 + j] = (byte) (scales[4 + j] & 15 | (mins[4 + j] & 15) << 4);
    }
  }
}
