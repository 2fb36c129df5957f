package pelican.server.http;

import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * JSON as the server reads and writes it: what is read is bounded in depth, in size, and in every
 * number.
 */
public final class Json {
  /** Deeper values are refused; schemas and arguments of tools that people write stay far below. */
  static final int MAX_DEPTH = 128;

  private static final int MAX_NUMBER = 64;
  private static final int MAX_NAME = 10_000;

  /** A tree takes some 100 bytes for each, however short its text is. */
  private static final long MAX_TOKENS = 2_000_000;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxNumberLength(MAX_NUMBER)
                          .maxNameLength(MAX_NAME)
                          .maxTokenCount(MAX_TOKENS)
                          .maxStringLength(Integer.MAX_VALUE)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private Json() {}

  /**
   * Reads a JSON text.
   *
   * @throws ApiException if it is none, or exceeds a limit
   */
  static JsonNode parse(byte[] body) {
    try {
      JsonNode tree = MAPPER.readTree(body);
      checkNumbers(tree, "");
      return tree;
    } catch (StreamConstraintsException e) {
      throw ApiException.badRequest("the JSON exceeds a limit: " + e.getOriginalMessage());
    } catch (JacksonException e) {
      String at =
          e.getLocation() == null
              ? ""
              : " (line "
                  + e.getLocation().getLineNr()
                  + ", column "
                  + e.getLocation().getColumnNr()
                  + ")";
      String message = e.getOriginalMessage();
      int line = message.indexOf('\n');
      throw ApiException.badRequest(
          "invalid JSON: " + (line < 0 ? message : message.substring(0, line)) + at);
    }
  }

  /** A number beyond a double's range reads as infinity, which no field can mean. */
  private static void checkNumbers(JsonNode node, String path) {
    if (node.isNumber() && !Double.isFinite(node.doubleValue())) {
      throw ApiException.badRequest(
          (path.isEmpty() ? "the body" : "\"" + path + "\"")
              + " is a number out of range, expected at most "
              + Double.MAX_VALUE);
    }
    if (node.isArray()) {
      for (int i = 0; i < node.size(); i++) {
        checkNumbers(node.get(i), path + "[" + i + "]");
      }
    } else if (node.isObject()) {
      node.forEachEntry(
          (name, value) -> checkNumbers(value, path.isEmpty() ? name : path + "." + name));
    }
  }

  /** A value of maps, lists, strings, numbers, booleans and null as JSON. */
  public static String text(Object value) {
    return MAPPER.writeValueAsString(value);
  }

  /** The same as bytes. */
  public static byte[] bytes(Object value) {
    return MAPPER.writeValueAsBytes(value);
  }

  /** A JSON value as maps (in order), lists, strings, numbers, booleans and null. */
  public static Object value(JsonNode node) {
    return MAPPER.convertValue(node, Object.class);
  }

  /** A JSON object as a map, in order. */
  public static Map<String, Object> map(JsonNode node) {
    return MAPPER.convertValue(node, new TypeReference<Map<String, Object>>() {});
  }

  /**
   * Reads a JSON text of a client's, as in a field that holds JSON as a string.
   *
   * @throws ApiException if it is none, or exceeds a limit
   */
  public static JsonNode parse(String text) {
    return parse(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }
}
