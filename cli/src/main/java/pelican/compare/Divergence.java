package pelican.compare;

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
 * @param referenceTop the reference's likeliest token
 * @param referenceTopProbability its probability p
 * @param top the other model's likeliest token
 * @param topProbability its probability q
 */
record Divergence(
    double kl,
    boolean sameTop,
    double shift,
    double referenceLoss,
    double loss,
    int referenceTop,
    double referenceTopProbability,
    int top,
    double topProbability) {
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
    int pTop = 0;
    int qTop = 0;
    for (int i = 0; i < vocabulary; i++) {
      double logP = p[pAt + i] - pSum;
      // A token that the reference rules out adds nothing: p · ln p tends to 0.
      if (logP > Double.NEGATIVE_INFINITY) {
        kl += Math.exp(logP) * (logP - (q[qAt + i] - qSum));
      }
      pTop = p[pAt + i] > p[pAt + pTop] ? i : pTop;
      qTop = q[qAt + i] > q[qAt + qTop] ? i : qTop;
    }
    double pNext = p[pAt + next] - pSum;
    double qNext = q[qAt + next] - qSum;
    return new Divergence(
        kl,
        pTop == qTop,
        Math.exp(qNext) - Math.exp(pNext),
        -pNext,
        -qNext,
        pTop,
        Math.exp(p[pAt + pTop] - pSum),
        qTop,
        Math.exp(q[qAt + qTop] - qSum));
  }
}
