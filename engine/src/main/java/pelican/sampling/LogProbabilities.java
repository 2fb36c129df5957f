package pelican.sampling;

import java.util.ArrayList;
import java.util.List;

/** Logarithms of the probabilities that logits stand for. */
public final class LogProbabilities {
  /** A token and the natural logarithm of its probability. */
  public record Entry(int token, double logProbability) {}

  private LogProbabilities() {}

  /** {@code log Σ exp(logit)}, the number to take from a logit for its log-probability. */
  public static double logSum(float[] logits, int offset, int vocabulary) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < vocabulary; i++) {
      max = Math.max(max, logits[offset + i]);
    }
    double sum = 0;
    for (int i = 0; i < vocabulary; i++) {
      sum += Math.exp(logits[offset + i] - max);
    }
    return max + Math.log(sum);
  }

  /** The likeliest tokens, best first. */
  public static List<Entry> top(float[] logits, int offset, int vocabulary, int count) {
    if (count <= 0) {
      return List.of();
    }
    double logSum = logSum(logits, offset, vocabulary);
    LargestFirst largest = new LargestFirst();
    largest.select(logits, offset, vocabulary, Math.min(count, vocabulary));
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < largest.size(); i++) {
      entries.add(new Entry(largest.index(i), largest.score(i) - logSum));
    }
    return entries;
  }
}
