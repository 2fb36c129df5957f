package pelican.grammar.regex;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads regular expressions as ECMA-262 has them, but for what looks around or back: those are
 * refused by name.
 */
final class RegexParser {
  private static final int DEEPEST = 64;
  private static final int LARGEST_COUNT = 100_000;

  private final String text;
  private final Dialect dialect;
  private int at;
  private int depth;

  private RegexParser(String text, Dialect dialect) {
    this.text = text;
    this.dialect = dialect;
  }

  static Regex parse(String text, Dialect dialect) throws RegexException {
    RegexParser parser = new RegexParser(text, dialect);
    Regex regex = parser.either();
    if (parser.at < text.length()) {
      throw parser.wrong("')' closes nothing", parser.at);
    }
    return regex;
  }

  private RegexException wrong(String problem, int index) {
    return new RegexException(problem + " at index " + index);
  }

  private boolean more() {
    return at < text.length();
  }

  private boolean take(String expected) {
    if (text.startsWith(expected, at)) {
      at += expected.length();
      return true;
    }
    return false;
  }

  private Regex either() throws RegexException {
    if (++depth > DEEPEST) {
      throw wrong("groups are nested more than " + DEEPEST + " deep", at);
    }
    List<Regex> options = new ArrayList<>();
    do {
      options.add(sequence());
    } while (take("|"));
    depth--;
    return options.size() == 1 ? options.getFirst() : new Regex.Either(options);
  }

  private Regex sequence() throws RegexException {
    List<Regex> parts = new ArrayList<>();
    while (more() && text.charAt(at) != '|' && text.charAt(at) != ')') {
      parts.add(quantified());
    }
    return parts.size() == 1 ? parts.getFirst() : new Regex.Sequence(parts);
  }

  private Regex quantified() throws RegexException {
    int start = at;
    Regex part = atom();
    int least;
    int most;
    if (take("*")) {
      least = 0;
      most = -1;
    } else if (take("+")) {
      least = 1;
      most = -1;
    } else if (take("?")) {
      least = 0;
      most = 1;
    } else {
      int[] counts = counts();
      if (counts == null) {
        return part;
      }
      least = counts[0];
      most = counts[1];
    }
    if (part instanceof Regex.Start || part instanceof Regex.End) {
      throw wrong("a quantifier of an anchor is not supported", start);
    }
    // Lazy or not, the texts that match are the same.
    take("?");
    if (more() && "*+?".indexOf(text.charAt(at)) >= 0) {
      throw wrong("quantifier '" + text.charAt(at) + "' has nothing to repeat", at);
    }
    return new Regex.Repeat(part, least, most);
  }

  /** The counts in braces, or null if there are none here. */
  private int[] counts() throws RegexException {
    if (!more() || text.charAt(at) != '{') {
      return null;
    }
    int end = text.indexOf('}', at);
    String inside = end < 0 ? "" : text.substring(at + 1, end);
    if (!inside.matches("[0-9]+(,[0-9]*)?")) {
      return null;
    }
    int start = at;
    at = end + 1;
    int comma = inside.indexOf(',');
    int least = count(comma < 0 ? inside : inside.substring(0, comma), start);
    int most =
        comma < 0
            ? least
            : comma + 1 == inside.length() ? -1 : count(inside.substring(comma + 1), start);
    if (most >= 0 && most < least) {
      throw wrong("quantifier '{" + inside + "}' has its counts out of order", start);
    }
    return new int[] {least, most};
  }

  private int count(String digits, int start) throws RegexException {
    int value = digits.length() > 9 ? Integer.MAX_VALUE : Integer.parseInt(digits);
    if (value > LARGEST_COUNT) {
      throw wrong(
          "a quantifier's count is " + digits + ", expected at most " + LARGEST_COUNT, start);
    }
    return value;
  }

  private Regex atom() throws RegexException {
    int start = at;
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    return switch (c) {
      case '^' -> new Regex.Start();
      case '$' -> new Regex.End();
      case '.' -> new Regex.Chars(CharClass.dot(dialect));
      case '(' -> group(start);
      case '[' -> chars(charClass(start));
      case '\\' -> chars(escape(false));
      case '*', '+', '?' ->
          throw wrong("quantifier '" + (char) c + "' has nothing to repeat", start);
      default -> {
        if (c == '{') {
          at = start;
          if (counts() != null) {
            throw wrong("quantifier '{' has nothing to repeat", start);
          }
          at = start + 1;
        }
        yield new Regex.Chars(CodePoints.of(c));
      }
    };
  }

  private Regex chars(CharClass set) {
    return new Regex.Chars(dialect == Dialect.ANY ? set.perhaps() : set.sure());
  }

  private Regex group(int start) throws RegexException {
    if (take("?")) {
      for (String[] refused :
          new String[][] {
            {"<=", "lookbehind"}, {"<!", "lookbehind"}, {"=", "lookahead"}, {"!", "lookahead"}
          }) {
        if (text.startsWith(refused[0], at)) {
          throw wrong(refused[1] + " '(?" + refused[0] + "' is not supported", start);
        }
      }
      if (take("<")) {
        int end = text.indexOf('>', at);
        if (end < 0 || !text.substring(at, end).matches("[\\p{L}_$][\\p{L}\\p{N}_$]*")) {
          throw wrong("a group's name is wrong", start);
        }
        at = end + 1;
      } else if (!take(":")) {
        int end = Math.min(text.length(), at + 1);
        throw wrong("group '(?" + text.substring(at, end) + "' is not supported", start);
      }
    }
    Regex inside = either();
    if (!take(")")) {
      throw wrong("'(' is not closed", start);
    }
    // A sequence of its own, so that a quantifier of a group with an anchor is not one of the
    // anchor.
    return new Regex.Sequence(List.of(inside));
  }

  private CharClass charClass(int start) throws RegexException {
    boolean negated = take("^");
    CharClass all = CharClass.of(CodePoints.NONE);
    while (!take("]")) {
      if (!more()) {
        throw wrong("'[' is not closed", start);
      }
      int from = at;
      CharClass first = member();
      boolean range =
          text.startsWith("-", at) && at + 1 < text.length() && text.charAt(at + 1) != ']';
      if (range) {
        at++;
        CharClass last = member();
        int low = single(first);
        int high = single(last);
        if (low < 0 || high < 0) {
          throw wrong("a range in '[' begins or ends with a class", from);
        }
        if (low > high) {
          throw wrong("a range in '[' is out of order", from);
        }
        first = CharClass.of(CodePoints.range(low, high));
      }
      all = all.or(first);
    }
    return negated ? all.not() : all;
  }

  private CharClass member() throws RegexException {
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    return c == '\\' ? escape(true) : CharClass.of(CodePoints.of(c));
  }

  private static int single(CharClass set) {
    CodePoints points = set.sure();
    return points.ranges() == 1 && points.first(0) == points.last(0) ? points.first(0) : -1;
  }

  /** What follows a backslash. */
  private CharClass escape(boolean inClass) throws RegexException {
    int start = at - 1;
    if (!more()) {
      throw wrong("'\\' is followed by nothing", start);
    }
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    CharClass known = c < 128 ? CharClass.escape((char) c) : null;
    if (known != null) {
      return dialect == Dialect.ECMA ? ecma((char) c, known) : known;
    }
    int value =
        switch (c) {
          case 't' -> '\t';
          case 'n' -> '\n';
          case 'v' -> 0x0b;
          case 'f' -> '\f';
          case 'r' -> '\r';
          case 'x' -> hex(2, start);
          case 'u' -> unicode(start);
          case 'c' -> control(start);
          default -> -1;
        };
    if (value >= 0) {
      return CharClass.of(CodePoints.of(value));
    }
    if (c == 'p' || c == 'P') {
      return property(c == 'P', start);
    }
    if (c == 'b' && inClass) {
      return CharClass.of(CodePoints.of('\b'));
    }
    if (c == 'b' || c == 'B') {
      throw wrong("word boundary '\\" + (char) c + "' is not supported", start);
    }
    boolean digitNext = more() && Character.isDigit(text.charAt(at));
    if (c == '0' && !digitNext) {
      return CharClass.of(CodePoints.of(0));
    }
    if (c == 'k' || c >= '0' && c <= '9') {
      throw wrong("backreference '\\" + (char) c + "' is not supported", start);
    }
    if (Character.isLetter(c)) {
      throw wrong("escape '\\" + Character.toString(c) + "' is not supported", start);
    }
    return CharClass.of(CodePoints.of(c));
  }

  private static CharClass ecma(char letter, CharClass dialects) {
    return switch (letter) {
      case 'd', 'w' -> CharClass.of(dialects.sure());
      case 'D', 'W' -> CharClass.of(dialects.perhaps());
      case 's' -> CharClass.of(CharClass.ECMA_SPACE);
      default -> CharClass.of(CharClass.ECMA_SPACE.not());
    };
  }

  private int hex(int digits, int start) throws RegexException {
    String value = at + digits <= text.length() ? text.substring(at, at + digits) : "";
    if (!value.matches("[0-9a-fA-F]{" + digits + "}")) {
      throw wrong("an escape needs " + digits + " hexadecimal digits", start);
    }
    at += digits;
    return Integer.parseInt(value, 16);
  }

  private int unicode(int start) throws RegexException {
    if (take("{")) {
      int end = text.indexOf('}', at);
      String digits = end < 0 ? "" : text.substring(at, end);
      if (!digits.matches("0*[0-9a-fA-F]{1,6}") || Integer.parseInt(digits, 16) > CodePoints.LAST) {
        throw wrong("'\\u{' needs a code point in hexadecimal digits", start);
      }
      at = end + 1;
      return Integer.parseInt(digits, 16);
    }
    int high = hex(4, start);
    if (Character.isHighSurrogate((char) high) && text.startsWith("\\u", at)) {
      int before = at;
      at += 2;
      int low = text.startsWith("{", at) ? -1 : hex(4, before);
      if (low >= 0 && Character.isLowSurrogate((char) low)) {
        return Character.toCodePoint((char) high, (char) low);
      }
      at = before;
    }
    return high;
  }

  private int control(int start) throws RegexException {
    char letter = more() ? text.charAt(at) : 0;
    if (!(letter >= 'a' && letter <= 'z' || letter >= 'A' && letter <= 'Z')) {
      throw wrong("'\\c' needs a letter", start);
    }
    at++;
    return letter % 32;
  }

  private CharClass property(boolean negated, int start) throws RegexException {
    int end = more() && text.charAt(at) == '{' ? text.indexOf('}', at) : -1;
    String name = end < 0 ? "" : text.substring(at + 1, end);
    String category = name.replaceFirst("^(gc|General_Category)=", "");
    CharClass set = CharClass.category(category);
    if (set == null) {
      throw wrong(
          "property '\\"
              + (negated ? "P" : "p")
              + "{"
              + name
              + "}' is not supported, expected a"
              + " general category as L or Lu",
          start);
    }
    at = end + 1;
    return negated ? set.not() : set;
  }
}
