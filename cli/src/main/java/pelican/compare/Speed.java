package pelican.compare;

import java.util.Arrays;
import java.util.List;

/**
 * How fast a model is: medians of alternating runs, with every run.
 *
 * @param load seconds to open the file
 * @param firstToken seconds from a prompt to the first token of its answer
 * @param prefill tokens of prompt a second
 * @param decode tokens generated a second
 * @param mappedBytes bytes of the file, which is mapped into memory
 * @param bytesPerToken bytes of weights that a token reads
 */
record Speed(
    String model,
    Spread load,
    Spread firstToken,
    Spread prefill,
    Spread decode,
    long mappedBytes,
    long bytesPerToken) {
  /** A median with the runs that it is of. */
  record Spread(double median, List<Double> runs) {
    static Spread of(List<Double> runs) {
      double[] sorted = runs.stream().mapToDouble(x -> x).toArray();
      Arrays.sort(sorted);
      return new Spread(Estimate.quantile(sorted, 0.5), List.copyOf(runs));
    }
  }
}
