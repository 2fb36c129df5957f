package pelican.server.openai;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import pelican.chat.ToolCall;
import pelican.server.http.ApiException;
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
import pelican.server.inference.WaitingClient;

/** {@code /v1/responses}, as far as it keeps no state between requests. */
public final class ResponseRoutes {
  private final Inference inference;

  public ResponseRoutes(Inference inference) {
    this.inference = inference;
  }

  public void addTo(Router router) {
    router.add("POST", "/v1/responses", OpenAiErrors.STYLE, this::respond);
  }

  private void respond(Exchange exchange) {
    Fields body = exchange.body();
    for (String state : List.of("previous_response_id", "conversation")) {
      if (body.has(state)) {
        throw ApiException.badRequest(
            "\"" + state + "\" is not supported: send the whole conversation as \"input\"");
      }
    }
    Optional<Fields> format = body.object("text").flatMap(text -> text.object("format"));
    Map<String, Object> options = OpenAiRequests.options(body, "max_output_tokens");
    ChatRequest request =
        ChatRequest.of(OpenAiRequests.model(body), ResponseInput.messages(body))
            .withTools(ResponseInput.tools(body))
            .withThink(OpenAiRequests.think(body))
            .withOptions(new Options(options))
            .withFormat(OpenAiRequests.format("text.format", format, format));
    Answer answer = new Answer(exchange, body, options, body.bool("stream", false));
    answer.finish(inference.chat(request, answer));
  }

  /** The kinds of items that an answer is made of as it comes. */
  private enum Kind {
    NONE,
    REASONING,
    MESSAGE
  }

  /** One answer on its way to the client: its items, and the events that tell of them. */
  private static final class Answer extends WaitingClient {
    private final Fields request;
    private final Map<String, Object> options;
    private final String id = newId("resp");
    private final long created = Instant.now().getEpochSecond();
    private final List<Object> output = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    private Kind open = Kind.NONE;
    private String itemId = "";
    private int events;

    Answer(Exchange exchange, Fields request, Map<String, Object> options, boolean streaming) {
      super(exchange, streaming);
      this.request = request;
      this.options = options;
    }

    private static String newId(String prefix) {
      return prefix + "_" + UUID.randomUUID().toString().replace("-", "");
    }

    @Override
    public void accept(Delta part) {
      begin();
      if (!part.thinking().isEmpty()) {
        open(Kind.REASONING);
        text.append(part.thinking());
        send(
            "response.reasoning_summary_text.delta",
            place("summary_index").with("delta", part.thinking()));
      }
      if (!part.content().isEmpty()) {
        open(Kind.MESSAGE);
        text.append(part.content());
        send(
            "response.output_text.delta",
            place("content_index").with("delta", part.content()).with("logprobs", List.of()));
      }
      for (ToolCall call : part.toolCalls()) {
        close();
        call(call);
      }
    }

    private void begin() {
      if (events == 0) {
        send("response.created", new Reply().with("response", response("in_progress", null)));
        send("response.in_progress", new Reply().with("response", response("in_progress", null)));
      }
    }

    /** Sends an event, each with its number; where the client wants no stream, only counts. */
    private void send(String name, Reply fields) {
      Reply event = new Reply().with("type", name).with("sequence_number", events++);
      event.putAll(fields);
      if (stream != null) {
        stream.sendEvent(name, event);
      }
    }

    /** Where in the answer something is: the open item and its only part. */
    private Reply place(String part) {
      return new Reply().with("item_id", itemId).with("output_index", output.size()).with(part, 0);
    }

    private void open(Kind kind) {
      if (open == kind) {
        return;
      }
      close();
      open = kind;
      boolean message = kind == Kind.MESSAGE;
      itemId = newId(message ? "msg" : "rs");
      send("response.output_item.added", item(openItem("in_progress", List.of())));
      send(
          message ? "response.content_part.added" : "response.reasoning_summary_part.added",
          place(message ? "content_index" : "summary_index").with("part", part()));
    }

    private Reply item(Reply item) {
      return new Reply().with("output_index", output.size()).with("item", item);
    }

    private Reply openItem(String status, List<Object> parts) {
      if (open == Kind.REASONING) {
        return new Reply().with("id", itemId).with("type", "reasoning").with("summary", parts);
      }
      return new Reply()
          .with("id", itemId)
          .with("type", "message")
          .with("status", status)
          .with("role", "assistant")
          .with("content", parts);
    }

    /** The only part of the open item, as far as it has come. */
    private Reply part() {
      if (open == Kind.REASONING) {
        return new Reply().with("type", "summary_text").with("text", text.toString());
      }
      return new Reply()
          .with("type", "output_text")
          .with("text", text.toString())
          .with("annotations", List.of())
          .with("logprobs", List.of());
    }

    private void close() {
      if (open == Kind.NONE) {
        return;
      }
      boolean message = open == Kind.MESSAGE;
      String index = message ? "content_index" : "summary_index";
      Reply done = place(index).with("text", text.toString());
      if (message) {
        done.with("logprobs", List.of());
      }
      send(message ? "response.output_text.done" : "response.reasoning_summary_text.done", done);
      send(
          message ? "response.content_part.done" : "response.reasoning_summary_part.done",
          place(index).with("part", part()));
      Reply item = openItem("completed", List.of(part()));
      send("response.output_item.done", item(item));
      output.add(item);
      open = Kind.NONE;
      text.setLength(0);
    }

    private void call(ToolCall call) {
      itemId = newId("fc");
      String arguments = Json.text(call.arguments());
      send("response.output_item.added", item(callItem(call, "in_progress", "")));
      Reply place = new Reply().with("item_id", itemId).with("output_index", output.size());
      Reply delta = new Reply();
      delta.putAll(place);
      send("response.function_call_arguments.delta", delta.with("delta", arguments));
      send(
          "response.function_call_arguments.done",
          place.with("name", call.name()).with("arguments", arguments));
      Reply item = callItem(call, "completed", arguments);
      send("response.output_item.done", item(item));
      output.add(item);
    }

    private Reply callItem(ToolCall call, String status, String arguments) {
      return new Reply()
          .with("id", itemId)
          .with("type", "function_call")
          .with("status", status)
          .with("call_id", call.id())
          .with("name", call.name())
          .with("arguments", arguments);
    }

    void finish(Completion completion) {
      begin();
      close();
      boolean cut = completion.reason() == DoneReason.LENGTH;
      String status = cut ? "incomplete" : "completed";
      Reply response = response(status, completion.metrics());
      if (stream == null) {
        exchange.send(200, "application/json", Json.bytes(response));
      } else {
        send("response." + status, new Reply().with("response", response));
      }
    }

    private Reply response(String status, Metrics metrics) {
      boolean cut = status.equals("incomplete");
      String effort = OpenAiRequests.effort(request);
      Object format =
          request
              .object("text")
              .flatMap(t -> t.object("format"))
              .<Object>map(f -> Json.map(f.node()))
              .orElse(Map.of("type", "text"));
      return new Reply()
          .with("id", id)
          .with("object", "response")
          .with("created_at", created)
          .with("status", status)
          .with("background", false)
          .with("error", null)
          .with("incomplete_details", cut ? Map.of("reason", "max_output_tokens") : null)
          .with("instructions", sent("instructions", null))
          .with("max_output_tokens", options.get("num_predict"))
          .with("model", request.string("model"))
          .with("output", List.copyOf(output))
          .with("parallel_tool_calls", true)
          .with("previous_response_id", null)
          .with(
              "reasoning",
              new Reply().with("effort", effort.isEmpty() ? null : effort).with("summary", null))
          .with("store", false)
          .with("temperature", options.get("temperature"))
          .with("text", new Reply().with("format", format))
          .with("tool_choice", "auto")
          .with("tools", sent("tools", List.of()))
          .with("top_p", options.get("top_p"))
          .with("truncation", "auto")
          .with("usage", metrics == null ? null : usage(metrics))
          .with("metadata", sent("metadata", Map.of()));
    }

    /** A field as the client sent it. */
    private Object sent(String field, Object missing) {
      return request.get(field).map(Json::value).orElse(missing);
    }

    private static Reply usage(Metrics metrics) {
      return new Reply()
          .with("input_tokens", metrics.promptTokens())
          .with("input_tokens_details", Map.of("cached_tokens", metrics.cachedTokens()))
          .with("output_tokens", metrics.tokens())
          .with("output_tokens_details", Map.of("reasoning_tokens", 0))
          .with("total_tokens", metrics.promptTokens() + metrics.tokens());
    }
  }
}
