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
 * @param memory memory beyond the mapped file, of a process that opened this model alone, read a
 *     prompt of {@value MemoryProbe#PROMPT} tokens and generated {@value MemoryProbe#TOKENS}; null
 *     if it was not measured
 * @param mappedBytes bytes of the file, which is mapped into memory
 * @param bytesPerToken bytes of weights that a token reads
 */
record Speed(
    String model,
    Spread load,
    Spread firstToken,
    Spread prefill,
    Spread decode,
    Memory memory,
    long mappedBytes,
    long bytesPerToken) {
  /** The memory of a process that is not mapped from files, as Linux counts it (RssAnon). */
  static final String RESIDENT = "resident";

  /** Elsewhere: what is used of the Java heap after a collection, and direct buffers. */
  static final String HEAP = "heap";

  /**
   * Memory that is taken.
   *
   * @param kind what is counted: {@link #RESIDENT} or {@link #HEAP}
   */
  record Memory(String kind, long bytes) {}

  /** A median with the runs that it is of. */
  record Spread(double median, List<Double> runs) {
    static Spread of(List<Double> runs) {
      double[] sorted = runs.stream().mapToDouble(x -> x).toArray();
      Arrays.sort(sorted);
      return new Spread(Estimate.quantile(sorted, 0.5), List.copyOf(runs));
    }
  }
}
