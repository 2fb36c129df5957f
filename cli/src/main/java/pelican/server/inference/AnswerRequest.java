package pelican.server.inference;

import java.util.Optional;

/** What requests for an answer have in common, whatever the answer is to. */
public sealed interface AnswerRequest permits ChatRequest, GenerateRequest {
  /** A model's name as the client wrote it. */
  String model();

  /** Whether to think first; empty for the model's way. */
  Optional<Boolean> think();

  /** What the answer has to be. */
  Format format();

  /** Generation options by Ollama's names. */
  Options options();

  /** How long the model stays loaded afterwards; empty for what holds already. */
  Optional<KeepAlive> keepAlive();

  /** Whether what comes first is left out if the prompt is too long. */
  boolean truncate();

  /** How many alternatives to report with each token; -1 for no probabilities. */
  int topLogprobs();
}
