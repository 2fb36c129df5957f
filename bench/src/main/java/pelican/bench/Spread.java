package pelican.bench;

import java.util.List;
import java.util.Locale;

/**
 * Values that were measured several times: all of them, in the order in which they came, and what
 * is said of them.
 */
record Spread(double median, double min, double max, List<Double> values) {
  /**
   * @throws IllegalArgumentException if there are no values
   */
  static Spread of(List<Double> values) {
    if (values.isEmpty()) {
      throw new IllegalArgumentException("nothing was measured");
    }
    double[] sorted = values.stream().mapToDouble(x -> x).sorted().toArray();
    int n = sorted.length;
    double median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    return new Spread(median, sorted[0], sorted[n - 1], List.copyOf(values));
  }

  /** The median with so many decimals, then the range: {@code 1.25 (1.10–1.31)}. */
  String format(int decimals) {
    String form = "%." + decimals + "f";
    String middle = String.format(Locale.ROOT, form, median);
    return values.size() == 1
        ? middle
        : String.format(Locale.ROOT, middle + " (" + form + "–" + form + ")", min, max);
  }
}
