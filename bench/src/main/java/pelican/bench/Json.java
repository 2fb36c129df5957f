package pelican.bench;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** JSON of records, and of what other programs print. */
final class Json {
  private Json() {}

  static String write(Object value) {
    return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(value);
  }

  /**
   * @throws tools.jackson.core.JacksonException if the text is no JSON
   */
  static JsonNode read(String text) {
    return JsonMapper.shared().readTree(text);
  }
}
