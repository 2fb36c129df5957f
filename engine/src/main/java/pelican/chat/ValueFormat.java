package pelican.chat;

import java.math.BigDecimal;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Gemma 4's notation for values in tool calls and declarations: like JSON, but strings stand in
 * {@code <|"|>} with nothing escaped, and keys stand bare.
 */
final class ValueFormat {
  private ValueFormat() {}

  /** Entries in the order of their keys, upper and lower case alike. */
  static List<Map.Entry<String, Object>> sorted(Map<String, Object> map) {
    return map.entrySet().stream()
        .sorted(
            Comparator.comparing(
                    (Map.Entry<String, Object> e) -> e.getKey(), String.CASE_INSENSITIVE_ORDER)
                .thenComparing(Map.Entry::getKey))
        .collect(Collectors.toList());
  }

  /** {@code k:v,…} without braces. */
  static void entries(Segments out, Map<String, Object> map, boolean quoteKeys) {
    String comma = "";
    for (Map.Entry<String, Object> entry : sorted(map)) {
      out.markup(comma);
      key(out, entry.getKey(), quoteKeys);
      out.markup(":");
      value(out, entry.getValue(), quoteKeys);
      comma = ",";
    }
  }

  private static void key(Segments out, String key, boolean quote) {
    if (quote) {
      out.quoted(key);
    } else {
      out.text(key);
    }
  }

  static void value(Segments out, Object value, boolean quoteKeys) {
    switch (value) {
      case null -> out.markup("null");
      case String text -> out.quoted(text);
      case Boolean flag -> out.markup(flag.toString());
      case Number number -> out.markup(number(number));
      case Map<?, ?> map -> {
        out.markup("{");
        entries(out, stringKeys(map), quoteKeys);
        out.markup("}");
      }
      case Iterable<?> list -> {
        out.markup("[");
        String comma = "";
        for (Object item : list) {
          out.markup(comma);
          value(out, item, quoteKeys);
          comma = ",";
        }
        out.markup("]");
      }
      default -> out.quoted(value.toString());
    }
  }

  /** Whole numbers without a fraction, others in the shortest decimal form. */
  private static String number(Number number) {
    if (number instanceof Double || number instanceof Float) {
      double value = number.doubleValue();
      if (Double.isNaN(value) || Double.isInfinite(value)) {
        return "null";
      }
      BigDecimal decimal = new BigDecimal(number.toString()).stripTrailingZeros();
      return decimal.scale() <= 0 ? decimal.toPlainString() : decimal.toString();
    }
    return number.toString();
  }

  static Map<String, Object> stringKeys(Map<?, ?> map) {
    Map<String, Object> result = new LinkedHashMap<>();
    map.forEach((key, value) -> result.put(String.valueOf(key), value));
    return result;
  }
}
