package pelican.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One test of the {@code bench} command with all its runs.
 *
 * @param threads threads that computed
 * @param promptTokens tokens of the prompt that was timed; 0 if generation was
 * @param genTokens generated tokens that were timed; 0 if a prompt was
 * @param depth tokens of context before the first generated one
 * @param parallel sequences that are generated at once
 * @param seconds of each run
 * @param tokenSeconds seconds of each generated token, a list for each run; empty for prompts and
 *     for several sequences
 * @param bytes bytes of weights that a run reads; 0 for prompts, which read each weight once for
 *     many tokens
 * @param operations floating-point operations of a run's products with weights
 */
record BenchResult(
    int threads,
    int promptTokens,
    int genTokens,
    int depth,
    int parallel,
    List<Double> seconds,
    List<List<Double>> tokenSeconds,
    double bytes,
    double operations) {
  /** A test of a prompt, before its first run. */
  static BenchResult ofPrompt(int threads, int tokens, double operations) {
    return new BenchResult(
        threads, tokens, 0, 0, 1, new ArrayList<>(), new ArrayList<>(), 0, operations);
  }

  /** A test of generated tokens, before its first run. */
  static BenchResult ofTokens(
      int threads, int tokens, int depth, int parallel, double bytes, double operations) {
    return new BenchResult(
        threads,
        0,
        tokens,
        depth,
        parallel,
        new ArrayList<>(),
        new ArrayList<>(),
        bytes,
        operations);
  }

  /**
   * Adds a run.
   *
   * @param parts the seconds of each generated token, or of the whole run alone
   */
  void add(double[] parts) {
    seconds.add(Arrays.stream(parts).sum());
    if (genTokens > 0 && parallel == 1) {
      tokenSeconds.add(Arrays.stream(parts).boxed().toList());
    }
  }

  /**
   * {@code pp128}, {@code tg32}, {@code tg32@d4096}, as llama-bench names tests; {@code tg32x8} for
   * eight sequences at once.
   */
  String test() {
    if (promptTokens > 0) {
      return "pp" + promptTokens;
    }
    return "tg"
        + genTokens
        + (parallel > 1 ? "x" + parallel : "")
        + (depth > 0 ? "@d" + depth : "");
  }

  private double tokens() {
    return promptTokens + (double) genTokens * parallel;
  }

  /** The median of the runs' seconds. */
  private double median() {
    double[] sorted = seconds.stream().mapToDouble(x -> x).sorted().toArray();
    int n = sorted.length;
    return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }

  /** Tokens a second, of the median run. */
  double rate() {
    return tokens() / median();
  }

  /** Tokens a second, of the slowest run. */
  double slowest() {
    return tokens() / seconds.stream().mapToDouble(x -> x).max().orElseThrow();
  }

  /** Tokens a second, of the fastest run. */
  double fastest() {
    return tokens() / seconds.stream().mapToDouble(x -> x).min().orElseThrow();
  }

  /** Whether {@link #gigabytes} says something. */
  boolean readsWeights() {
    return bytes > 0;
  }

  /** Gigabytes (10⁹ bytes) of weights read a second. */
  double gigabytes() {
    return bytes / median() / 1e9;
  }

  /** Floating-point operations a second, in 10⁹. */
  double gigaflops() {
    return operations / median() / 1e9;
  }
}
