package pelican.bench;

import java.util.ArrayList;
import java.util.List;
import pelican.gguf.GgmlType;

/**
 * A product to measure.
 *
 * @param rows length of the result
 * @param columns length of the vectors
 * @param tokens number of vectors
 */
record KernelCase(GgmlType type, int rows, int columns, int tokens, Weights weights, int threads) {
  /** Where the weights are when they are wanted. */
  enum Weights {
    memory,
    cache
  }

  /** The head of the model; it is computed for the last token of a prompt alone. */
  private static final int HEAD_ROWS = 262_144;

  /** A matrix of more bytes than this is not expected to stay in a cache. */
  private static final long CACHED_BYTES = 24L << 20;

  /**
   * All combinations that occur in a model: not the head with many tokens; and from the cache only
   * what fits there, with one token, since many tokens take so long that it makes no difference.
   *
   * @param shapes rows and columns of each
   */
  static List<KernelCase> combinations(
      List<GgmlType> types,
      List<int[]> shapes,
      List<Integer> tokens,
      List<Weights> weights,
      int threads) {
    List<KernelCase> cases = new ArrayList<>();
    for (GgmlType type : types) {
      for (int[] shape : shapes) {
        for (int count : tokens) {
          for (Weights where : weights) {
            KernelCase one = new KernelCase(type, shape[0], shape[1], count, where, threads);
            if (one.occurs()) {
              cases.add(one);
            }
          }
        }
      }
    }
    return cases;
  }

  private boolean occurs() {
    if (weights == Weights.cache) {
      return tokens == 1 && RandomMatrices.bytes(type, rows, columns) <= CACHED_BYTES;
    }
    return tokens == 1 || rows < HEAD_ROWS;
  }

  @Override
  public String toString() {
    return "%s %dx%d, %d token(s), weights in %s, %d thread(s)"
        .formatted(type, rows, columns, tokens, weights, threads);
  }
}
