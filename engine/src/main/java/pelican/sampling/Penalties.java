package pelican.sampling;

import java.util.Arrays;

/**
 * Lowers the logits of tokens that were seen lately. Counts tokens as they come and go, so that the
 * length of the window costs nothing but memory.
 */
final class Penalties {
  private final boolean active;
  private final double repeat;
  private final double presence;
  private final double frequency;

  /** How many of the last tokens count; negative if all do. */
  private final int length;

  /** The last tokens, as a ring once there are {@code length}; unused if all tokens count. */
  private int[] window = new int[0];

  private long seen;

  /** How often each token is in the window. */
  private int[] counts = new int[0];

  /** The tokens that are in the window, in no order, and where each of them stands there. */
  private int[] present = new int[64];

  private int[] places = new int[0];
  private int presentSize;

  Penalties(SamplingOptions options) {
    repeat = options.repeatPenalty();
    presence = options.presencePenalty();
    frequency = options.frequencyPenalty();
    length = options.repeatLastN();
    active = length != 0 && (repeat != 1 || presence != 0 || frequency != 0);
  }

  /** Adds a token to the window; the oldest one leaves it when it is full. */
  void see(int token) {
    if (!active || token < 0) {
      return;
    }
    if (length > 0) {
      int at = (int) (seen % length);
      if (seen >= length) {
        leave(window[at]);
      } else if (at == window.length) {
        window = Arrays.copyOf(window, (int) Math.min(length, Math.max(64, 2L * at)));
      }
      window[at] = token;
    }
    seen++;
    enter(token);
  }

  private void enter(int token) {
    if (token >= counts.length) {
      int room = (int) Math.min(Integer.MAX_VALUE - 8, Math.max(token + 1L, 2L * counts.length));
      counts = Arrays.copyOf(counts, room);
      places = Arrays.copyOf(places, room);
    }
    if (counts[token]++ == 0) {
      if (presentSize == present.length) {
        present = Arrays.copyOf(present, 2 * presentSize);
      }
      places[token] = presentSize;
      present[presentSize++] = token;
    }
  }

  private void leave(int token) {
    if (--counts[token] == 0) {
      int last = present[--presentSize];
      present[places[token]] = last;
      places[last] = places[token];
    }
  }

  /**
   * Changes the logits of the tokens in the window: {@code l / repeat} where positive, {@code l ×
   * repeat} elsewhere, then {@code − count × frequency − presence}.
   */
  void apply(float[] logits, int offset, int vocabulary) {
    for (int i = 0; i < presentSize; i++) {
      int token = present[i];
      if (token < vocabulary) {
        double logit = logits[offset + token];
        double scaled = logit > 0 ? logit / repeat : logit * repeat;
        logits[offset + token] = (float) (scaled - counts[token] * frequency - presence);
      }
    }
  }
}
