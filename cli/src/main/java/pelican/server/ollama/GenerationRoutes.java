package pelican.server.ollama;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pelican.chat.ToolCall;
import pelican.server.http.ApiException;
import pelican.server.http.ErrorStyle;
import pelican.server.http.EventStream;
import pelican.server.http.Exchange;
import pelican.server.http.Fields;
import pelican.server.http.Reply;
import pelican.server.http.Router;
import pelican.server.inference.Caller;
import pelican.server.inference.ChatRequest;
import pelican.server.inference.Completion;
import pelican.server.inference.Delta;
import pelican.server.inference.DoneReason;
import pelican.server.inference.GenerateRequest;
import pelican.server.inference.Inference;
import pelican.server.inference.KeepAlive;
import pelican.server.inference.Metrics;
import pelican.server.inference.TokenLogprob;
import tools.jackson.databind.JsonNode;

/** {@code /api/chat} and {@code /api/generate}. */
public final class GenerationRoutes {
  private static final String NDJSON = "application/x-ndjson";

  private final Inference inference;

  public GenerationRoutes(Inference inference) {
    this.inference = inference;
  }

  public void addTo(Router router) {
    router.add("POST", "/api/chat", ErrorStyle.OLLAMA, this::chat);
    router.add("POST", "/api/generate", ErrorStyle.OLLAMA, this::generate);
  }

  private void chat(Exchange exchange) {
    Fields body = exchange.body();
    String model = body.string("model");
    if (model.isEmpty()) {
      throw ApiException.badRequest("model is required");
    }
    ChatRequest request =
        ChatRequest.of(model, RequestReader.messages(body))
            .withTools(RequestReader.tools(body))
            .withThink(RequestReader.think(body))
            .withTopLogprobs(RequestReader.topLogprobs(body))
            .withOptions(RequestReader.options(body))
            .withKeepAlive(RequestReader.keepAlive(body))
            .withFormat(RequestReader.format(body))
            .withTruncate(body.bool("truncate", true));
    Answer answer = new Answer(exchange, model, true, wantsStream(body));
    if (body.bool("_debug_render_only", false)) {
      exchange.json(200, answer.rendered(inference.render(request, answer)));
      return;
    }
    answer.finish(inference.chat(request, answer), true);
  }

  private void generate(Exchange exchange) {
    Fields body = exchange.body();
    String model = body.string("model");
    if (model.isEmpty()) {
      throw new ApiException(404, "model '' not found");
    }
    boolean raw = body.bool("raw", false);
    int[] context = context(body);
    String system = body.string("system");
    String template = body.string("template");
    if (raw && (!template.isEmpty() || !system.isEmpty() || context.length > 0)) {
      throw ApiException.badRequest("raw mode does not support template, system, or context");
    }
    RequestReader.refuseImages(body);
    int topLogprobs = RequestReader.topLogprobs(body);
    Optional<Boolean> think = RequestReader.think(body);
    Optional<KeepAlive> keepAlive = RequestReader.keepAlive(body);
    GenerateRequest request =
        new GenerateRequest(
            model,
            body.string("prompt"),
            system,
            raw,
            context,
            think,
            RequestReader.format(body),
            RequestReader.options(body),
            keepAlive,
            body.bool("truncate", true),
            topLogprobs);
    if (!body.string("suffix").isEmpty()) {
      throw ApiException.badRequest(
          inference.catalog().require(model).fullName() + " does not support insert");
    }
    if (!template.isEmpty()) {
      throw ApiException.badRequest("template is not supported: prompts have Gemma's own form");
    }
    Answer answer = new Answer(exchange, model, false, wantsStream(body));
    if (body.bool("_debug_render_only", false)) {
      exchange.json(200, answer.rendered(inference.render(request, answer)));
      return;
    }
    answer.finish(inference.generate(request, answer), !raw);
  }

  private static boolean wantsStream(Fields body) {
    return body.bool("stream", true);
  }

  private static int[] context(Fields body) {
    List<JsonNode> nodes = body.array("context");
    int[] context = new int[nodes.size()];
    for (int i = 0; i < context.length; i++) {
      JsonNode node = nodes.get(i);
      if (!node.isIntegralNumber() || !node.canConvertToInt()) {
        throw ApiException.badRequest("\"context[" + i + "]\" is " + node + ", expected a token");
      }
      context[i] = node.asInt();
    }
    return context;
  }

  /** Tokens and their probabilities as clients get them. */
  public static List<Object> logprobs(List<TokenLogprob> logprobs) {
    List<Object> list = new ArrayList<>();
    for (TokenLogprob entry : logprobs) {
      Reply reply =
          new Reply()
              .with("token", entry.token())
              .with("logprob", entry.logprob())
              .with("bytes", entry.bytes());
      list.add(reply.withUnlessEmpty("top_logprobs", logprobs(entry.top())));
    }
    return list;
  }

  /** One answer on its way to the client. */
  private static final class Answer implements Caller {
    private final Exchange exchange;
    private final String model;
    private final boolean chat;
    private final EventStream stream;
    private int calls;

    Answer(Exchange exchange, String model, boolean chat, boolean streaming) {
      this.exchange = exchange;
      this.model = model;
      this.chat = chat;
      stream = streaming ? exchange.stream(NDJSON) : null;
    }

    @Override
    public boolean gone() {
      return exchange.clientGone();
    }

    @Override
    public void accept(Delta delta) {
      if (stream != null) {
        Reply reply = begin(delta.content(), delta.thinking(), delta.toolCalls());
        reply.with("done", false);
        reply.withUnlessEmpty("logprobs", logprobs(delta.logprobs()));
        stream.sendLine(reply);
      }
    }

    void finish(Completion completion, boolean withContext) {
      boolean whole = stream == null;
      boolean idle =
          completion.reason() == DoneReason.LOAD || completion.reason() == DoneReason.UNLOAD;
      calls = whole ? 0 : calls;
      Reply reply =
          begin(
              whole ? completion.content() : "",
              whole ? completion.thinking() : "",
              whole ? completion.toolCalls() : List.of());
      reply.with("done", true).with("done_reason", completion.reason().text());
      if (!chat && withContext && !idle) {
        reply.withUnlessEmpty("context", completion.context());
      }
      if (!idle) {
        Metrics metrics = completion.metrics();
        reply
            .withUnlessEmpty("total_duration", metrics.total())
            .withUnlessEmpty("load_duration", metrics.load())
            .withUnlessEmpty("prompt_eval_count", metrics.promptTokens())
            .withUnlessEmpty("prompt_eval_duration", metrics.prompt())
            .withUnlessEmpty("eval_count", metrics.tokens())
            .withUnlessEmpty("eval_duration", metrics.generation());
      }
      if (whole) {
        reply.withUnlessEmpty("logprobs", logprobs(completion.logprobs()));
      }
      if (whole || idle) {
        exchange.json(200, reply);
      } else {
        stream.sendLine(reply);
      }
    }

    private Reply begin(String content, String thinking, List<ToolCall> toolCalls) {
      Reply reply = new Reply().with("model", model).with("created_at", Instant.now().toString());
      List<Object> called = new ArrayList<>();
      for (ToolCall call : toolCalls) {
        called.add(
            new Reply()
                .with("id", call.id())
                .with(
                    "function",
                    new Reply()
                        .with("index", calls++)
                        .with("name", call.name())
                        .with("arguments", call.arguments())));
      }
      if (chat) {
        reply.with(
            "message",
            new Reply()
                .with("role", "assistant")
                .with("content", content)
                .withUnlessEmpty("thinking", thinking)
                .withUnlessEmpty("tool_calls", called));
      } else {
        reply
            .with("response", content)
            .withUnlessEmpty("thinking", thinking)
            .withUnlessEmpty("tool_calls", called);
      }
      return reply;
    }

    Reply rendered(String prompt) {
      Reply reply = begin("", "", List.of());
      return reply.with("done", false).with("_debug_info", Map.of("rendered_template", prompt));
    }
  }
}
