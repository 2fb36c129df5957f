package pelican.chat;

import java.util.ArrayList;
import java.util.List;
import pelican.tokenizer.TextSegment;

/**
 * Collects a prompt: markup of the format, in which control tokens count, and text, in which not.
 */
final class Segments {
  private final List<TextSegment> segments = new ArrayList<>();
  private final StringBuilder current = new StringBuilder();
  private boolean control;

  Segments markup(String markup) {
    return append(markup, true);
  }

  Segments text(String text) {
    return append(text, false);
  }

  /** A string in the format's own quotes. */
  Segments quoted(String text) {
    return markup("<|\"|>").text(text).markup("<|\"|>");
  }

  private Segments append(String piece, boolean asControl) {
    if (!piece.isEmpty()) {
      if (asControl != control) {
        flush();
        control = asControl;
      }
      current.append(piece);
    }
    return this;
  }

  private void flush() {
    if (!current.isEmpty()) {
      segments.add(new TextSegment(current.toString(), control));
      current.setLength(0);
    }
  }

  List<TextSegment> toList() {
    flush();
    return List.copyOf(segments);
  }
}
