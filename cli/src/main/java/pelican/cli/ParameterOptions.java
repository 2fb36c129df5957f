package pelican.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** The options that say how an answer is generated. */
final class ParameterOptions {
  @Option(names = "--temperature", description = "0 takes the likeliest token; default 1.")
  private String temperature;

  @Option(names = "--top-k", description = "Likeliest tokens that stay; 0 for all; default 64.")
  private String topK;

  @Option(names = "--top-p", description = "Probability that stays; default 0.95.")
  private String topP;

  @Option(names = "--min-p", description = "Least share of the likeliest one's probability.")
  private String minP;

  @Option(names = "--typical-p", description = "Locally typical probability that stays.")
  private String typicalP;

  @Option(names = "--repeat-last-n", description = "Tokens that penalties look at; default 64.")
  private String repeatLastN;

  @Option(names = "--repeat-penalty", description = "Divides the logits of repeated tokens.")
  private String repeatPenalty;

  @Option(names = "--presence-penalty", description = "Taken from the logits of seen tokens.")
  private String presencePenalty;

  @Option(names = "--frequency-penalty", description = "Taken for each time a token was seen.")
  private String frequencyPenalty;

  @Option(names = "--seed", description = "The same seed gives the same answer.")
  private String seed;

  @Option(names = "--stop", description = "Ends the answer before this text; may be repeated.")
  private List<String> stop;

  @Option(names = "--num-predict", description = "The most tokens to generate; -1 for no limit.")
  private String numPredict;

  @Option(names = "--num-ctx", description = "Tokens of context; default 4096.")
  private String numCtx;

  /** Sets what was given. */
  void applyTo(Parameters parameters) {
    Map<String, String> single = new LinkedHashMap<>();
    single.put("temperature", temperature);
    single.put("top_k", topK);
    single.put("top_p", topP);
    single.put("min_p", minP);
    single.put("typical_p", typicalP);
    single.put("repeat_last_n", repeatLastN);
    single.put("repeat_penalty", repeatPenalty);
    single.put("presence_penalty", presencePenalty);
    single.put("frequency_penalty", frequencyPenalty);
    single.put("seed", seed);
    single.put("num_predict", numPredict);
    single.put("num_ctx", numCtx);
    single.forEach((name, value) -> {
      if (value != null) {
        parameters.set(name, List.of(value));
      }
    });
    if (stop != null) {
      parameters.set("stop", stop);
    }
  }
}
