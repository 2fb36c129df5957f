package pelican.sampling;

import java.util.Arrays;

/**
 * Draws one of the tokens that a constraint allows without asking it about all of them. Tokens are
 * asked about from the best one on, and only until the draw depends on no more: what is unknown has
 * at most the weight of the best tokens not asked about, and whatever of it is allowed, the same
 * token is drawn. So the result is what masking all others first gives, for the same random number.
 *
 * <p>Reused from token to token. Knows {@code top_k}, {@code top_p}, {@code min_p} and {@code
 * temperature}.
 */
final class AllowedDraw {
  /** So many tokens are asked about at most. */
  private static final int MOST_ASKED = 512;

  /** So many are asked about, if need be, however few may be drawn. */
  private static final int LEAST_ASKED = 64;

  /** More than sums of weights can be off, as a share. */
  private static final double ROUNDING = 1e-12;

  private final boolean greedy;
  private final int topK;
  private final double topP;
  private final double logMinP;
  private final double temperature;
  private final LargestFirst largest = new LargestFirst();

  /** The weights at temperature 1 of the tokens before each of the best, from an allowed one on. */
  private final double[] plain = new double[MOST_ASKED + 1];

  /** The same at the options' temperature. */
  private final double[] heated = new double[MOST_ASKED + 1];

  private static final int STEPS_PER_NAT = 8;
  private static final int STEPS = 512;

  /** How many tokens there are by how far they are below the best allowed one. */
  private final int[] steps = new int[STEPS];

  private double plainOthers;
  private double heatedOthers;

  /** The tokens that are allowed, best first; then the weights of all before each. */
  private final int[] ids = new int[MOST_ASKED];

  private final float[] logits = new float[MOST_ASKED];
  private final double[] plainSums = new double[MOST_ASKED + 1];
  private final double[] heatedSums = new double[MOST_ASKED + 1];

  private int allowed;

  /** How many of the allowed tokens {@code min_p} keeps. */
  private int likely;

  AllowedDraw(SamplingOptions options) {
    greedy = options.temperature() == 0;
    topK = options.topK();
    topP = options.topP();
    logMinP = Math.log(options.minP());
    temperature = greedy ? 1 : options.temperature();
  }

  /** The largest logit of the last draw, allowed or not; negative infinity if there is none. */
  float maximum() {
    return largest.size() == 0 ? Float.NEGATIVE_INFINITY : largest.score(0);
  }

  /**
   * Draws a token.
   *
   * @param source the logit of token t stands at {@code offset + t}
   * @param share 0 to 1: how much of the weight of all tokens that may be drawn those before the
   *     drawn one have; of no meaning at temperature 0
   * @return the token; -1 if it depends on more tokens than are asked about
   * @throws pelican.engine.PelicanException if a logit is NaN
   */
  int draw(TokenConstraint constraint, float[] source, int offset, int vocabulary, double share) {
    int k = greedy ? 1 : topK > 0 ? Math.min(topK, vocabulary) : vocabulary;
    int most = (int) Math.min(Math.min(MOST_ASKED, vocabulary), 2L * k + LEAST_ASKED);
    largest.select(source, offset, vocabulary, most);
    int size = largest.size();
    boolean all = size < most || size == vocabulary;
    allowed = 0;
    likely = 0;
    if (maximum() == Float.POSITIVE_INFINITY) {
      return -1;
    }
    for (int i = 0; i < size && allowed < k; i++) {
      if (!constraint.allows(largest.index(i))) {
        continue;
      }
      if (greedy) {
        return largest.index(i);
      }
      if (allowed == 0) {
        weigh(i);
        if (!all) {
          weighOthers(source, offset, vocabulary, k);
        }
      }
      add(i);
      int more = k - allowed;
      int known = Math.min(more, size - 1 - i);
      double plainRest = plain[i + 1 + known] - plain[i + 1];
      double heatedRest = heated[i + 1 + known] - heated[i + 1];
      if (more > known && !all) {
        plainRest += Math.min(plainOthers, (more - known) * weight(size - 1, 1));
        heatedRest += Math.min(heatedOthers, (more - known) * weight(size - 1, temperature));
      }
      int token = decide(plainRest, likely < allowed ? 0 : heatedRest, share);
      if (token >= 0) {
        return token;
      }
    }
    return allowed == k || all && allowed > 0 ? drawnOfAll(share) : -1;
  }

  /** Undoes the masking of tokens that the last draw found to be allowed. */
  void restore(float[] source, int offset) {
    for (int i = 0; i < allowed; i++) {
      source[offset + ids[i]] = logits[i];
    }
  }

  /** How many tokens the last draw found to be allowed. */
  int size() {
    return allowed;
  }

  /** Those tokens, best first. */
  int id(int index) {
    return ids[index];
  }

  /** As a share of the best allowed token's. */
  private double weight(int rank, double temperature) {
    return Math.exp(((double) largest.score(rank) - logits[0]) / temperature);
  }

  /** Finds the weights of the tokens from the best allowed one on. */
  private void weigh(int best) {
    logits[0] = largest.score(best);
    plain[best] = 0;
    heated[best] = 0;
    for (int i = best; i < largest.size(); i++) {
      plain[i + 1] = plain[i] + weight(i, 1);
      heated[i + 1] = heated[i] + weight(i, temperature);
    }
  }

  /** Finds what the tokens that are not among the best weigh at most. */
  private void weighOthers(float[] source, int offset, int vocabulary, int k) {
    plainOthers = Double.POSITIVE_INFINITY;
    heatedOthers = Double.POSITIVE_INFINITY;
    if (k < vocabulary) {
      return;
    }
    // A bound is enough, and counting takes much less time than the exponential of each.
    Arrays.fill(steps, 0);
    float least = largest.score(largest.size() - 1);
    for (int t = 0; t < vocabulary; t++) {
      float logit = source[offset + t];
      if (logit <= least) {
        steps[(int) Math.min(STEPS - 1, (logits[0] - logit) * STEPS_PER_NAT)]++;
      }
    }
    plainOthers = 0;
    heatedOthers = 0;
    for (int i = 0; i < STEPS; i++) {
      double below = -i / (double) STEPS_PER_NAT;
      plainOthers += steps[i] * Math.exp(below);
      heatedOthers += steps[i] * Math.exp(below / temperature);
    }
  }

  private void add(int rank) {
    ids[allowed] = largest.index(rank);
    logits[allowed] = largest.score(rank);
    if (logits[allowed] >= logits[0] + logMinP) {
      likely++;
    }
    allowed++;
    plainSums[allowed] = plainSums[allowed - 1] + weight(rank, 1);
    heatedSums[allowed] = heatedSums[allowed - 1] + weight(rank, temperature);
  }

  /**
   * The token to draw if it is the same however much weight, up to some, further tokens have.
   *
   * @return the token, or -1
   */
  private int decide(double plainRest, double heatedRest, double share) {
    double less = 1 - ROUNDING;
    double more = 1 + ROUNDING;
    int fewest = Math.min(likely, kept(topP * plainSums[allowed] * less));
    int most = kept(topP * (plainSums[allowed] + plainRest) * more);
    double greatest =
        most <= allowed ? heatedSums[Math.min(likely, most)] : heatedSums[likely] + heatedRest;
    int place = place(share * heatedSums[fewest] * less);
    return place < fewest && place == place(share * greatest * more) ? ids[place] : -1;
  }

  /** The token to draw where there are no further ones. */
  private int drawnOfAll(double share) {
    int count = Math.min(likely, kept(topP * plainSums[allowed]));
    return ids[Math.min(count - 1, place(share * heatedSums[count]))];
  }

  /** How many tokens it takes to reach a weight, at least one; more than there are if none do. */
  private int kept(double weight) {
    int count = 1;
    while (count <= allowed && plainSums[count] < weight) {
      count++;
    }
    return count;
  }

  /** The token within which a weight is exceeded; one more than the last if none. */
  private int place(double weight) {
    int at = 0;
    while (at < allowed && heatedSums[at + 1] <= weight) {
      at++;
    }
    return at;
  }
}
