package pelican.chat;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads Gemma 4's calls, {@code call:NAME{key:value,…}}: strings in {@code <|"|>} with nothing
 * escaped, bare keys, otherwise JSON. Lenient about what models get wrong: quotes of other kinds, a
 * quote or brackets missing at the end, text without quotes.
 */
final class ToolCallSyntax {
  private static final String QUOTE = "<|\"|>";
  private static final int MAX_DEPTH = 64;

  private final String text;
  private int at;

  private ToolCallSyntax(String text) {
    this.text = text;
  }

  /**
   * A call, or nothing if the text is none.
   *
   * @param index how many calls came before it
   */
  static Optional<ToolCall> parse(String text, int index) {
    String call = text.strip();
    int brace = call.indexOf('{');
    if (!call.startsWith("call:")) {
      return Optional.empty();
    }
    String name = call.substring("call:".length(), brace < 0 ? call.length() : brace).strip();
    if (name.isEmpty()) {
      return Optional.empty();
    }
    if (brace < 0) {
      return Optional.of(new ToolCall("", name, Map.of()));
    }
    ToolCallSyntax syntax = new ToolCallSyntax(call);
    syntax.at = brace + 1;
    return Optional.of(new ToolCall("", name, syntax.object(0)));
  }

  private Map<String, Object> object(int depth) {
    Map<String, Object> result = new LinkedHashMap<>();
    while (true) {
      skip();
      if (at >= text.length()) {
        return result;
      }
      if (text.charAt(at) == '}') {
        at++;
        return result;
      }
      String key = key();
      skip();
      if (at < text.length() && text.charAt(at) == ':') {
        at++;
        result.put(key, value(depth + 1));
      } else if (key.isEmpty()) {
        at++;
      }
    }
  }

  private List<Object> array(int depth) {
    List<Object> result = new ArrayList<>();
    while (true) {
      skip();
      if (at >= text.length() || text.charAt(at) == '}') {
        return result;
      }
      if (text.charAt(at) == ']') {
        at++;
        return result;
      }
      result.add(value(depth + 1));
    }
  }

  /** Space and commas. */
  private void skip() {
    while (at < text.length()
        && (Character.isWhitespace(text.charAt(at)) || text.charAt(at) == ',')) {
      at++;
    }
  }

  private String key() {
    if (text.startsWith(QUOTE, at)) {
      return gemmaString();
    }
    char c = text.charAt(at);
    if (c == '"' || c == '\'') {
      return quoted(c);
    }
    int from = at;
    while (at < text.length() && ":,}".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    return text.substring(from, at).strip();
  }

  private Object value(int depth) {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    if (at >= text.length()) {
      return null;
    }
    if (text.startsWith(QUOTE, at)) {
      return gemmaString();
    }
    char c = text.charAt(at);
    if (depth < MAX_DEPTH && c == '{') {
      at++;
      return object(depth);
    }
    if (depth < MAX_DEPTH && c == '[') {
      at++;
      return array(depth);
    }
    if (c == '"' || c == '\'') {
      return quoted(c);
    }
    return bare();
  }

  private String gemmaString() {
    int from = at + QUOTE.length();
    int end = text.indexOf(QUOTE, from);
    if (end >= 0) {
      at = end + QUOTE.length();
      return text.substring(from, end);
    }
    // The closing quote is missing: what remains is the string, but for the brackets at its end.
    end = text.length();
    while (end > from && "}]".indexOf(text.charAt(end - 1)) >= 0) {
      end--;
    }
    at = text.length();
    return text.substring(from, end);
  }

  private String quoted(char quote) {
    StringBuilder result = new StringBuilder();
    at++;
    while (at < text.length() && text.charAt(at) != quote) {
      char c = text.charAt(at++);
      result.append(c == '\\' && at < text.length() ? escaped() : c);
    }
    at++;
    return result.toString();
  }

  private char escaped() {
    char c = text.charAt(at++);
    return switch (c) {
      case 'n' -> '\n';
      case 't' -> '\t';
      case 'r' -> '\r';
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'u' -> {
        int end = Math.min(text.length(), at + 4);
        try {
          char unit = (char) Integer.parseInt(text.substring(at, end), 16);
          at = end;
          yield unit;
        } catch (NumberFormatException e) {
          yield 'u';
        }
      }
      default -> c;
    };
  }

  private Object bare() {
    int from = at;
    while (at < text.length() && ",}]".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    if (at == from) {
      at++;
      return null;
    }
    String word = text.substring(from, at).strip();
    return switch (word) {
      case "true" -> true;
      case "false" -> false;
      case "null", "" -> null;
      default -> number(word);
    };
  }

  private static Object number(String word) {
    if (!word.matches("-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")) {
      return word;
    }
    BigDecimal number = new BigDecimal(word);
    if (word.matches("-?[0-9]{1,18}")) {
      return number.longValueExact();
    }
    return number.doubleValue();
  }
}
