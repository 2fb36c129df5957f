package pelican.engine;

/**
 * How a model is run.
 *
 * @param threads threads that compute, at least 1
 * @param halfCache whether keys and values are kept in half precision, which halves their memory;
 *     otherwise in single
 */
public record ModelOptions(int threads, boolean halfCache) {
  /** The most threads that a computer is expected to have. */
  private static final int MAX_THREADS = 1024;

  /** As many threads as the machine has cores, half-precision cache. */
  public static final ModelOptions DEFAULT = new ModelOptions(Cores.physical(), true);

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
    return new ModelOptions(count, halfCache);
  }

  /** These options with keys and values in half or single precision. */
  public ModelOptions withHalfCache(boolean half) {
    return new ModelOptions(threads, half);
  }
}
