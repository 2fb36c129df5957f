package pelican.cli;

import org.jline.reader.EOFError;
import org.jline.reader.ParsedLine;
import org.jline.reader.impl.DefaultParser;

/**
 * Reads what is typed as one message: a line, or the lines between triple quotes, which are edited
 * and remembered together.
 */
final class MessageParser extends DefaultParser {
  private static final String QUOTES = "\"\"\"";

  MessageParser() {
    // A message is text, in which quotes and backslashes stand for themselves.
    setQuoteChars(new char[0]);
    setEscapeChars(new char[0]);
  }

  @Override
  public ParsedLine parse(String text, int cursor, ParseContext context) {
    if (context == ParseContext.ACCEPT_LINE && isOpen(text)) {
      throw new EOFError(-1, cursor, "the triple quotes are open", QUOTES);
    }
    return super.parse(text, cursor, context);
  }

  private static boolean isOpen(String text) {
    int open = text.indexOf(QUOTES);
    return open >= 0 && text.indexOf(QUOTES, open + QUOTES.length()) < 0;
  }

  /** The message without its triple quotes, and without what follows them. */
  static String unquoted(String text) {
    int open = text.indexOf(QUOTES);
    if (open < 0) {
      return text;
    }
    int close = text.indexOf(QUOTES, open + QUOTES.length());
    return text.substring(0, open)
        + text.substring(open + QUOTES.length(), close < 0 ? text.length() : close);
  }
}
