package pelican.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import pelican.chat.Message;
import pelican.chat.Tool;
import pelican.chat.ToolCall;
import pelican.engine.PelicanException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads conversations and tools in the JSON of Ollama's API. */
final class ConversationJson {
  private static final JsonMapper JSON = JsonMapper.shared();

  private ConversationJson() {}

  /**
   * @throws PelicanException naming file and field if the JSON is not a list of messages
   */
  static List<Message> messages(Path file) throws IOException {
    List<Message> messages = new ArrayList<>();
    for (JsonNode node : list(file)) {
      messages.add(message(file, messages.size(), node));
    }
    return messages;
  }

  private static Message message(Path file, int index, JsonNode node) {
    if (!node.path("role").isString()) {
      throw new PelicanException(
          file + ": message " + index + " has no role, expected system, user, assistant or tool");
    }
    List<ToolCall> calls = new ArrayList<>();
    for (JsonNode call : node.path("tool_calls")) {
      JsonNode function = call.path("function");
      calls.add(
          new ToolCall(
              call.path("id").asString(""),
              function.path("name").asString(""),
              map(file, function.path("arguments"))));
    }
    return new Message(
        node.get("role").asString(),
        node.path("content").asString(""),
        node.path("thinking").asString(""),
        calls,
        node.path("tool_name").asString(""),
        node.path("tool_call_id").asString(""));
  }

  /**
   * @throws PelicanException naming file and field if the JSON is not a list of tools
   */
  static List<Tool> tools(Path file) throws IOException {
    List<Tool> tools = new ArrayList<>();
    for (JsonNode node : list(file)) {
      JsonNode function = node.path("function");
      if (!function.path("name").isString()) {
        throw new PelicanException(
            file + ": tool " + tools.size() + " has no function.name, expected a string");
      }
      tools.add(
          new Tool(
              function.get("name").asString(),
              function.path("description").asString(""),
              map(file, function.path("parameters"))));
    }
    return tools;
  }

  private static JsonNode list(Path file) throws IOException {
    try {
      JsonNode node = JSON.readTree(Files.readAllBytes(file));
      if (!node.isArray()) {
        throw new PelicanException(file + ": expected a JSON list");
      }
      return node;
    } catch (JacksonException e) {
      throw new PelicanException(file + ": not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static Map<String, Object> map(Path file, JsonNode node) {
    if (node.isMissingNode() || node.isNull()) {
      return Map.of();
    }
    if (!node.isObject()) {
      throw new PelicanException(file + ": " + node + ", expected a JSON object");
    }
    return JSON.convertValue(node, new TypeReference<Map<String, Object>>() {});
  }
}
