package pelican.eval;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import pelican.chat.Message;
import pelican.engine.PelicanException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads a line of a dataset: an object with
 *
 * <ul>
 *   <li>{@code prompt}, a text, or {@code messages}, a list of {@code {"role": …, "content": …}};
 *   <li>one of {@code answer} (the whole text), {@code regex} (to be found in it) and {@code json}
 *       (an equal value);
 *   <li>where wanted, {@code id} (else the line's number), {@code category}, {@code system}, {@code
 *       max_tokens}, and {@code options}, an object of generation parameters by Ollama's names.
 * </ul>
 */
final class ItemReader {
  private static final Set<String> KEYS =
      new TreeSet<>(
          List.of(
              "id",
              "category",
              "prompt",
              "messages",
              "system",
              "answer",
              "regex",
              "json",
              "max_tokens",
              "options"));

  private static final Set<String> ROLES =
      new TreeSet<>(List.of(Message.SYSTEM, Message.USER, Message.ASSISTANT, Message.TOOL));

  private static final JsonMapper STRICT =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private ItemReader() {}

  /**
   * Reads a line.
   *
   * @throws PelicanException naming the member that is wrong
   */
  static Item read(String line, int number) {
    JsonNode node;
    try {
      node = STRICT.readTree(line);
    } catch (JacksonException e) {
      throw new PelicanException("no JSON object: " + e.getOriginalMessage(), e);
    }
    if (!node.isObject()) {
      throw new PelicanException("no JSON object: " + shortened(node));
    }
    for (String key : node.propertyNames()) {
      if (!KEYS.contains(key)) {
        throw new PelicanException(
            "\"" + key + "\" is unknown, expected " + String.join(", ", KEYS));
      }
    }
    return new Item(
        number,
        id(node, number),
        text(node, "category", ""),
        messages(node),
        expectation(node),
        options(node));
  }

  private static String id(JsonNode node, int number) {
    JsonNode id = node.path("id");
    return id.isIntegralNumber() ? id.asString() : text(node, "id", Integer.toString(number));
  }

  private static List<Message> messages(JsonNode node) {
    if (node.has("prompt") == node.has("messages")) {
      throw new PelicanException(
          node.has("prompt")
              ? "both \"prompt\" and \"messages\", expected one of them"
              : "\"prompt\" is missing, expected a text");
    }
    List<Message> messages = new ArrayList<>();
    if (node.has("system")) {
      messages.add(Message.system(text(node, "system", "")));
    }
    if (node.has("prompt")) {
      messages.add(Message.user(filled(text(node, "prompt", ""), "\"prompt\"")));
      return messages;
    }
    JsonNode list = node.get("messages");
    if (!list.isArray() || list.isEmpty()) {
      throw new PelicanException(
          "\"messages\" is " + shortened(list) + ", expected a list that is not empty");
    }
    for (JsonNode one : list) {
      messages.add(message(one, messages));
    }
    String last = messages.getLast().role();
    if (!last.equals(Message.USER) && !last.equals(Message.TOOL)) {
      throw new PelicanException(
          "the last of \"messages\" is the " + last + "'s, expected the user's");
    }
    return messages;
  }

  private static Message message(JsonNode node, List<Message> before) {
    for (String key : node.propertyNames()) {
      if (!key.equals("role") && !key.equals("content")) {
        throw new PelicanException(
            "\"" + key + "\" in \"messages\" is unknown, expected role, content");
      }
    }
    if (!node.isObject() || !node.path("content").isString()) {
      throw new PelicanException(
          "\"messages\" has " + shortened(node) + ", expected objects with role and content");
    }
    String role = text(node, "role", "");
    if (!ROLES.contains(role)) {
      throw new PelicanException(
          "\"role\" is '" + role + "', expected one of " + String.join(", ", ROLES));
    }
    if (role.equals(Message.SYSTEM) && !before.isEmpty()) {
      throw new PelicanException("a second or later message is the system's, expected the first");
    }
    return new Message(role, node.get("content").asString(), "", List.of(), "", "");
  }

  private static Expectation expectation(JsonNode node) {
    List<String> given = List.of("answer", "regex", "json").stream().filter(node::has).toList();
    if (given.size() != 1) {
      throw new PelicanException(
          given.isEmpty()
              ? "no \"answer\", \"regex\" or \"json\", expected one of them"
              : "both \"%s\" and \"%s\", expected one of them"
                  .formatted(given.get(0), given.get(1)));
    }
    return switch (given.getFirst()) {
      case "answer" -> new Expectation.Exact(text(node, "answer", ""));
      case "regex" -> new Expectation.Matching(pattern(text(node, "regex", "")));
      default -> new Expectation.EqualJson(node.get("json"));
    };
  }

  private static Pattern pattern(String regex) {
    try {
      return Pattern.compile(regex);
    } catch (PatternSyntaxException e) {
      throw new PelicanException(
          "\"regex\" is '" + regex + "', expected a regular expression: " + e.getDescription(), e);
    }
  }

  private static Map<String, List<String>> options(JsonNode node) {
    Map<String, List<String>> options = new LinkedHashMap<>();
    JsonNode given = node.path("options");
    if (!given.isMissingNode() && !given.isObject()) {
      throw new PelicanException("\"options\" is " + shortened(given) + ", expected an object");
    }
    given.properties().forEach(entry -> options.put(entry.getKey(), values(entry)));
    if (options.containsKey("num_ctx")) {
      throw new PelicanException("\"options\" has num_ctx, which is set for all: --num-ctx");
    }
    if (node.has("max_tokens")) {
      JsonNode most = node.get("max_tokens");
      if (!most.isInt() || most.asInt() < 1) {
        throw new PelicanException(
            "\"max_tokens\" is " + shortened(most) + ", expected a number from 1 on");
      }
      options.put("num_predict", List.of(most.asString()));
    }
    return options;
  }

  private static List<String> values(Map.Entry<String, JsonNode> entry) {
    List<String> values = new ArrayList<>();
    Iterable<JsonNode> all =
        entry.getValue().isArray() ? entry.getValue() : List.of(entry.getValue());
    for (JsonNode value : all) {
      if (!value.isString() && !value.isNumber()) {
        throw new PelicanException(
            "\"options\" has %s: %s, expected a number or a text"
                .formatted(entry.getKey(), shortened(entry.getValue())));
      }
      values.add(value.asString());
    }
    return values;
  }

  private static String text(JsonNode node, String key, String otherwise) {
    JsonNode value = node.path(key);
    if (value.isMissingNode()) {
      return otherwise;
    }
    if (!value.isString()) {
      throw new PelicanException("\"" + key + "\" is " + shortened(value) + ", expected a text");
    }
    return value.asString();
  }

  private static String filled(String text, String name) {
    if (text.isBlank()) {
      throw new PelicanException(name + " is empty, expected a text");
    }
    return text;
  }

  private static String shortened(JsonNode node) {
    String text = node.toString();
    return text.length() > 40 ? text.substring(0, 40) + "…" : text;
  }
}
