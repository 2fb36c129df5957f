package pelican.server.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import pelican.chat.Message;
import pelican.chat.Tool;
import pelican.chat.ToolCall;
import pelican.server.http.ApiException;
import pelican.server.http.Fields;
import pelican.server.http.Json;
import pelican.server.ollama.RequestReader;
import tools.jackson.databind.JsonNode;

/** Reads conversations and tools as {@code /v1/responses} has them. */
final class ResponseInput {
  private ResponseInput() {}

  static List<Message> messages(Fields body) {
    List<Message> messages = new ArrayList<>();
    String instructions = body.string("instructions");
    if (!instructions.isEmpty()) {
      messages.add(Message.system(instructions));
    }
    int before = messages.size();
    Optional<JsonNode> input = body.get("input");
    if (input.isPresent() && input.get().isString()) {
      messages.add(Message.user(input.get().asString()));
    } else {
      items(body.objects("input"), messages);
    }
    if (messages.size() == before) {
      throw ApiException.badRequest("\"input\" is empty, expected a text or items");
    }
    return messages;
  }

  private static void items(List<Fields> items, List<Message> messages) {
    // Thoughts come as an item of their own before the message or call that they led to.
    String thinking = "";
    for (Fields item : items) {
      String type = item.string("type", "message");
      switch (type) {
        case "message" -> {
          String role = item.string("role").toLowerCase(Locale.ROOT);
          boolean assistant = role.equals(Message.ASSISTANT);
          messages.add(
              new Message(
                  role, text(item, "content"), assistant ? thinking : "", List.of(), "", ""));
          thinking = "";
        }
        case "reasoning" -> thinking = thoughts(item);
        case "function_call" -> {
          ToolCall call =
              new ToolCall(
                  item.string("call_id"),
                  item.string("name"),
                  ChatMessages.arguments(item.string("arguments")));
          messages.add(Message.assistant("", thinking, List.of(call)));
          thinking = "";
        }
        case "function_call_output" -> {
          String id = item.string("call_id");
          messages.add(
              Message.toolResult(ChatMessages.calledName(messages, id), id, text(item, "output")));
        }
        default ->
            throw ApiException.badRequest(
                "an item of \"input\" is of type '"
                    + type
                    + "', expected message, reasoning, function_call or function_call_output");
      }
    }
    joinCalls(messages);
  }

  /** Calls made at once are items of their own here, but one message to the model. */
  private static void joinCalls(List<Message> messages) {
    for (int i = messages.size() - 1; i > 0; i--) {
      Message last = messages.get(i);
      Message first = messages.get(i - 1);
      if (!last.toolCalls().isEmpty()
          && first.role().equals(Message.ASSISTANT)
          && last.thinking().isEmpty()) {
        List<ToolCall> calls = new ArrayList<>(first.toolCalls());
        calls.addAll(last.toolCalls());
        messages.set(i - 1, Message.assistant(first.content(), first.thinking(), calls));
        messages.remove(i);
      }
    }
  }

  private static String thoughts(Fields item) {
    StringBuilder text = new StringBuilder();
    for (Fields part : item.objects("summary")) {
      text.append(part.string("text"));
    }
    return text.toString();
  }

  private static String text(Fields item, String field) {
    Optional<JsonNode> content = item.get(field);
    if (content.isPresent() && content.get().isString()) {
      return content.get().asString();
    }
    StringBuilder text = new StringBuilder();
    for (Fields part : item.objects(field)) {
      String type = part.string("type");
      switch (type) {
        case "input_text", "output_text", "text" -> text.append(part.string("text"));
        case "refusal" -> text.append(part.string("refusal"));
        case "input_image" -> throw ApiException.badRequest(RequestReader.NO_IMAGES);
        default ->
            throw ApiException.badRequest(
                "a part of \"input\" is of type '" + type + "', expected input_text");
      }
    }
    return text.toString();
  }

  static List<Tool> tools(Fields body) {
    List<Tool> tools = new ArrayList<>();
    for (Fields tool : body.objects("tools")) {
      String type = tool.string("type");
      if (!type.equals("function")) {
        throw ApiException.badRequest(
            "a tool is of type '" + type + "', expected function: there are no others here");
      }
      Map<String, Object> parameters =
          tool.object("parameters").map(p -> Json.map(p.node())).orElse(Map.of());
      tools.add(new Tool(tool.string("name"), tool.string("description"), parameters));
    }
    return tools;
  }
}
