package pelican.grammar;

import java.nio.charset.StandardCharsets;
import java.util.Set;

/** The rest of a fixed text, from byte {@code at} on. */
record Literal(String text, int at) implements Node {
  /**
   * @param bytes the text's UTF-8, one byte a character, so that equality is the text's
   */
  private static String latin(String bytes) {
    return new String(bytes.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }

  static Literal of(String text) {
    return new Literal(latin(text), 0);
  }

  @Override
  public void step(int value, Stack rest, Set<Stack> out) {
    if (at < text.length() && text.charAt(at) == value) {
      out.add(at + 1 == text.length() ? rest : rest.push(new Literal(text, at + 1)));
    }
  }

  @Override
  public int shortest() {
    return text.length() - at;
  }
}
