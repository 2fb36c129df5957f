package pelican.chat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads {@link ValueFormat}'s notation: JSON with strings in {@code <|"|>}, in which nothing is
 * escaped, and bare keys. JSON's own strings, and such in single quotes, are read too.
 */
final class ValueReader {
  private static final int MAX_DEPTH = 64;
  private static final Pattern NUMBER =
      Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]{1,4})?");
  private static final Pattern LITERAL = Pattern.compile("[\\w.+-]+(?=\\s*([,}\\]]|$))");
  private static final Pattern BARE_KEY = Pattern.compile("[^\\s:,{}\\[\\]<\"']+");

  /** What follows a text without quotes: a comma and a key, but not the beginning of an address. */
  private static final Pattern NEXT_KEY =
      Pattern.compile(",\\s*(?:<\\|\"\\|>|[\"'])?([\\w.-]+)(?:<\\|\"\\|>|[\"'])?\\s*:(?!//)");

  /** The text is not in the notation. */
  private static final class Unreadable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Unreadable() {
      super("not a value", null, false, false);
    }
  }

  private final String text;
  private final boolean open;
  private final boolean bareText;
  private final Set<String> parameters;
  private int at;

  private ValueReader(String text, boolean open, boolean bareText, Set<String> parameters) {
    this.text = text;
    this.open = open;
    this.bareText = bareText;
    this.parameters = parameters;
  }

  /**
   * Reads an object that makes up the whole text.
   *
   * @param open whether brackets may be missing, or be too many, at the end
   * @param bareText whether strings may stand without quotes
   * @param parameters the keys that may follow such a string in the outer object; empty for any
   */
  static Optional<Map<String, Object>> read(
      String text, boolean open, boolean bareText, Set<String> parameters) {
    ValueReader reader = new ValueReader(text, open, bareText, parameters);
    try {
      Map<String, Object> result = reader.object(1);
      while (open && reader.next('}')) {
        // one bracket too many
      }
      reader.skipSpace();
      return reader.at == text.length() ? Optional.of(result) : Optional.empty();
    } catch (Unreadable e) {
      return Optional.empty();
    }
  }

  private Map<String, Object> object(int depth) {
    require('{');
    Map<String, Object> result = new LinkedHashMap<>();
    while (!closes('}')) {
      String key = key();
      require(':');
      result.put(key, value(depth));
      separate('}');
    }
    return result;
  }

  private List<Object> array(int depth) {
    require('[');
    List<Object> result = new ArrayList<>();
    while (!closes(']')) {
      result.add(value(depth));
      separate(']');
    }
    return result;
  }

  private boolean closes(char bracket) {
    return next(bracket) || (open && atEnd());
  }

  /** A comma, unless the bracket or a missing one follows. */
  private void separate(char bracket) {
    if (!next(',') && !atEnd() && text.charAt(at) != bracket) {
      throw new Unreadable();
    }
  }

  private boolean atEnd() {
    skipSpace();
    return at == text.length();
  }

  private void skipSpace() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }

  private boolean next(char c) {
    skipSpace();
    if (at < text.length() && text.charAt(at) == c) {
      at++;
      return true;
    }
    return false;
  }

  private void require(char c) {
    if (!next(c)) {
      throw new Unreadable();
    }
  }

  private String key() {
    skipSpace();
    String quoted = string();
    if (quoted != null) {
      return quoted;
    }
    Matcher key = BARE_KEY.matcher(text).region(at, text.length());
    if (!key.lookingAt()) {
      throw new Unreadable();
    }
    at = key.end();
    return key.group();
  }

  private Object value(int depth) {
    skipSpace();
    int start = at;
    if (at < text.length()) {
      String string = string();
      if (string != null && (!bareText || delimited())) {
        return string;
      }
      at = start;
      char c = text.charAt(at);
      if (c == '{' || c == '[') {
        if (depth == MAX_DEPTH) {
          throw new Unreadable();
        }
        return c == '{' ? object(depth + 1) : array(depth + 1);
      }
      Matcher literal = LITERAL.matcher(text).region(at, text.length());
      if (literal.lookingAt()) {
        at = literal.end();
        switch (literal.group()) {
          case "true":
            return true;
          case "false":
            return false;
          case "null":
            return null;
          default:
            if (NUMBER.matcher(literal.group()).matches()) {
              return number(literal.group());
            }
        }
      }
    }
    at = start;
    return bare(depth);
  }

  /** A string in quotes of any kind, or null if there is none here. */
  private String string() {
    if (text.startsWith(ToolCallSyntax.QUOTE, at)) {
      int from = at + ToolCallSyntax.QUOTE.length();
      int end = text.indexOf(ToolCallSyntax.QUOTE, from);
      if (end < 0) {
        throw new Unreadable();
      }
      at = end + ToolCallSyntax.QUOTE.length();
      return text.substring(from, end);
    }
    if (at == text.length() || "\"'".indexOf(text.charAt(at)) < 0) {
      return null;
    }
    char quote = text.charAt(at++);
    StringBuilder result = new StringBuilder();
    while (at < text.length() && text.charAt(at) != quote) {
      char c = text.charAt(at++);
      result.append(c == '\\' && at < text.length() ? escaped() : c);
    }
    if (at == text.length()) {
      if (bareText) {
        return null;
      }
      throw new Unreadable();
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
        int end = at + 4;
        if (end > text.length() || !text.substring(at, end).matches("[0-9a-fA-F]{4}")) {
          throw new Unreadable();
        }
        char unit = (char) Integer.parseInt(text, at, end, 16);
        at = end;
        yield unit;
      }
      default -> c;
    };
  }

  /** Whether a value may end here. */
  private boolean delimited() {
    return atEnd() || ",}]".indexOf(text.charAt(at)) >= 0;
  }

  private static Number number(String digits) {
    if (digits.matches("-?[0-9]+")) {
      BigInteger whole = new BigInteger(digits);
      return whole.bitLength() < 64 ? (Number) whole.longValue() : whole;
    }
    double value = Double.parseDouble(digits);
    return Double.isInfinite(value) ? (Number) new BigDecimal(digits) : value;
  }

  /**
   * Text without quotes: in the outer object up to the next key, deeper up to the next delimiter.
   */
  private Object bare(int depth) {
    if (!bareText) {
      throw new Unreadable();
    }
    int end = depth == 1 ? endOfParameter() : at;
    if (depth > 1) {
      while (end < text.length() && ",}]".indexOf(text.charAt(end)) < 0) {
        end++;
      }
    }
    String result = text.substring(at, end).strip();
    at = end;
    return result.isEmpty() ? null : result;
  }

  private int endOfParameter() {
    Matcher next = NEXT_KEY.matcher(text);
    for (int from = at; next.find(from); from = next.start() + 1) {
      if (parameters.isEmpty() || parameters.contains(next.group(1))) {
        return next.start();
      }
    }
    int end = text.length();
    while (end > at && Character.isWhitespace(text.charAt(end - 1))) {
      end--;
    }
    if (end > at && text.charAt(end - 1) == '}') {
      return end - 1;
    }
    return text.length();
  }
}
