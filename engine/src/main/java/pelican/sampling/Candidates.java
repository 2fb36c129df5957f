package pelican.sampling;

import java.util.Arrays;

/** The tokens that may still be drawn, best first, with their logits and probabilities. */
final class Candidates {
  int[] ids = new int[64];
  float[] logits = new float[64];
  double[] probabilities = new double[64];
  int size;

  /** For sorting: logit in the high bits, in an order that ints sort by; inverted id in the low ones. */
  private long[] keys = new long[64];

  /** Takes the {@code k} tokens with the largest logits, sorted; equal ones by id. */
  void select(float[] source, int offset, int vocabulary, int k) {
    if (keys.length < k) {
      keys = new long[k];
    }
    // A min-heap of the best k so far; most tokens fail the first comparison.
    int filled = 0;
    float least = Float.NEGATIVE_INFINITY;
    for (int id = 0; id < vocabulary; id++) {
      float logit = source[offset + id];
      if (filled == k) {
        if (logit > least) {
          keys[0] = key(logit, id);
          siftDown(0, filled);
          least = logitOf(keys[0]);
        }
      } else if (logit > Float.NEGATIVE_INFINITY) {
        keys[filled++] = key(logit, id);
        if (filled == k) {
          for (int i = k / 2 - 1; i >= 0; i--) {
            siftDown(i, k);
          }
          least = logitOf(keys[0]);
        }
      }
    }
    Arrays.sort(keys, 0, filled);
    size = filled;
    if (ids.length < size) {
      ids = new int[size];
      logits = new float[size];
      probabilities = new double[size];
    }
    for (int i = 0; i < size; i++) {
      long key = keys[size - 1 - i];
      ids[i] = ~(int) key;
      logits[i] = logitOf(key);
    }
  }

  private void siftDown(int from, int length) {
    int at = from;
    long value = keys[at];
    while (2 * at + 1 < length) {
      int child = 2 * at + 1;
      if (child + 1 < length && keys[child + 1] < keys[child]) {
        child++;
      }
      if (keys[child] >= value) {
        break;
      }
      keys[at] = keys[child];
      at = child;
    }
    keys[at] = value;
  }

  private static long key(float logit, int id) {
    int bits = Float.floatToRawIntBits(logit);
    int ordered = bits >= 0 ? bits : bits ^ 0x7fffffff;
    return (long) ordered << 32 | ~id & 0xffffffffL;
  }

  private static float logitOf(long key) {
    int ordered = (int) (key >> 32);
    return Float.intBitsToFloat(ordered >= 0 ? ordered : ordered ^ 0x7fffffff);
  }

  /** {@code p = softmax(logits / temperature)}. */
  void normalize(double temperature) {
    double sum = 0;
    for (int i = 0; i < size; i++) {
      probabilities[i] = Math.exp((logits[i] - logits[0]) / temperature);
      sum += probabilities[i];
    }
    for (int i = 0; i < size; i++) {
      probabilities[i] /= sum;
    }
  }

  /** Keeps the first tokens until their probabilities reach p; at least one. */
  void keepTop(double p) {
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += probabilities[i];
      if (sum >= p) {
        size = i + 1;
        return;
      }
    }
  }

  /** Keeps tokens at least p times as likely as the first. */
  void keepAbove(double p) {
    double least = probabilities[0] * p;
    int kept = 1;
    while (kept < size && probabilities[kept] >= least) {
      kept++;
    }
    size = kept;
  }

  /**
   * Keeps the tokens whose surprise is nearest to the expected one (the entropy) until their
   * probabilities exceed p. Meister et al. 2022, "Locally Typical Sampling".
   */
  void keepTypical(double p) {
    double entropy = 0;
    for (int i = 0; i < size; i++) {
      if (probabilities[i] > 0) {
        entropy -= probabilities[i] * Math.log(probabilities[i]);
      }
    }
    double expected = entropy;
    Integer[] order = new Integer[size];
    Arrays.setAll(order, i -> i);
    Arrays.sort(
        order,
        (a, b) ->
            Double.compare(
                Math.abs(-Math.log(probabilities[a]) - expected),
                Math.abs(-Math.log(probabilities[b]) - expected)));
    double sum = 0;
    int kept = 0;
    while (kept < size && sum <= p) {
      sum += probabilities[order[kept++]];
    }
    Integer[] chosen = Arrays.copyOf(order, kept);
    Arrays.sort(chosen);
    for (int i = 0; i < kept; i++) {
      ids[i] = ids[chosen[i]];
      logits[i] = logits[chosen[i]];
      probabilities[i] = probabilities[chosen[i]];
    }
    size = kept;
  }
}
