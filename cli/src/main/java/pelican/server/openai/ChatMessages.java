package pelican.server.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import pelican.chat.Message;
import pelican.chat.ToolCall;
import pelican.server.http.ApiException;
import pelican.server.http.Fields;
import pelican.server.http.Json;
import pelican.server.ollama.RequestReader;
import tools.jackson.databind.JsonNode;

/** Reads conversations as {@code /v1/chat/completions} has them. */
final class ChatMessages {
  private ChatMessages() {}

  static List<Message> read(Fields body) {
    List<Message> messages = new ArrayList<>();
    for (Fields message : body.objects("messages")) {
      String role = message.string("role").toLowerCase(Locale.ROOT);
      List<ToolCall> calls = calls(message);
      List<String> texts = texts(message, !calls.isEmpty());
      String id = message.string("tool_call_id");
      String name = message.string("name");
      String tool = role.equals(Message.TOOL) && name.isEmpty() ? calledName(messages, id) : name;
      String thinking = message.string("reasoning");
      for (int i = 0; i < texts.size(); i++) {
        boolean last = i == texts.size() - 1;
        messages.add(
            new Message(
                role,
                texts.get(i),
                last ? thinking : "",
                last ? calls : List.of(),
                role.equals(Message.TOOL) ? tool : "",
                id));
      }
    }
    if (messages.isEmpty()) {
      throw ApiException.badRequest("[] is too short - 'messages'");
    }
    return messages;
  }

  /** The name of the function that a call was of, the latest of its id; empty if there is none. */
  static String calledName(List<Message> messages, String id) {
    for (Message message : messages.reversed()) {
      for (ToolCall call : message.toolCalls()) {
        if (!id.isEmpty() && call.id().equals(id)) {
          return call.name();
        }
      }
    }
    return "";
  }

  /** The texts of a message: each part of its content is one. */
  private static List<String> texts(Fields message, boolean called) {
    Optional<JsonNode> content = message.get("content");
    if (content.isEmpty()) {
      if (!called) {
        throw ApiException.badRequest(
            "invalid message content type: null, expected a string or an array of parts");
      }
      return List.of("");
    }
    if (content.get().isString()) {
      return List.of(content.get().asString());
    }
    List<String> texts = new ArrayList<>();
    for (Fields part : message.objects("content")) {
      texts.add(text(part));
    }
    return texts.isEmpty() && called ? List.of("") : texts;
  }

  private static String text(Fields part) {
    String type = part.string("type");
    return switch (type) {
      case "text" -> part.string("text");
      case "image_url" -> throw ApiException.badRequest(RequestReader.NO_IMAGES);
      case "input_audio" ->
          throw ApiException.badRequest("audio is not supported: models are run on text alone");
      default ->
          throw ApiException.badRequest(
              "a part of a message's content is of type '" + type + "', expected text");
    };
  }

  private static List<ToolCall> calls(Fields message) {
    List<ToolCall> calls = new ArrayList<>();
    for (Fields call : message.objects("tool_calls")) {
      Optional<Fields> function = call.object("function");
      calls.add(
          new ToolCall(
              call.string("id"),
              function.map(f -> f.string("name")).orElse(""),
              arguments(function.map(f -> f.string("arguments")).orElse(""))));
    }
    return calls;
  }

  /** Arguments that are an object in a string. */
  static Map<String, Object> arguments(String text) {
    JsonNode node;
    try {
      node = Json.parse(text);
    } catch (ApiException e) {
      throw ApiException.badRequest("invalid tool call arguments");
    }
    if (!node.isObject()) {
      throw ApiException.badRequest("invalid tool call arguments");
    }
    return Json.map(node);
  }
}
