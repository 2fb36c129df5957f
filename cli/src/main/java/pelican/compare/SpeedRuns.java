package pelican.compare;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pelican.engine.GenerationOptions;
import pelican.engine.Model;
import pelican.engine.PelicanException;
import pelican.engine.SpeedTest;
import pelican.sampling.SamplingOptions;

/** The runs in which a model's speed is measured, each with the model opened anew. */
final class SpeedRuns {
  private static final int PROMPT = 128;
  private static final int TOKENS = 32;

  private final Subject subject;
  private final Prompt prompt;
  private final Runnable check;
  private final MemoryProbe probe;
  private final Map<String, List<Double>> runs = new LinkedHashMap<>();
  private Speed.Memory memory;
  private String failure = "";

  /**
   * Prepares runs.
   *
   * @param prompt whose first token of an answer is waited for
   * @param check called between measurements, to end them by an exception
   */
  SpeedRuns(Subject subject, Prompt prompt, Runnable check) {
    this.subject = subject;
    this.prompt = prompt;
    this.check = check;
    probe = new MemoryProbe(subject.path(), subject.options());
  }

  /** Measures once. */
  void run() {
    try (Model model = subject.reload()) {
      SpeedTest test = new SpeedTest(model);
      add("load", model.loadTime().toNanos() / 1e9);
      long start = System.nanoTime();
      model
          .newSession()
          .generate(
              subject.frame(prompt.text()),
              GenerationOptions.DEFAULT.withSampling(SamplingOptions.GREEDY).withMaxTokens(1),
              token -> {});
      add("first", (System.nanoTime() - start) / 1e9);
      check.run();
      int tokens = Math.min(PROMPT, model.contextLength() - TOKENS - 1);
      add("prefill", tokens / test.prefill(tokens));
      check.run();
      double seconds = 0;
      for (double second : test.decode(1, TOKENS)) {
        seconds += second;
      }
      add("decode", TOKENS / seconds);
    }
  }

  /** Measures once without counting it, as code is still compiled, and how much memory is taken. */
  void warmUp() {
    run();
    synchronized (this) {
      runs.clear();
    }
    try {
      Speed.Memory measured = probe.measure();
      synchronized (this) {
        memory = measured;
      }
    } catch (PelicanException e) {
      check.run();
      synchronized (this) {
        failure = e.getMessage();
      }
    }
  }

  /** Ends what is running soon. */
  void cancel() {
    probe.cancel();
  }

  private synchronized void add(String what, double value) {
    runs.computeIfAbsent(what, key -> new ArrayList<>()).add(value);
  }

  /** Why the memory could not be measured; empty if it was, or not yet. */
  synchronized String failure() {
    return failure;
  }

  /** What was found, once there is a whole run. */
  synchronized Optional<Speed> speed() {
    if (runs.size() < 4) {
      return Optional.empty();
    }
    return Optional.of(
        new Speed(
            subject.label(),
            Speed.Spread.of(runs.get("load")),
            Speed.Spread.of(runs.get("first")),
            Speed.Spread.of(runs.get("prefill")),
            Speed.Spread.of(runs.get("decode")),
            memory,
            subject.file().size(),
            subject.model().bytesPerToken()));
  }
}
