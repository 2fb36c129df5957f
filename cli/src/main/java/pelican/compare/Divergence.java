package pelican.compare;

import java.util.ArrayList;
import java.util.List;
import pelican.engine.PelicanException;
import pelican.sampling.LogProbabilities;

/**
 * How far the probabilities of the next token are apart at one position of a text, where p is the
 * reference's distribution and q the other model's. The measures are those of llama.cpp's {@code
 * llama-perplexity --kl-divergence}.
 *
 * @param kl the Kullback-Leibler divergence {@code Σ_i p_i · (ln p_i − ln q_i)} over the whole
 *     vocabulary, in nats
 * @param sameTop whether the likeliest token of both is the same
 * @param shift Δp: the probability of the token that follows in the text, {@code q − p}
 * @param referenceLoss {@code −ln p} of the token that follows
 * @param loss {@code −ln q} of the token that follows
 * @param referenceTops the reference's likeliest tokens, the likeliest first, with p
 * @param tops the other model's likeliest tokens, the likeliest first, with q
 */
record Divergence(
    double kl,
    boolean sameTop,
    double shift,
    double referenceLoss,
    double loss,
    List<Ranked> referenceTops,
    List<Ranked> tops) {
  /** How many of the likeliest tokens are kept; a vocabulary may have fewer. */
  static final int TOPS = 3;

  /** A token with its probability. */
  record Ranked(int token, double probability) {}

  /**
   * Compares two rows of logits.
   *
   * @param p the reference's logits, [vocabulary] from {@code pAt} on
   * @param q the other model's logits, [vocabulary] from {@code qAt} on
   * @param next the token that follows in the text
   * @throws PelicanException if a row has no finite sum
   */
  static Divergence of(float[] p, int pAt, float[] q, int qAt, int vocabulary, int next) {
    double pSum = LogProbabilities.logSum(p, pAt, vocabulary);
    double qSum = LogProbabilities.logSum(q, qAt, vocabulary);
    if (!Double.isFinite(pSum) || !Double.isFinite(qSum)) {
      throw new PelicanException("the logits are not finite, expected numbers");
    }
    double kl = 0;
    for (int i = 0; i < vocabulary; i++) {
      double logP = p[pAt + i] - pSum;
      // A token that the reference rules out adds nothing: p · ln p tends to 0.
      if (logP > Double.NEGATIVE_INFINITY) {
        kl += Math.exp(logP) * (logP - (q[qAt + i] - qSum));
      }
    }
    List<Ranked> referenceTops = tops(p, pAt, vocabulary, pSum);
    List<Ranked> tops = tops(q, qAt, vocabulary, qSum);
    double pNext = p[pAt + next] - pSum;
    double qNext = q[qAt + next] - qSum;
    return new Divergence(
        kl,
        referenceTops.getFirst().token == tops.getFirst().token,
        Math.exp(qNext) - Math.exp(pNext),
        -pNext,
        -qNext,
        referenceTops,
        tops);
  }

  /** The likeliest tokens; of equal ones the first. */
  private static List<Ranked> tops(float[] logits, int from, int vocabulary, double sum) {
    int[] best = new int[Math.min(TOPS, vocabulary)];
    int found = 0;
    for (int i = 0; i < vocabulary; i++) {
      float logit = logits[from + i];
      if (found == best.length && !(logit > logits[from + best[found - 1]])) {
        continue;
      }
      int place = found == best.length ? found - 1 : found++;
      while (place > 0 && logit > logits[from + best[place - 1]]) {
        best[place] = best[place - 1];
        place--;
      }
      best[place] = i;
    }
    List<Ranked> tops = new ArrayList<>();
    for (int token : best) {
      tops.add(new Ranked(token, Math.exp(logits[from + token] - sum)));
    }
    return tops;
  }
}
