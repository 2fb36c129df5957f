package pelican.quant;

/**
 * Looks for the scale (and offset) of a group of weights with the least squared error. A number of
 * scales around the one that just covers the range is tried: weights are rounded with each, and for
 * the integers that come out the best scale follows by linear regression. Scratch memory for one
 * thread.
 */
final class ScaleSearch {
  /** Scales that are tried for a group, and how far apart, in steps of the integers. */
  private static final int TRIALS = 10;

  private static final float STEP = 0.2f;

  /** What was found: {@code weight ≈ scale·q + offset}. */
  double scale;

  double offset;

  /**
   * Finds {@code scale} such that {@code x ≈ scale·q} for q from −levels to levels − 1. The scale
   * may be negative: the weight of the largest magnitude is best put on the side with one integer
   * more.
   */
  void symmetric(float[] x, int from, int count, int levels) {
    float largest = 0;
    double xx = 0;
    for (int i = 0; i < count; i++) {
      float value = x[from + i];
      xx += (double) value * value;
      if (Math.abs(value) > Math.abs(largest)) {
        largest = value;
      }
    }
    scale = 0;
    offset = 0;
    if (largest == 0) {
      return;
    }
    double best = 0;
    for (int trial = -TRIALS / 2; trial <= TRIALS / 2; trial++) {
      float inverse = -(levels + trial * STEP) / largest;
      if (!Float.isFinite(inverse)) {
        scale = -largest / (double) levels;
        return;
      }
      double xq = 0;
      int qq = 0;
      for (int i = 0; i < count; i++) {
        int q = symmetric(x[from + i], inverse, levels);
        xq += (double) x[from + i] * q;
        qq += q * q;
      }
      // the error is xx − xq² / qq
      if (qq > 0 && xq * xq > best * qq) {
        best = xq * xq / qq;
        scale = xq / qq;
      }
    }
  }

  /** A weight as an integer from −levels to levels − 1. */
  static int symmetric(float x, float inverse, int levels) {
    int q = (int) (x * inverse + (levels + 0.5f));
    return Math.min(Math.max(q, 0), 2 * levels - 1) - levels;
  }

  /** The squared error of a group with a scale. */
  static double symmetricError(float[] x, int from, int count, float scale, int levels) {
    float inverse = inverse(scale);
    double error = 0;
    for (int i = 0; i < count; i++) {
      float e = x[from + i] - scale * symmetric(x[from + i], inverse, levels);
      error += (double) e * e;
    }
    return error;
  }

  /**
   * Finds {@code scale} and {@code offset} such that {@code x ≈ scale·q + offset} for q from 0 to
   * max.
   *
   * @param negative whether the offset must not be positive
   */
  void affine(float[] x, int from, int count, int max, boolean negative) {
    float low = x[from];
    float high = x[from];
    double sum = 0;
    for (int i = 0; i < count; i++) {
      low = Math.min(low, x[from + i]);
      high = Math.max(high, x[from + i]);
      sum += x[from + i];
    }
    if (negative && low > 0) {
      low = 0;
    }
    scale = 0;
    offset = low;
    float range = high - low;
    if (range == 0) {
      return;
    }
    scale = ((double) high - low) / max;
    double best = Double.POSITIVE_INFINITY;
    for (int trial = -TRIALS / 2; trial <= TRIALS / 2; trial++) {
      float inverse = (max + trial * STEP) / range;
      if (!Float.isFinite(inverse) || inverse == 0) {
        return;
      }
      double xq = 0;
      int qSum = 0;
      int qq = 0;
      for (int i = 0; i < count; i++) {
        int q = Math.min((int) ((x[from + i] - low) * inverse + 0.5f), max);
        xq += (double) x[from + i] * q;
        qSum += q;
        qq += q * q;
      }
      best = regress(count, sum, xq, qSum, qq, negative, best);
    }
  }

  /** Takes the best scale and offset for some integers if the error is less than {@code best}. */
  private double regress(
      int count, double sum, double xq, int qSum, int qq, boolean negative, double best) {
    long determinant = (long) count * qq - (long) qSum * qSum;
    if (determinant <= 0) {
      return best;
    }
    double s = (count * xq - sum * qSum) / determinant;
    double o = (sum * qq - qSum * xq) / determinant;
    if (negative && o > 0) {
      o = 0;
      s = xq / qq;
    }
    // the squared error less the sum of squares, which is the same for all
    double error = s * s * qq + 2 * s * o * qSum + o * o * count - 2 * s * xq - 2 * o * sum;
    if (error < best) {
      scale = s;
      offset = o;
      return error;
    }
    return best;
  }

  /** A weight as an integer from 0 to max. */
  static int affine(float x, float inverse, float offset, int max) {
    return Math.min(Math.max((int) ((x - offset) * inverse + 0.5f), 0), max);
  }

  /** The squared error of a group with a scale and an offset. */
  static double affineError(float[] x, int from, int count, float scale, float offset, int max) {
    float inverse = inverse(scale);
    double error = 0;
    for (int i = 0; i < count; i++) {
      float e = x[from + i] - (scale * affine(x[from + i], inverse, offset, max) + offset);
      error += (double) e * e;
    }
    return error;
  }

  static float inverse(float scale) {
    return scale == 0 ? 0 : 1 / scale;
  }
}
