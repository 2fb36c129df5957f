package pelican.grammar;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Values as compact JSON. */
final class JsonText {
  private JsonText() {}

  static String of(Object value) {
    return switch (value) {
      case null -> "null";
      case String text -> quote(text);
      case Boolean bool -> bool.toString();
      case Number number -> new BigDecimal(number.toString()).toString();
      case List<?> list ->
          list.stream().map(JsonText::of).collect(Collectors.joining(",", "[", "]"));
      case Map<?, ?> map ->
          map.entrySet().stream()
              .map(entry -> quote((String) entry.getKey()) + ":" + of(entry.getValue()))
              .collect(Collectors.joining(",", "{", "}"));
      default -> throw new IllegalArgumentException("no JSON: " + value.getClass());
    };
  }

  static String quote(String text) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw new SchemaException("", "a string has half of a surrogate pair, expected characters");
    }
    StringBuilder out = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c < ' ') {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    return out.append('"').toString();
  }
}
