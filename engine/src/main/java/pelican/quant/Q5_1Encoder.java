package pelican.quant;

import pelican.gguf.GgmlType;

/** {@link Q5_1}: a scale and an offset for a block of 32. */
final class Q5_1Encoder extends BlockEncoder {
  private static final int SIZE = 32;
  private static final int MAX = 31;

  Q5_1Encoder() {
    super(GgmlType.Q5_1);
  }

  @Override
  public void encode(float[] values, int from, int count, byte[] out, int at) {
    ScaleSearch search = new ScaleSearch();
    int[] q = new int[SIZE];
    for (int i = 0; i < count; i += SIZE, at += type().blockBytes()) {
      search.affine(values, from + i, SIZE, MAX, false);
      short d = half(search.scale);
      short m = half(search.offset);
      putShort(out, at, d);
      putShort(out, at + 2, m);
      float inverse = ScaleSearch.inverse(Float.float16ToFloat(d));
      float offset = Float.float16ToFloat(m);
      for (int j = 0; j < SIZE; j++) {
        q[j] = ScaleSearch.affine(values[from + i + j], inverse, offset, MAX);
      }
      SymmetricEncoder.packNibbles(q, true, out, at + 4);
    }
  }
}
