package pelican.grammar.regex;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A class of characters, of which dialects of regular expressions think differently.
 *
 * @param sure the characters that are of it in all dialects
 * @param perhaps those that are of it in some
 */
record CharClass(CodePoints sure, CodePoints perhaps) {
  private static final Map<String, CodePoints> PROPERTIES = new ConcurrentHashMap<>();

  private static final CodePoints ASCII_SPACE = CodePoints.range(9, 13).or(CodePoints.of(' '));
  private static final CodePoints ASCII_DIGIT = CodePoints.range('0', '9');
  private static final CodePoints ASCII_WORD =
      ASCII_DIGIT
          .or(CodePoints.range('A', 'Z'))
          .or(CodePoints.range('a', 'z'))
          .or(CodePoints.of('_'));

  private static final CodePoints SPACE =
      CodePoints.range(0x1c, 0x1f)
          .or(ASCII_SPACE)
          .or(CodePoints.of(0x85, 0xa0, 0x1680, 0x180e, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000))
          .or(CodePoints.range(0x2000, 0x200b))
          .or(CodePoints.of(0xfeff));

  static final CodePoints ECMA_SPACE =
      ASCII_SPACE
          .or(CodePoints.of(0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff))
          .or(CodePoints.range(0x2000, 0x200a));

  /** What a dot stands for: any character but the ends of lines. */
  static CodePoints dot(Dialect dialect) {
    CodePoints ends =
        switch (dialect) {
          case ALL -> CodePoints.range(10, 13).or(CodePoints.of(0x85, 0x2028, 0x2029));
          case ECMA -> CodePoints.of('\n', '\r', 0x2028, 0x2029);
          case ANY -> CodePoints.of('\n');
        };
    return ends.not();
  }

  static CharClass of(CodePoints set) {
    return new CharClass(set, set);
  }

  /** The class of an escape of d, w or s; null if it is none. */
  static CharClass escape(char letter) {
    return switch (letter) {
      case 'd' -> new CharClass(ASCII_DIGIT, ASCII_DIGIT.or(where("Nd")));
      case 'w' -> new CharClass(ASCII_WORD, ASCII_WORD.or(words()));
      case 's' -> new CharClass(ASCII_SPACE, SPACE);
      case 'D', 'W', 'S' -> escape(Character.toLowerCase(letter)).not();
      default -> null;
    };
  }

  CharClass not() {
    return new CharClass(perhaps.not(), sure.not());
  }

  CharClass or(CharClass other) {
    return new CharClass(sure.or(other.sure), perhaps.or(other.perhaps));
  }

  private static CodePoints words() {
    return PROPERTIES.computeIfAbsent(
        "words",
        key ->
            CodePoints.where(c ->
                Character.isLetterOrDigit(c)
                    || Character.isAlphabetic(c)
                    || isOf(c, "M")
                    || isOf(c, "N")
                    || isOf(c, "Pc")
                    || c == 0x200c
                    || c == 0x200d));
  }

  private static CodePoints where(String category) {
    return PROPERTIES.computeIfAbsent(category, key -> CodePoints.where(c -> isOf(c, key)));
  }

  /** A general category of Unicode by its short name, as {@code Lu} or {@code L}; null if none. */
  static CharClass category(String name) {
    boolean known = false;
    for (int type = 0; type <= Character.FINAL_QUOTE_PUNCTUATION; type++) {
      known |= !name.isEmpty() && name(type).startsWith(name);
    }
    return known && name.length() <= 2 ? of(where(name)) : null;
  }

  private static boolean isOf(int c, String category) {
    return name(Character.getType(c)).startsWith(category);
  }

  private static String name(int type) {
    return switch ((byte) type) {
      case Character.UPPERCASE_LETTER -> "Lu";
      case Character.LOWERCASE_LETTER -> "Ll";
      case Character.TITLECASE_LETTER -> "Lt";
      case Character.MODIFIER_LETTER -> "Lm";
      case Character.OTHER_LETTER -> "Lo";
      case Character.NON_SPACING_MARK -> "Mn";
      case Character.ENCLOSING_MARK -> "Me";
      case Character.COMBINING_SPACING_MARK -> "Mc";
      case Character.DECIMAL_DIGIT_NUMBER -> "Nd";
      case Character.LETTER_NUMBER -> "Nl";
      case Character.OTHER_NUMBER -> "No";
      case Character.SPACE_SEPARATOR -> "Zs";
      case Character.LINE_SEPARATOR -> "Zl";
      case Character.PARAGRAPH_SEPARATOR -> "Zp";
      case Character.CONTROL -> "Cc";
      case Character.FORMAT -> "Cf";
      case Character.PRIVATE_USE -> "Co";
      case Character.SURROGATE -> "Cs";
      case Character.DASH_PUNCTUATION -> "Pd";
      case Character.START_PUNCTUATION -> "Ps";
      case Character.END_PUNCTUATION -> "Pe";
      case Character.CONNECTOR_PUNCTUATION -> "Pc";
      case Character.OTHER_PUNCTUATION -> "Po";
      case Character.INITIAL_QUOTE_PUNCTUATION -> "Pi";
      case Character.FINAL_QUOTE_PUNCTUATION -> "Pf";
      case Character.MATH_SYMBOL -> "Sm";
      case Character.CURRENCY_SYMBOL -> "Sc";
      case Character.MODIFIER_SYMBOL -> "Sk";
      case Character.OTHER_SYMBOL -> "So";
      default -> "Cn";
    };
  }
}
