package pelican.quant;

import pelican.gguf.GgmlType;

/** {@link Q4_0} and {@link Q5_0}: one scale for a block of 32. */
final class SymmetricEncoder extends BlockEncoder {
  private static final int SIZE = 32;

  private final int levels;
  private final boolean highBits;

  SymmetricEncoder(GgmlType type, int bits) {
    super(type);
    this.levels = 1 << bits - 1;
    this.highBits = bits == 5;
  }

  @Override
  public void encode(float[] values, int from, int count, byte[] out, int at) {
    ScaleSearch search = new ScaleSearch();
    int[] q = new int[SIZE];
    for (int i = 0; i < count; i += SIZE, at += type().blockBytes()) {
      search.symmetric(values, from + i, SIZE, levels);
      short d = half(search.scale);
      putShort(out, at, d);
      float inverse = ScaleSearch.inverse(Float.float16ToFloat(d));
      for (int j = 0; j < SIZE; j++) {
        q[j] = levels + ScaleSearch.symmetric(values[from + i + j], inverse, levels);
      }
      packNibbles(q, highBits, out, at + 2);
    }
  }

  /**
   * Packs 32 integers: their fifth bits into four bytes if wanted, then low halves of weights j, j
   * + 16.
   */
  static void packNibbles(int[] q, boolean highBits, byte[] out, int at) {
    if (highBits) {
      int high = 0;
      for (int j = 0; j < SIZE; j++) {
        high |= (q[j] >>> 4) << j;
      }
      putShort(out, at, (short) high);
      putShort(out, at + 2, (short) (high >>> 16));
      at += 4;
    }
    for (int j = 0; j < SIZE / 2; j++) {
      out[at + j] = (byte) (q[j] & 15 | q[j + SIZE / 2] << 4);
    }
  }
}
