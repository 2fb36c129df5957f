package pelican.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import pelican.engine.Generation;

/** What {@code --verbose} prints after an answer, as Ollama does. */
final class Statistics {
  private Statistics() {}

  static void print(PrintStream out, Generation generation, Duration loadTime, Duration total) {
    int prompt = generation.promptTokens() - generation.cachedTokens();
    line(out, "total duration:", duration(total));
    if (!loadTime.isZero()) {
      line(out, "load duration:", duration(loadTime));
    }
    line(out, "prompt eval count:", generation.promptTokens() + " token(s)");
    line(out, "prompt eval duration:", duration(generation.promptTime()));
    line(out, "prompt eval rate:", rate(prompt, generation.promptTime()));
    line(out, "eval count:", generation.tokens().length + " token(s)");
    line(out, "eval duration:", duration(generation.generationTime()));
    line(out, "eval rate:", rate(generation.tokens().length, generation.generationTime()));
  }

  private static void line(PrintStream out, String label, String value) {
    out.printf("%-22s%s%n", label, value);
  }

  private static String rate(int tokens, Duration time) {
    double seconds = time.toNanos() / 1e9;
    return String.format(Locale.ROOT, "%.2f tokens/s", seconds == 0 ? 0 : tokens / seconds);
  }

  /** {@code 1h2m3.5s}, {@code 4.2s}, {@code 101.5ms}, {@code 12µs}: Go's notation. */
  static String duration(Duration time) {
    long nanos = time.toNanos();
    if (nanos < 1_000) {
      return nanos + "ns";
    }
    if (nanos < 1_000_000) {
      return decimal(nanos / 1e3) + "µs";
    }
    if (nanos < 1_000_000_000) {
      return decimal(nanos / 1e6) + "ms";
    }
    StringBuilder text = new StringBuilder();
    if (time.toHours() > 0) {
      text.append(time.toHours()).append('h');
    }
    if (time.toMinutes() > 0) {
      text.append(time.toMinutesPart()).append('m');
    }
    return text.append(decimal(nanos % 60_000_000_000L / 1e9)).append('s').toString();
  }

  private static String decimal(double value) {
    return String.format(Locale.ROOT, "%.6f", value).replaceAll("\\.?0+$", "");
  }
}
