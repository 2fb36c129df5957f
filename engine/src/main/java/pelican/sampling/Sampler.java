package pelican.sampling;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import pelican.engine.PelicanException;

/**
 * Draws the next token of one generation. Steps in llama.cpp's order: constraint, penalties, top-k,
 * typical-p, top-p, min-p, temperature, then a draw. Keeps the tokens that the penalties look at and
 * the state of the random numbers, so the same seed and the same logits give the same tokens.
 */
public final class Sampler {
  private final SamplingOptions options;
  private final TokenConstraint constraint;
  private final Random random;
  private final Candidates candidates = new Candidates();
  private int[] history = new int[256];
  private int historySize;

  /**
   * @param constraint limits what may be drawn, or null
   */
  public Sampler(SamplingOptions options, TokenConstraint constraint) {
    this.options = options;
    this.constraint = constraint;
    random =
        options.seed().isPresent() ? new Random(options.seed().getAsLong()) : new Random();
  }

  /** A sampler without constraint. */
  public Sampler(SamplingOptions options) {
    this(options, null);
  }

  /** Adds a token that was not drawn, as of the prompt, to what the penalties see. */
  public void see(int token) {
    if (historySize == history.length) {
      history = Arrays.copyOf(history, 2 * historySize);
    }
    history[historySize++] = token;
  }

  /**
   * Draws a token.
   *
   * @param logits of each token of the vocabulary, from {@code offset} on; overwritten
   * @throws PelicanException if no logit is a number, as with a damaged model file
   */
  public int sample(float[] logits, int offset, int vocabulary) {
    if (constraint != null) {
      if (offset != 0 || logits.length != vocabulary) {
        float[] row = Arrays.copyOfRange(logits, offset, offset + vocabulary);
        constraint.mask(row);
        System.arraycopy(row, 0, logits, offset, vocabulary);
      } else {
        constraint.mask(logits);
      }
    }
    penalize(logits, offset, vocabulary);
    boolean greedy = options.temperature() == 0;
    int k = options.topK() == 0 ? vocabulary : Math.min(options.topK(), vocabulary);
    candidates.select(logits, offset, vocabulary, greedy ? 1 : k);
    if (candidates.size == 0 || Float.isNaN(candidates.logits[0])) {
      throw new PelicanException(
          "the model gives no usable logits (all are NaN or minus infinity): a damaged file?");
    }
    int token = candidates.ids[greedy ? 0 : draw()];
    see(token);
    if (constraint != null) {
      constraint.accept(token);
    }
    return token;
  }

  private int draw() {
    if (options.typicalP() < 1) {
      candidates.normalize(1);
      candidates.keepTypical(options.typicalP());
    }
    if (options.topP() < 1) {
      candidates.normalize(1);
      candidates.keepTop(options.topP());
    }
    if (options.minP() > 0) {
      candidates.normalize(1);
      candidates.keepAbove(options.minP());
    }
    candidates.normalize(options.temperature());
    double rest = random.nextDouble();
    for (int i = 0; i < candidates.size - 1; i++) {
      rest -= candidates.probabilities[i];
      if (rest < 0) {
        return i;
      }
    }
    return candidates.size - 1;
  }

  private void penalize(float[] logits, int offset, int vocabulary) {
    boolean none =
        options.repeatPenalty() == 1
            && options.presencePenalty() == 0
            && options.frequencyPenalty() == 0;
    if (none || options.repeatLastN() == 0) {
      return;
    }
    int window =
        options.repeatLastN() < 0 ? historySize : Math.min(historySize, options.repeatLastN());
    Map<Integer, Integer> counts = new HashMap<>();
    for (int i = historySize - window; i < historySize; i++) {
      if (history[i] >= 0 && history[i] < vocabulary) {
        counts.merge(history[i], 1, Integer::sum);
      }
    }
    counts.forEach(
        (token, count) -> {
          float logit = logits[offset + token];
          double scaled =
              logit > 0 ? logit / options.repeatPenalty() : logit * options.repeatPenalty();
          logits[offset + token] =
              (float)
                  (scaled - count * options.frequencyPenalty() - options.presencePenalty());
        });
  }
}
