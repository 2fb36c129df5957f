package pelican.engine;

import pelican.gguf.GgufMetadata;
import pelican.sampling.SamplingOptions;

/**
 * How a model's authors recommend to sample from it: the keys {@code general.sampling.*} that
 * llama.cpp's converter takes from a model's generation settings. What a file does not say is as
 * Gemma's authors recommend.
 */
final class RecommendedSampling {
  private static final String PREFIX = "general.sampling.";

  private RecommendedSampling() {}

  /**
   * @throws PelicanException naming file, key and value if a value is out of its range
   */
  static SamplingOptions from(GgufMetadata metadata) {
    SamplingOptions.Builder options = SamplingOptions.GEMMA.toBuilder();
    if (metadata.has(PREFIX + "temp")) {
      options.temperature(metadata.floating(PREFIX + "temp"));
    }
    if (metadata.has(PREFIX + "top_k")) {
      options.topK(metadata.integer(PREFIX + "top_k"));
    }
    if (metadata.has(PREFIX + "top_p")) {
      options.topP(metadata.floating(PREFIX + "top_p"));
    }
    if (metadata.has(PREFIX + "min_p")) {
      options.minP(metadata.floating(PREFIX + "min_p"));
    }
    if (metadata.has(PREFIX + "penalty_last_n")) {
      options.repeatLastN(metadata.integer(PREFIX + "penalty_last_n"));
    }
    if (metadata.has(PREFIX + "penalty_repeat")) {
      options.repeatPenalty(metadata.floating(PREFIX + "penalty_repeat"));
    }
    try {
      return options.build();
    } catch (PelicanException e) {
      throw new PelicanException(
          metadata.path() + ": metadata " + PREFIX + "*: " + e.getMessage(), e);
    }
  }
}
