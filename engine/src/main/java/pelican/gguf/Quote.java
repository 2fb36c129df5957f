package pelican.gguf;

/** Shows text from untrusted files inside one-line messages. */
public final class Quote {
  private static final int MAX_SHOWN = 80;

  private Quote() {}

  /** The text in quotes, shortened, with control and format characters spelled as escapes. */
  public static String quote(String text) {
    StringBuilder out = new StringBuilder("'");
    int shown = 0;
    for (int i = 0; i < text.length(); ) {
      if (shown++ == MAX_SHOWN) {
        out.append("…");
        break;
      }
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      int category = Character.getType(c);
      boolean plain =
          category != Character.CONTROL
              && category != Character.FORMAT
              && category != Character.SURROGATE
              && category != Character.LINE_SEPARATOR
              && category != Character.PARAGRAPH_SEPARATOR;
      if (plain) {
        out.appendCodePoint(c);
      } else {
        out.append(String.format("\\u%04x", c));
      }
    }
    return out.append('\'').toString();
  }
}
