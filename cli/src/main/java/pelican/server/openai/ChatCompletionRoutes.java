package pelican.server.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import pelican.chat.ToolCall;
import pelican.server.http.Exchange;
import pelican.server.http.Fields;
import pelican.server.http.Json;
import pelican.server.http.Reply;
import pelican.server.http.Router;
import pelican.server.inference.ChatRequest;
import pelican.server.inference.Completion;
import pelican.server.inference.Delta;
import pelican.server.inference.DoneReason;
import pelican.server.inference.Inference;
import pelican.server.inference.Metrics;
import pelican.server.inference.Options;
import pelican.server.inference.TokenLogprob;
import pelican.server.ollama.GenerationRoutes;
import pelican.server.ollama.RequestReader;

/** {@code /v1/chat/completions}. */
public final class ChatCompletionRoutes {
  private final Inference inference;

  public ChatCompletionRoutes(Inference inference) {
    this.inference = inference;
  }

  public void addTo(Router router) {
    router.add("POST", "/v1/chat/completions", OpenAiErrors.STYLE, this::chat);
  }

  private void chat(Exchange exchange) {
    Fields body = exchange.body();
    ChatRequest request =
        ChatRequest.of(OpenAiRequests.model(body), ChatMessages.read(body))
            .withTools(RequestReader.tools(body))
            .withThink(OpenAiRequests.think(body))
            .withTopLogprobs(RequestReader.topLogprobs(body))
            .withOptions(
                new Options(OpenAiRequests.options(body, "max_tokens", "max_completion_tokens")))
            .withFormat(
                OpenAiRequests.format(
                    "response_format",
                    body.object("response_format"),
                    body.object("response_format").flatMap(f -> f.object("json_schema"))));
    Answer answer =
        new Answer(
            exchange,
            request.model(),
            body.bool("stream", false),
            OpenAiRequests.includesUsage(body));
    if (body.bool("_debug_render_only", false)) {
      answer.rendered(inference.render(request, answer));
      return;
    }
    answer.finish(inference.chat(request, answer));
  }

  /** The tokens of prompt and answer. */
  static Reply usage(int prompt, int tokens) {
    return new Reply()
        .with("prompt_tokens", prompt)
        .with("completion_tokens", tokens)
        .with("total_tokens", prompt + tokens);
  }

  static Reply usage(Metrics metrics) {
    return usage(metrics.promptTokens(), metrics.tokens());
  }

  /** What a choice says of the probabilities of its tokens; null if nothing was asked. */
  static Reply logprobs(List<TokenLogprob> logprobs) {
    return logprobs.isEmpty()
        ? null
        : new Reply().with("content", GenerationRoutes.logprobs(logprobs));
  }

  /** One answer on its way to the client. */
  private static final class Answer extends CompletionClient {
    private static final String CHUNK = "chat.completion.chunk";

    private boolean begun;
    private int calls;

    Answer(Exchange exchange, String model, boolean streaming, boolean withUsage) {
      super(exchange, "chatcmpl-", model, streaming, withUsage);
    }

    @Override
    public void accept(Delta part) {
      if (stream == null) {
        return;
      }
      boolean spoken = !part.content().isEmpty() || !part.toolCalls().isEmpty();
      String thinking = part.thinking();
      if (!thinking.isEmpty() && spoken) {
        sendDelta(begin().with("reasoning", thinking), List.of());
        thinking = "";
      }
      sendDelta(
          begin()
              .with("content", part.content())
              .withUnlessEmpty("reasoning", thinking)
              .withUnlessEmpty("tool_calls", calls(part.toolCalls())),
          part.logprobs());
    }

    /** A delta; the first of a stream says whose words follow. */
    private Reply begin() {
      Reply delta = new Reply();
      if (!begun) {
        begun = true;
        delta.with("role", "assistant");
      }
      return delta;
    }

    private void sendDelta(Reply delta, List<TokenLogprob> logprobs) {
      sendChoice(
          new Reply()
              .with("index", 0)
              .with("delta", delta)
              .with("finish_reason", null)
              .withUnlessEmpty("logprobs", logprobs(logprobs)));
    }

    private void sendChoice(Reply choice) {
      stream.sendData(head(CHUNK).with("choices", List.of(choice)));
    }

    private List<Object> calls(List<ToolCall> made) {
      List<Object> list = new ArrayList<>();
      for (ToolCall call : made) {
        list.add(
            new Reply()
                .with("id", call.id())
                .with("index", calls++)
                .with("type", "function")
                .with(
                    "function",
                    new Reply()
                        .with("name", call.name())
                        .with("arguments", Json.text(call.arguments()))));
      }
      return list;
    }

    void finish(Completion completion) {
      boolean called = completion.reason() == DoneReason.STOP && !completion.toolCalls().isEmpty();
      String reason = called ? "tool_calls" : completion.reason().text();
      if (stream == null) {
        Reply message =
            new Reply()
                .with("role", "assistant")
                .with("content", completion.content())
                .withUnlessEmpty("reasoning", completion.thinking())
                .withUnlessEmpty("tool_calls", calls(completion.toolCalls()));
        whole(message, reason, completion.logprobs(), usage(completion.metrics()), Map.of());
        return;
      }
      if (!begun) {
        sendDelta(begin().with("content", ""), List.of());
      }
      sendChoice(
          new Reply().with("index", 0).with("delta", Map.of()).with("finish_reason", reason));
      end(CHUNK, completion.metrics());
    }

    void rendered(String prompt) {
      Reply message = new Reply().with("role", "assistant").with("content", "");
      whole(message, null, List.of(), usage(0, 0), Map.of("rendered_template", prompt));
    }

    private void whole(
        Reply message,
        String reason,
        List<TokenLogprob> logprobs,
        Reply usage,
        Map<String, Object> debug) {
      Reply choice =
          new Reply()
              .with("index", 0)
              .with("message", message)
              .with("finish_reason", reason)
              .withUnlessEmpty("logprobs", logprobs(logprobs));
      Reply reply =
          head("chat.completion")
              .with("choices", List.of(choice))
              .with("usage", usage)
              .withUnlessEmpty("_debug_info", debug);
      exchange.send(200, "application/json", Json.bytes(reply));
    }
  }
}
