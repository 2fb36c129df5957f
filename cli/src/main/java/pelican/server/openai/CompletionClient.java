package pelican.server.openai;

import java.time.Instant;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import pelican.server.http.Exchange;
import pelican.server.http.Reply;
import pelican.server.inference.Metrics;
import pelican.server.inference.WaitingClient;

/**
 * A client of OpenAI's completions, with what answers to both kinds of requests begin and end with.
 */
abstract class CompletionClient extends WaitingClient {
  /** Whether a stream ends with what was used. */
  protected final boolean withUsage;

  private final String id;
  private final String model;
  private final long created = Instant.now().getEpochSecond();

  /**
   * A client.
   *
   * @param prefix what the answer's identifier begins with
   */
  protected CompletionClient(
      Exchange exchange, String prefix, String model, boolean streaming, boolean withUsage) {
    super(exchange, streaming);
    this.model = model;
    this.withUsage = withUsage;
    id = prefix + ThreadLocalRandom.current().nextInt(999);
  }

  /** The first members of an answer, or of a part. */
  protected final Reply head(String object) {
    return new Reply()
        .with("id", id)
        .with("object", object)
        .with("created", created)
        .with("model", model)
        .with("system_fingerprint", "fp_ollama");
  }

  /** Ends a stream. */
  protected final void end(String object, Metrics metrics) {
    if (withUsage) {
      stream.sendData(
          head(object)
              .with("choices", List.of())
              .with("usage", ChatCompletionRoutes.usage(metrics)));
    }
    stream.send("data: [DONE]\n\n");
  }
}
