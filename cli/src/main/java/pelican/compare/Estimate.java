package pelican.compare;

import java.util.Arrays;

/**
 * A mean with its standard error.
 *
 * @param value the mean
 * @param uncertainty one standard deviation of the mean; 0 where there is a single value
 */
record Estimate(double value, double uncertainty) {
  /**
   * The mean of values and {@code sqrt((mean(x²) − mean(x)²) / (n − 1))}.
   *
   * @param values at least one
   */
  static Estimate ofMean(double[] values) {
    int n = values.length;
    double mean = Arrays.stream(values).sum() / n;
    return new Estimate(
        mean, n < 2 ? 0 : Math.sqrt(covariance(values, mean, values, mean) / (n - 1)));
  }

  /** The covariance of two rows of values around their means: {@code mean((x − x̄)·(y − ȳ))}. */
  static double covariance(double[] x, double meanX, double[] y, double meanY) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += (x[i] - meanX) * (y[i] - meanY);
    }
    return sum / x.length;
  }

  /**
   * A quantile of sorted values, interpolated linearly between the two nearest: the value at place
   * {@code fraction · (n − 1)}.
   *
   * @param fraction 0 for the least value, 1 for the greatest
   */
  static double quantile(double[] sorted, double fraction) {
    double place = fraction * (sorted.length - 1);
    int below = (int) place;
    double rest = place - below;
    double next = sorted[Math.min(below + 1, sorted.length - 1)];
    return rest == 0 ? sorted[below] : (1 - rest) * sorted[below] + rest * next;
  }
}
