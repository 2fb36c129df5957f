package pelican.chat;

import java.util.List;

/**
 * Finds marks in text that comes in pieces. What could be the beginning of a mark is held back
 * until it is known.
 */
final class MarkScanner {
  /** Told of what was found, in order. */
  interface Listener {
    void text(String text);

    void mark(String mark);
  }

  private final List<String> marks;
  private final Listener listener;
  private final StringBuilder held = new StringBuilder();

  /**
   * @param marks each begins with {@code <}, and none is the beginning of another
   */
  MarkScanner(List<String> marks, Listener listener) {
    this.marks = marks;
    this.listener = listener;
  }

  /**
   * Takes the next piece of the text.
   *
   * @param end whether it is the last one, so that nothing is held back
   */
  void accept(String piece, boolean end) {
    held.append(piece);
    int done = 0;
    int at = 0;
    while ((at = held.indexOf("<", at)) >= 0) {
      String mark = markAt(at);
      if (mark != null) {
        emit(done, at);
        listener.mark(mark);
        at += mark.length();
        done = at;
      } else if (!end && mayBecomeMark(at)) {
        break;
      } else {
        at++;
      }
    }
    int known = at < 0 ? held.length() : at;
    emit(done, known);
    held.delete(0, known);
  }

  private void emit(int from, int to) {
    if (from < to) {
      listener.text(held.substring(from, to));
    }
  }

  private String markAt(int at) {
    for (String mark : marks) {
      if (held.length() - at >= mark.length() && matches(mark, at, mark.length())) {
        return mark;
      }
    }
    return null;
  }

  private boolean mayBecomeMark(int at) {
    int length = held.length() - at;
    for (String mark : marks) {
      if (length < mark.length() && matches(mark, at, length)) {
        return true;
      }
    }
    return false;
  }

  private boolean matches(String mark, int at, int length) {
    for (int i = 0; i < length; i++) {
      if (held.charAt(at + i) != mark.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
