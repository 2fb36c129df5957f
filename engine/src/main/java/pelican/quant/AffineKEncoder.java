package pelican.quant;

import pelican.gguf.GgmlType;

/**
 * {@link Q4K} and {@link Q5K}: eight groups of 32 with a scale and a minimum each, which are 6-bit
 * multiples of two half-precision numbers.
 */
final class AffineKEncoder extends BlockEncoder {
  private static final int GROUPS = 8;
  private static final int GROUP = 32;
  private static final int SIZE = GROUPS * GROUP;
  private static final int MAX_SCALE = 63;

  private final int max;

  AffineKEncoder(GgmlType type, int bits) {
    super(type);
    this.max = (1 << bits) - 1;
  }

  @Override
  public void encode(float[] values, int from, int count, byte[] out, int at) {
    ScaleSearch search = new ScaleSearch();
    double[] scales = new double[GROUPS];
    double[] mins = new double[GROUPS];
    int[] scaleSteps = new int[GROUPS];
    int[] minSteps = new int[GROUPS];
    byte[] q = new byte[SIZE];
    for (int i = 0; i < count; i += SIZE, at += type().blockBytes()) {
      int start = from + i;
      double largestScale = 0;
      double largestMin = 0;
      for (int g = 0; g < GROUPS; g++) {
        search.affine(values, start + g * GROUP, GROUP, max, true);
        scales[g] = search.scale;
        mins[g] = -search.offset;
        largestScale = Math.max(largestScale, scales[g]);
        largestMin = Math.max(largestMin, mins[g]);
      }
      short dBits = half(largestScale / MAX_SCALE);
      short minBits = half(largestMin / MAX_SCALE);
      float d = Float.float16ToFloat(dBits);
      float dMin = Float.float16ToFloat(minBits);
      for (int g = 0; g < GROUPS; g++) {
        int group = start + g * GROUP;
        int steps = nearby(values, group, step(scales[g], d), step(mins[g], dMin), d, dMin);
        scaleSteps[g] = steps >>> 8;
        minSteps[g] = steps & 255;
        float scale = d * scaleSteps[g];
        float offset = -dMin * minSteps[g];
        float inverse = ScaleSearch.inverse(scale);
        for (int j = 0; j < GROUP; j++) {
          q[g * GROUP + j] = (byte) ScaleSearch.affine(values[group + j], inverse, offset, max);
        }
      }
      putShort(out, at, dBits);
      putShort(out, at + 2, minBits);
      SixBitScales.pack(scaleSteps, minSteps, out, at + 4);
      pack(q, out, at + 16);
    }
  }

  /** A scale in steps of d, rounded down. */
  private static int step(double scale, float d) {
    return d == 0 ? 0 : Math.clamp((int) (scale / d), 0, MAX_SCALE);
  }

  /** The best of the four pairs of steps around a scale and a minimum: scale · 256 + minimum. */
  private int nearby(float[] values, int group, int scaleStep, int minStep, float d, float dMin) {
    int found = 0;
    double best = Double.POSITIVE_INFINITY;
    for (int s = scaleStep; s <= Math.min(scaleStep + 1, MAX_SCALE); s++) {
      for (int m = minStep; m <= Math.min(minStep + 1, MAX_SCALE); m++) {
        double error = ScaleSearch.affineError(values, group, GROUP, d * s, -dMin * m, max);
        if (error < best) {
          best = error;
          found = s << 8 | m;
        }
      }
    }
    return found;
  }

  private void pack(byte[] q, byte[] out, int at) {
    if (max > 15) {
      for (int j = 0; j < GROUP; j++) {
        int high = 0;
        for (int g = 0; g < GROUPS; g++) {
          high |= (q[g * GROUP + j] >>> 4) << g;
        }
        out[at + j] = (byte) high;
      }
      at += GROUP;
    }
    for (int i = 0; i < SIZE / 2; i++) {
      int low = i / GROUP * 2 * GROUP + i % GROUP;
      out[at + i] = (byte) (q[low] & 15 | q[low + GROUP] << 4);
    }
  }
}
