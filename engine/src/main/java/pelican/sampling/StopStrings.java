package pelican.sampling;

import java.util.List;

/**
 * Ends a generated text before the first of some strings, which may come in pieces: text that could
 * be the beginning of one is held back.
 */
public final class StopStrings {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean stopped;

  /** Empty strings stop nothing. */
  public StopStrings(List<String> stops) {
    this.stops = stops.stream().filter(stop -> !stop.isEmpty()).toList();
  }

  /** The text that may be passed on now that the next piece has come. */
  public String accept(String piece) {
    if (stopped) {
      return "";
    }
    if (stops.isEmpty()) {
      return piece;
    }
    held.append(piece);
    int first = -1;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      if (at >= 0 && (first < 0 || at < first)) {
        first = at;
      }
    }
    if (first >= 0) {
      stopped = true;
      return held.substring(0, first);
    }
    int safe = held.length() - longestBeginning();
    String text = held.substring(0, safe);
    held.delete(0, safe);
    return text;
  }

  /** How much of the end of the held text begins a stop string. */
  private int longestBeginning() {
    int longest = 0;
    for (String stop : stops) {
      for (int size = Math.min(stop.length() - 1, held.length()); size > longest; size--) {
        if (held.indexOf(stop.substring(0, size), held.length() - size) >= 0) {
          longest = size;
        }
      }
    }
    return longest;
  }

  /** Whether a stop string has come. */
  public boolean stopped() {
    return stopped;
  }

  /** What is still held back when the text has ended otherwise. */
  public String finish() {
    String text = stopped ? "" : held.toString();
    held.setLength(0);
    return text;
  }
}
