package pelican.quant;

import pelican.gguf.GgmlType;

/**
 * {@link Q6K}: sixteen groups of 16, whose scales are 8-bit multiples of a half-precision number.
 */
final class Q6KEncoder extends BlockEncoder {
  private static final int GROUPS = 16;
  private static final int GROUP = 16;
  private static final int SIZE = GROUPS * GROUP;
  private static final int LEVELS = 32;

  Q6KEncoder() {
    super(GgmlType.Q6_K);
  }

  @Override
  public void encode(float[] values, int from, int count, byte[] out, int at) {
    ScaleSearch search = new ScaleSearch();
    double[] scales = new double[GROUPS];
    int[] q = new int[SIZE];
    for (int i = 0; i < count; i += SIZE, at += type().blockBytes()) {
      double largest = 0;
      for (int g = 0; g < GROUPS; g++) {
        search.symmetric(values, from + i + g * GROUP, GROUP, LEVELS);
        scales[g] = search.scale;
        if (Math.abs(scales[g]) > Math.abs(largest)) {
          largest = scales[g];
        }
      }
      short bits = half(-largest / 128);
      float d = Float.float16ToFloat(bits);
      for (int g = 0; g < GROUPS; g++) {
        int group = from + i + g * GROUP;
        int step = nearby(values, group, scales[g], d);
        out[at + 192 + g] = (byte) step;
        float inverse = ScaleSearch.inverse(d * step);
        for (int j = 0; j < GROUP; j++) {
          q[g * GROUP + j] = LEVELS + ScaleSearch.symmetric(values[group + j], inverse, LEVELS);
        }
      }
      pack(q, out, at);
      putShort(out, at + 208, bits);
    }
  }

  /** The better of the two multiples of d around a scale. */
  private static int nearby(float[] values, int group, double scale, float d) {
    if (d == 0) {
      return 0;
    }
    int below = Math.clamp((int) Math.floor(scale / d), -128, 127);
    int above = Math.min(below + 1, 127);
    return ScaleSearch.symmetricError(values, group, GROUP, d * above, LEVELS)
            < ScaleSearch.symmetricError(values, group, GROUP, d * below, LEVELS)
        ? above
        : below;
  }

  private static void pack(int[] q, byte[] out, int at) {
    for (int part = 0; part < 2; part++) {
      for (int j = 0; j < 64; j++) {
        int i = part * 128 + j;
        out[at + part * 64 + j] = (byte) (q[i] & 15 | (q[i + 64] & 15) << 4);
      }
      for (int j = 0; j < 32; j++) {
        int i = part * 128 + j;
        out[at + 128 + part * 32 + j] =
            (byte)
                (q[i] >>> 4 | q[i + 32] >>> 4 << 2 | q[i + 64] >>> 4 << 4 | q[i + 96] >>> 4 << 6);
      }
    }
  }
}
