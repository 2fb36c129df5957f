package pelican.server.inference;

import java.time.Duration;

/**
 * How long a model stays loaded after its last use.
 *
 * @param duration null for as long as the server runs
 */
public record KeepAlive(Duration duration) {
  /** Durations beyond this count as forever: their nanoseconds would not fit. */
  private static final Duration LONGEST = Duration.ofDays(365L * 100);

  public static final KeepAlive FOREVER = new KeepAlive(null);
  public static final KeepAlive ZERO = new KeepAlive(Duration.ZERO);

  /** Negative durations, and those that no server outlives, mean forever. */
  public KeepAlive {
    if (duration != null && (duration.isNegative() || duration.compareTo(LONGEST) > 0)) {
      duration = null;
    }
  }

  public boolean isForever() {
    return duration == null;
  }

  public boolean isZero() {
    return duration != null && duration.isZero();
  }
}
