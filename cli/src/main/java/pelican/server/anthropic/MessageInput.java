package pelican.server.anthropic;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import pelican.chat.Message;
import pelican.chat.Tool;
import pelican.chat.ToolCall;
import pelican.server.http.ApiException;
import pelican.server.http.Fields;
import pelican.server.http.Json;
import pelican.server.inference.Options;
import pelican.server.ollama.RequestReader;
import tools.jackson.databind.JsonNode;

/** Reads what {@code /v1/messages} is sent. */
final class MessageInput {
  private MessageInput() {}

  static List<Message> messages(Fields body) {
    List<Message> messages = new ArrayList<>();
    String system = text(body, "system");
    if (!system.isEmpty()) {
      messages.add(Message.system(system));
    }
    int before = messages.size();
    for (Fields message : body.objects("messages")) {
      String role = message.string("role").toLowerCase(Locale.ROOT);
      if (!role.equals(Message.USER) && !role.equals(Message.ASSISTANT)) {
        throw ApiException.badRequest(
            "a message's role is '" + role + "', expected user or assistant");
      }
      Optional<JsonNode> content = message.get("content");
      if (content.isPresent() && content.get().isString()) {
        messages.add(new Message(role, content.get().asString(), "", List.of(), "", ""));
      } else {
        blocks(role, message.objects("content"), messages);
      }
    }
    if (messages.size() == before) {
      throw ApiException.badRequest("messages is required");
    }
    return messages;
  }

  private static void blocks(String role, List<Fields> blocks, List<Message> messages) {
    StringBuilder text = new StringBuilder();
    StringBuilder thinking = new StringBuilder();
    List<ToolCall> calls = new ArrayList<>();
    for (Fields block : blocks) {
      String type = block.string("type");
      switch (type) {
        case "text" -> text.append(block.string("text"));
        case "thinking" -> thinking.append(block.string("thinking"));
        case "redacted_thinking" -> {
          // Nobody but its sender can read it.
        }
        case "tool_use" ->
            calls.add(
                new ToolCall(
                    block.string("id"),
                    block.string("name"),
                    block.object("input").map(f -> Json.map(f.node())).orElse(Map.of())));
        case "tool_result" -> {
          String id = block.string("tool_use_id");
          messages.add(Message.toolResult(calledName(messages, id), id, text(block, "content")));
        }
        case "image" -> throw ApiException.badRequest(RequestReader.NO_IMAGES);
        default ->
            throw ApiException.badRequest(
                "a content block is of type '"
                    + type
                    + "', expected text, thinking, tool_use or tool_result");
      }
    }
    if (!text.isEmpty() || !thinking.isEmpty() || !calls.isEmpty()) {
      messages.add(new Message(role, text.toString(), thinking.toString(), calls, "", ""));
    }
  }

  private static String calledName(List<Message> messages, String id) {
    for (Message message : messages.reversed()) {
      for (ToolCall call : message.toolCalls()) {
        if (call.id().equals(id)) {
          return call.name();
        }
      }
    }
    return "";
  }

  /** A text, or the texts of an array of blocks. */
  private static String text(Fields fields, String field) {
    Optional<JsonNode> value = fields.get(field);
    if (value.isPresent() && value.get().isString()) {
      return value.get().asString();
    }
    StringBuilder text = new StringBuilder();
    for (Fields block : fields.objects(field)) {
      String type = block.string("type");
      if (type.equals("image")) {
        throw ApiException.badRequest(RequestReader.NO_IMAGES);
      }
      if (!type.equals("text")) {
        throw ApiException.badRequest(
            "a block of \"" + field + "\" is of type '" + type + "', expected text");
      }
      text.append(block.string("text"));
    }
    return text.toString();
  }

  static List<Tool> tools(Fields body) {
    List<Tool> tools = new ArrayList<>();
    for (Fields tool : body.objects("tools")) {
      String type = tool.string("type", "custom");
      if (!type.equals("custom")) {
        throw ApiException.badRequest(
            "a tool is of type '" + type + "', expected custom: there are no others here");
      }
      tools.add(
          new Tool(
              tool.string("name"),
              tool.string("description"),
              tool.object("input_schema").map(s -> Json.map(s.node())).orElse(Map.of())));
    }
    return tools;
  }

  static Options options(Fields body) {
    OptionalInt most = body.integer("max_tokens");
    if (most.isEmpty() || most.getAsInt() <= 0) {
      throw ApiException.badRequest("max_tokens is required and must be positive");
    }
    Map<String, Object> options = new LinkedHashMap<>();
    options.put("num_predict", most.getAsInt());
    body.number("temperature").ifPresent(value -> options.put("temperature", value));
    body.number("top_p").ifPresent(value -> options.put("top_p", value));
    body.integer("top_k").ifPresent(value -> options.put("top_k", value));
    List<String> stops = body.strings("stop_sequences");
    if (!stops.isEmpty()) {
      options.put("stop", stops);
    }
    return new Options(options);
  }

  /**
   * Whether to think; empty for the model's way.
   *
   * @param able whether the model can
   */
  static Optional<Boolean> think(Fields body, boolean able) {
    String type = body.object("thinking").map(t -> t.string("type")).orElse("");
    return switch (type) {
      case "" -> Optional.empty();
      case "disabled" -> Optional.of(false);
      case "enabled", "adaptive" -> Optional.of(able);
      default ->
          throw ApiException.badRequest(
              "\"thinking.type\" is '" + type + "', expected enabled, adaptive or disabled");
    };
  }
}
