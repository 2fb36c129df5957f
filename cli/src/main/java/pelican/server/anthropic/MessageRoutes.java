package pelican.server.anthropic;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import pelican.chat.ToolCall;
import pelican.server.http.ApiException;
import pelican.server.http.Exchange;
import pelican.server.http.Fields;
import pelican.server.http.Json;
import pelican.server.http.Reply;
import pelican.server.http.Router;
import pelican.server.inference.Capability;
import pelican.server.inference.ChatRequest;
import pelican.server.inference.Completion;
import pelican.server.inference.Delta;
import pelican.server.inference.DoneReason;
import pelican.server.inference.Inference;
import pelican.server.inference.WaitingClient;

/** {@code /v1/messages}, as Anthropic's clients use it. */
public final class MessageRoutes {
  private final Inference inference;

  public MessageRoutes(Inference inference) {
    this.inference = inference;
  }

  public void addTo(Router router) {
    router.add("POST", "/v1/messages", AnthropicErrors.STYLE, this::message);
  }

  private void message(Exchange exchange) {
    Fields body = exchange.body();
    String model = body.string("model");
    if (model.isEmpty()) {
      throw ApiException.badRequest("model is required");
    }
    ChatRequest request =
        ChatRequest.of(model, MessageInput.messages(body))
            .withOptions(MessageInput.options(body))
            .withTools(MessageInput.tools(body));
    boolean able = inference.catalog().require(model).capabilities().contains(Capability.THINKING);
    request = request.withThink(MessageInput.think(body, able));
    Answer answer = new Answer(exchange, model, body.bool("stream", false));
    answer.finish(inference.chat(request, answer));
  }

  /** One answer on its way to the client: blocks, and the events that tell of them. */
  private static final class Answer extends WaitingClient {
    private final String model;
    private final String id = "msg_" + UUID.randomUUID().toString().replace("-", "");
    private boolean begun;
    private String open = "";
    private int index;

    Answer(Exchange exchange, String model, boolean streaming) {
      super(exchange, streaming);
      this.model = model;
    }

    @Override
    public void accept(Delta part) {
      if (stream == null) {
        return;
      }
      begin();
      if (!part.thinking().isEmpty()) {
        open("thinking", thinking(""));
        delta("thinking_delta", "thinking", part.thinking());
      }
      if (!part.content().isEmpty()) {
        open("text", text(""));
        delta("text_delta", "text", part.content());
      }
      for (ToolCall call : part.toolCalls()) {
        close();
        open("tool_use", use(call, Map.of()));
        delta("input_json_delta", "partial_json", Json.text(call.arguments()));
        close();
      }
    }

    private void begin() {
      if (!begun) {
        begun = true;
        send("message_start", new Reply().with("message", message(List.of(), null, 0, 0)));
      }
    }

    private void send(String type, Reply fields) {
      Reply event = new Reply().with("type", type);
      event.putAll(fields);
      stream.sendEvent(type, event);
    }

    private void open(String kind, Reply block) {
      if (!open.equals(kind)) {
        close();
        open = kind;
        send("content_block_start", new Reply().with("index", index).with("content_block", block));
      }
    }

    private void delta(String type, String field, String value) {
      send(
          "content_block_delta",
          new Reply()
              .with("index", index)
              .with("delta", new Reply().with("type", type).with(field, value)));
    }

    private void close() {
      if (!open.isEmpty()) {
        send("content_block_stop", new Reply().with("index", index++));
        open = "";
      }
    }

    private static Reply thinking(String text) {
      return new Reply().with("type", "thinking").with("thinking", text).with("signature", "");
    }

    private static Reply text(String text) {
      return new Reply().with("type", "text").with("text", text);
    }

    private static Reply use(ToolCall call, Map<String, Object> input) {
      return new Reply()
          .with("type", "tool_use")
          .with("id", call.id())
          .with("name", call.name())
          .with("input", input);
    }

    private static Reply usage(int prompt, int tokens) {
      return new Reply().with("input_tokens", prompt).with("output_tokens", tokens);
    }

    private Reply message(List<Object> content, String reason, int prompt, int tokens) {
      return new Reply()
          .with("id", id)
          .with("type", "message")
          .with("role", "assistant")
          .with("model", model)
          .with("content", content)
          .with("stop_reason", reason)
          .with("stop_sequence", null)
          .with("usage", usage(prompt, tokens));
    }

    void finish(Completion completion) {
      String reason =
          completion.reason() == DoneReason.LENGTH
              ? "max_tokens"
              : completion.toolCalls().isEmpty() ? "end_turn" : "tool_use";
      int prompt = completion.metrics().promptTokens();
      int tokens = completion.metrics().tokens();
      if (stream == null) {
        Reply reply = message(blocks(completion), reason, prompt, tokens);
        exchange.send(200, "application/json", Json.bytes(reply));
        return;
      }
      begin();
      close();
      send(
          "message_delta",
          new Reply()
              .with("delta", new Reply().with("stop_reason", reason).with("stop_sequence", null))
              .with("usage", usage(prompt, tokens)));
      send("message_stop", new Reply());
    }

    private static List<Object> blocks(Completion completion) {
      List<Object> blocks = new ArrayList<>();
      if (!completion.thinking().isEmpty()) {
        blocks.add(thinking(completion.thinking()));
      }
      if (!completion.content().isEmpty()) {
        blocks.add(text(completion.content()));
      }
      for (ToolCall call : completion.toolCalls()) {
        blocks.add(use(call, call.arguments()));
      }
      return blocks;
    }
  }
}
