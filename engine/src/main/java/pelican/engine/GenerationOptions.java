package pelican.engine;

import java.util.List;
import pelican.sampling.SamplingOptions;
import pelican.sampling.TokenConstraint;

/**
 * What to generate after a prompt.
 *
 * @param sampling how tokens are drawn
 * @param maxTokens the most tokens to generate; -1 for as many as the context holds
 * @param stop strings before which the text ends
 * @param topLogProbabilities how many alternatives to report with each token; -1 for no
 *     probabilities
 * @param constraint limits what may be drawn, or null
 */
public record GenerationOptions(
    SamplingOptions sampling,
    int maxTokens,
    List<String> stop,
    int topLogProbabilities,
    TokenConstraint constraint) {
  /** Gemma's recommended sampling, until the model ends its turn. */
  public static final GenerationOptions DEFAULT =
      new GenerationOptions(SamplingOptions.GEMMA, -1, List.of(), -1, null);

  /**
   * @throws PelicanException if the number of tokens is less than -1
   */
  public GenerationOptions {
    if (maxTokens < -1) {
      throw new PelicanException("num_predict is " + maxTokens + ", expected -1 or more");
    }
    stop = List.copyOf(stop);
  }

  public GenerationOptions withSampling(SamplingOptions value) {
    return new GenerationOptions(value, maxTokens, stop, topLogProbabilities, constraint);
  }

  public GenerationOptions withMaxTokens(int value) {
    return new GenerationOptions(sampling, value, stop, topLogProbabilities, constraint);
  }

  public GenerationOptions withStop(List<String> value) {
    return new GenerationOptions(sampling, maxTokens, value, topLogProbabilities, constraint);
  }

  public GenerationOptions withTopLogProbabilities(int value) {
    return new GenerationOptions(sampling, maxTokens, stop, value, constraint);
  }

  public GenerationOptions withConstraint(TokenConstraint value) {
    return new GenerationOptions(sampling, maxTokens, stop, topLogProbabilities, value);
  }
}
