package pelican.grammar.regex;

/** How characters are written in a string of JSON: each in one way, escaped only where it must. */
public final class Encoding {
  private static final String SHORT = "\b\t\n\f\r\"\\";
  private static final String LETTERS = "btnfr\"\\";

  private Encoding() {}

  /** How many bytes a character takes. */
  public static int bytes(int codePoint) {
    if (SHORT.indexOf(codePoint) >= 0) {
      return 2;
    }
    return codePoint < 0x20
        ? 6
        : codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
  }

  /** The character of a backslash and a letter; -1 if there is none. */
  public static int escaped(int letter) {
    int at = LETTERS.indexOf(letter);
    return at < 0 ? -1 : SHORT.charAt(at);
  }

  /** Whether a character is written with a backslash and a letter. */
  public static boolean isShort(int codePoint) {
    return SHORT.indexOf(codePoint) >= 0;
  }
}
