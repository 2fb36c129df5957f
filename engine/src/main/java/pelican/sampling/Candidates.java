package pelican.sampling;

import java.util.Arrays;
import pelican.engine.PelicanException;

/**
 * The tokens that may still be drawn, with their logits and probabilities. Reused from token to
 * token, so that sampling allocates nothing.
 */
final class Candidates {
  private static final int BUCKETS = 2048;
  private static final int BUCKETS_PER_NAT = 64;

  /** More than the sums of probabilities in different orders can differ by. */
  private static final double ROUNDING = 1e-9;

  private final LargestFirst largest = new LargestFirst();
  private int[] ids = new int[64];
  private float[] logits = new float[64];
  private double[] probabilities = new double[64];

  /** What the order of {@link #keepUntil} is taken from, and then room for the kept ids. */
  private float[] scores = new float[0];

  private int[] keptIds = new int[0];

  /** The probability of all scores at a certain distance from the best. */
  private final double[] buckets = new double[BUCKETS];

  private int size;

  /** Whether the logits descend. */
  private boolean sorted;

  int size() {
    return size;
  }

  int id(int index) {
    return ids[index];
  }

  double probability(int index) {
    return probabilities[index];
  }

  /**
   * Takes the {@code k} tokens with the largest logits, best first, equal ones by id.
   *
   * @throws PelicanException if a logit is NaN
   */
  void takeBest(float[] source, int offset, int vocabulary, int k) {
    largest.select(source, offset, vocabulary, k);
    reserve(largest.size());
    size = largest.size();
    for (int i = 0; i < size; i++) {
      ids[i] = largest.index(i);
      logits[i] = largest.score(i);
    }
    sorted = true;
  }

  /**
   * Takes all tokens whose logit is not negative infinity, in no order of likelihood.
   *
   * @param first tokens to take before all others, in their order; their logits are set to negative
   *     infinity; or null
   * @throws PelicanException if a logit is NaN
   */
  void takeAll(float[] source, int offset, int vocabulary, AllowedDraw first) {
    // Looks for NaN.
    largest.select(source, offset, vocabulary, 1);
    reserve(vocabulary);
    size = 0;
    for (int i = 0; first != null && i < first.size(); i++) {
      take(first.id(i), source, offset);
      source[offset + first.id(i)] = Float.NEGATIVE_INFINITY;
    }
    for (int id = 0; id < vocabulary; id++) {
      if (source[offset + id] > Float.NEGATIVE_INFINITY) {
        take(id, source, offset);
      }
    }
    sorted = false;
  }

  private void take(int id, float[] source, int offset) {
    ids[size] = id;
    logits[size++] = source[offset + id];
  }

  private void reserve(int length) {
    if (ids.length < length) {
      ids = new int[length];
      logits = new float[length];
      probabilities = new double[length];
    }
  }

  /** The largest logit; negative infinity if there is no candidate. */
  float maximum() {
    if (sorted && size > 0) {
      return logits[0];
    }
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < size; i++) {
      max = Math.max(max, logits[i]);
    }
    return max;
  }

  /** {@code p = softmax(logits / temperature)}. */
  void normalize(double temperature) {
    double max = maximum();
    double sum = 0;
    for (int i = 0; i < size; i++) {
      probabilities[i] = Math.exp((logits[i] - max) / temperature);
      sum += probabilities[i];
    }
    double scale = 1 / sum;
    for (int i = 0; i < size; i++) {
      probabilities[i] *= scale;
    }
  }

  /** Keeps the likeliest tokens until their probabilities reach p; at least one. */
  void keepTop(double p) {
    normalize(1);
    if (!sorted) {
      reserveScores();
      System.arraycopy(logits, 0, scores, 0, size);
      keepUntil(p, false);
      sorted = true;
      return;
    }
    double sum = 0;
    int kept = 0;
    do {
      sum += probabilities[kept++];
    } while (kept < size && sum < p);
    size = kept;
  }

  /**
   * Keeps the tokens whose surprise is nearest to the expected one (the entropy) until their
   * probabilities exceed p. Meister et al. 2022, "Locally Typical Sampling".
   */
  void keepTypical(double p) {
    normalize(1);
    double max = maximum();
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += Math.exp(logits[i] - max);
    }
    double logSum = max + Math.log(sum);
    double entropy = 0;
    for (int i = 0; i < size; i++) {
      entropy -= probabilities[i] * (logits[i] - logSum);
    }
    reserveScores();
    for (int i = 0; i < size; i++) {
      scores[i] = (float) -Math.abs(logSum - logits[i] - entropy);
    }
    keepUntil(p, true);
    sorted = false;
  }

  /** Keeps tokens at least p times as likely as the likeliest. */
  void keepAbove(double p) {
    double least = maximum() + Math.log(p);
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (logits[i] >= least) {
        ids[kept] = ids[i];
        logits[kept++] = logits[i];
      }
    }
    size = kept;
  }

  private void reserveScores() {
    if (scores.length < size) {
      scores = new float[ids.length];
      keptIds = new int[ids.length];
    }
  }

  /**
   * Keeps the tokens of the largest scores until their probabilities reach p, in the order of their
   * scores; at least one.
   *
   * @param beyond whether the probabilities must exceed p rather than reach it
   */
  private void keepUntil(double p, boolean beyond) {
    dropWhatCannotBeKept(p);
    largest.select(scores, 0, size, size);
    double sum = 0;
    int kept = 0;
    do {
      sum += probabilities[largest.index(kept++)];
    } while (kept < size && (beyond ? sum <= p : sum < p));
    for (int i = 0; i < kept; i++) {
      keptIds[i] = ids[largest.index(i)];
      scores[i] = logits[largest.index(i)];
    }
    System.arraycopy(keptIds, 0, ids, 0, kept);
    System.arraycopy(scores, 0, logits, 0, kept);
    size = kept;
  }

  /**
   * Drops the tokens of the smallest scores as long as the others' probabilities reach p safely:
   * only what is left needs to be put in order. Scores are told apart by buckets.
   */
  private void dropWhatCannotBeKept(double p) {
    float best = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < size; i++) {
      best = Math.max(best, scores[i]);
    }
    Arrays.fill(buckets, 0);
    for (int i = 0; i < size; i++) {
      buckets[bucket(best - scores[i])] += probabilities[i];
    }
    double sum = 0;
    int last = 0;
    while (last < buckets.length - 1 && (sum += buckets[last]) <= p + ROUNDING) {
      last++;
    }
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (bucket(best - scores[i]) <= last) {
        ids[kept] = ids[i];
        logits[kept] = logits[i];
        probabilities[kept] = probabilities[i];
        scores[kept++] = scores[i];
      }
    }
    size = kept;
  }

  private static int bucket(float distance) {
    return (int) Math.min(BUCKETS - 1, distance * BUCKETS_PER_NAT);
  }
}
