package pelican.server.openai;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import pelican.server.http.ApiException;
import pelican.server.http.Exchange;
import pelican.server.http.Fields;
import pelican.server.http.Json;
import pelican.server.http.Reply;
import pelican.server.http.Router;
import pelican.server.inference.Completion;
import pelican.server.inference.Delta;
import pelican.server.inference.Format;
import pelican.server.inference.GenerateRequest;
import pelican.server.inference.Inference;
import pelican.server.inference.Options;
import pelican.server.inference.TokenLogprob;

/** {@code /v1/completions}: an answer to one prompt, without the thoughts. */
public final class CompletionRoutes {
  private final Inference inference;

  public CompletionRoutes(Inference inference) {
    this.inference = inference;
  }

  public void addTo(Router router) {
    router.add("POST", "/v1/completions", OpenAiErrors.STYLE, this::complete);
  }

  private void complete(Exchange exchange) {
    Fields body = exchange.body();
    String model = OpenAiRequests.model(body);
    String prompt = body.string("prompt");
    if (prompt.isEmpty()) {
      throw ApiException.badRequest("\"prompt\" is empty, expected a text");
    }
    Map<String, Object> options = OpenAiRequests.options(body, "max_tokens");
    if (options.get("top_p") instanceof Double p && p == 0) {
      options.put("top_p", 1.0);
    }
    options.putIfAbsent("frequency_penalty", 0.0);
    options.putIfAbsent("presence_penalty", 0.0);
    OptionalInt logprobs = body.integer("logprobs");
    if (logprobs.isPresent() && (logprobs.getAsInt() < 0 || logprobs.getAsInt() > 20)) {
      throw ApiException.badRequest(
          "\"logprobs\" is " + logprobs.getAsInt() + ", expected 0 to 20");
    }
    if (!body.string("suffix").isEmpty()) {
      throw ApiException.badRequest(
          inference.catalog().require(model).fullName() + " does not support insert");
    }
    Answer answer =
        new Answer(exchange, model, body.bool("stream", false), OpenAiRequests.includesUsage(body));
    GenerateRequest request =
        new GenerateRequest(
            model,
            prompt,
            "",
            false,
            new int[0],
            Optional.empty(),
            Format.NONE,
            new Options(options),
            Optional.empty(),
            true,
            logprobs.orElse(-1));
    answer.finish(inference.generate(request, answer));
  }

  /** One answer on its way to the client. */
  private static final class Answer extends CompletionClient {
    private static final String OBJECT = "text_completion";

    Answer(Exchange exchange, String model, boolean streaming, boolean withUsage) {
      super(exchange, "cmpl-", model, streaming, withUsage);
    }

    @Override
    public void accept(Delta part) {
      if (stream != null && !(part.content().isEmpty() && part.logprobs().isEmpty())) {
        sendChunk(choice(part.content(), null, part.logprobs()));
      }
    }

    private void sendChunk(Reply choice) {
      Reply chunk = head(OBJECT).with("choices", List.of(choice));
      stream.sendData(withUsage ? chunk.with("usage", ChatCompletionRoutes.usage(0, 0)) : chunk);
    }

    private static Reply choice(String text, String reason, List<TokenLogprob> logprobs) {
      return new Reply()
          .with("text", text)
          .with("index", 0)
          .with("finish_reason", reason)
          .withUnlessEmpty("logprobs", ChatCompletionRoutes.logprobs(logprobs));
    }

    void finish(Completion completion) {
      String reason = completion.reason().text();
      if (stream == null) {
        Reply choice = choice(completion.content(), reason, completion.logprobs());
        Reply reply =
            head(OBJECT)
                .with("choices", List.of(choice))
                .with("usage", ChatCompletionRoutes.usage(completion.metrics()));
        exchange.send(200, "application/json", Json.bytes(reply));
        return;
      }
      sendChunk(choice("", reason, List.of()));
      end(OBJECT, completion.metrics());
    }
  }
}
