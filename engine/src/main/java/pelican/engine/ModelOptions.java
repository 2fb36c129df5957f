package pelican.engine;

/**
 * How a model is run.
 *
 * @param threads threads that compute, at least 1
 * @param singlePrecision whether keys, values and what weights are multiplied with stay in single
 *     precision, for comparison with a reference; otherwise keys and values are kept in half
 *     precision, and products with some formats of weights are computed with integers, which halves
 *     the memory and is faster
 */
public record ModelOptions(int threads, boolean singlePrecision) {
  /** The most threads that a computer is expected to have. */
  private static final int MAX_THREADS = 1024;

  /** As many threads as the machine has cores, and the faster arithmetic. */
  public static final ModelOptions DEFAULT = new ModelOptions(Cores.physical(), false);

  /**
   * @throws PelicanException if the number of threads is impossible
   */
  public ModelOptions {
    if (threads < 1 || threads > MAX_THREADS) {
      throw new PelicanException("threads is " + threads + ", expected 1 to " + MAX_THREADS);
    }
  }

  /** These options with another number of threads. */
  public ModelOptions withThreads(int count) {
    return new ModelOptions(count, singlePrecision);
  }

  /** These options with single precision throughout, or not. */
  public ModelOptions withSinglePrecision(boolean single) {
    return new ModelOptions(threads, single);
  }
}
