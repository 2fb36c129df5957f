package pelican.sampling;

import java.util.concurrent.ThreadLocalRandom;
import pelican.engine.PelicanException;

/**
 * Draws the next token of one generation. Steps in the order of llama.cpp's default chain:
 *
 * <ol>
 *   <li>the constraint forbids tokens, of which only those are asked about that matter;
 *   <li>penalties lower the logits of tokens in the window of {@code repeat_last_n};
 *   <li>{@code top_k} keeps the k likeliest;
 *   <li>{@code typical_p}, then {@code top_p} keep tokens until their probabilities, at temperature
 *       1 and adding up to 1 over what is left, reach p;
 *   <li>{@code min_p} keeps tokens at least p times as likely as the likeliest;
 *   <li>{@code temperature} divides the logits, and one token is drawn by {@code softmax}.
 * </ol>
 *
 * <p>Temperature 0 takes the likeliest token after the penalties, of equal ones the one of the
 * smallest id. The same seed and the same logits give the same tokens. Without {@code top_k} all
 * tokens of the vocabulary are exponentiated, which takes milliseconds rather than microseconds.
 */
public final class Sampler {
  private final SamplingOptions options;
  private final TokenConstraint constraint;
  private final SplitMix random;
  private final Candidates candidates = new Candidates();
  private final Penalties penalties;

  /** Draws without masking all tokens; null if there is no constraint. */
  private final AllowedDraw allowed;

  /**
   * @param constraint limits what may be drawn, or null
   */
  public Sampler(SamplingOptions options, TokenConstraint constraint) {
    this.options = options;
    this.constraint = constraint;
    penalties = new Penalties(options);
    allowed = constraint == null ? null : new AllowedDraw(options);
    random = new SplitMix(options.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong()));
  }

  /** A sampler without constraint. */
  public Sampler(SamplingOptions options) {
    this(options, null);
  }

  /** Adds a token that was not drawn, as of the prompt, to what the penalties see. */
  public void see(int token) {
    penalties.see(token);
  }

  /**
   * Draws a token.
   *
   * @param logits the logit of token t stands at {@code offset + t}; penalized in place, and those
   *     of forbidden tokens may be overwritten
   * @param vocabulary how many tokens there are
   * @throws PelicanException if a logit is NaN or positive infinity, as with a damaged model file,
   *     or no token may be drawn
   */
  public int sample(float[] logits, int offset, int vocabulary) {
    penalties.apply(logits, offset, vocabulary);
    double share = options.temperature() == 0 ? 0 : random.next();
    int token =
        constraint == null
            ? draw(logits, offset, vocabulary, share)
            : drawAllowed(logits, offset, vocabulary, share);
    penalties.see(token);
    if (constraint != null) {
      constraint.accept(token);
    }
    return token;
  }

  private int drawAllowed(float[] logits, int offset, int vocabulary, double share) {
    if (options.typicalP() < 1) {
      // Which tokens are typical depends on all others.
      constraint.mask(logits, offset, vocabulary);
    } else {
      int token = allowed.draw(constraint, logits, offset, vocabulary, share);
      if (token >= 0) {
        return token;
      }
      check(allowed.maximum(), false);
      constraint.mask(logits, offset, vocabulary);
      allowed.restore(logits, offset);
    }
    return draw(logits, offset, vocabulary, share);
  }

  /**
   * @param share how much of the probability those tokens have that stand before the drawn one
   */
  private int draw(float[] logits, int offset, int vocabulary, double share) {
    boolean greedy = options.temperature() == 0;
    int k = greedy ? 1 : options.topK();
    if (k > 0 && k < vocabulary) {
      candidates.takeBest(logits, offset, vocabulary, k);
    } else {
      // What the share leads to must not depend on whether that was known without masking.
      candidates.takeAll(logits, offset, vocabulary, allowed);
    }
    check(candidates.maximum(), constraint != null);
    if (greedy) {
      return candidates.id(0);
    }
    if (options.typicalP() < 1) {
      candidates.keepTypical(options.typicalP());
    }
    if (options.topP() < 1) {
      candidates.keepTop(options.topP());
    }
    if (options.minP() > 0) {
      candidates.keepAbove(options.minP());
    }
    candidates.normalize(options.temperature());
    double rest = share;
    int last = candidates.size() - 1;
    for (int i = 0; i < last; i++) {
      rest -= candidates.probability(i);
      if (rest < 0) {
        return candidates.id(i);
      }
    }
    return candidates.id(last);
  }

  /**
   * @param maximum the largest logit; negative infinity if there is none
   * @param masked whether the constraint has been applied
   */
  private static void check(float maximum, boolean masked) {
    if (maximum == Float.NEGATIVE_INFINITY) {
      throw new PelicanException(
          masked
              ? "no token may come next: the output's constraint forbids all of them"
              : "the model gives negative infinity as the logit of every token, expected finite"
                  + " numbers: is the model file damaged?");
    }
    if (maximum == Float.POSITIVE_INFINITY) {
      throw new PelicanException(
          "the model gives infinity as a logit, expected finite numbers: is the model file"
              + " damaged?");
    }
  }
}
