package pelican.compare;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import pelican.engine.ModelOptions;
import pelican.models.ModelResolver;

/** Reports for tests, of the demo model. */
public final class ReportSamples {
  /** What a model could answer to get at whoever opens the report. */
  public static final String HOSTILE =
      "</script><script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 2\">"
          + "<!--<script>{{data}} $1 \\u003c";

  /** A drawing that would run, and load, if it could. */
  public static final String HOSTILE_DRAWING =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 10 10\" onload=\"window.hacked ="
          + " 3\"><script>parent.hacked = 4; fetch('http://127.0.0.1:9/')</script><image"
          + " href=\"http://127.0.0.1:9/x.png\" width=\"5\" height=\"5\"/><a"
          + " href=\"javascript:window.hacked=5\"><rect width=\"10\" height=\"10\""
          + " fill=\"teal\"/></a><foreignObject width=\"9\" height=\"9\"><iframe"
          + " xmlns=\"http://www.w3.org/1999/xhtml\""
          + " src=\"javascript:parent.parent.hacked=6\"/></foreignObject></svg>";

  private ReportSamples() {}

  private static Map<String, Path> demo() {
    Map<String, Path> files = new LinkedHashMap<>();
    for (String name : List.of("demo:q6", "demo:q4")) {
      files.put(name, ModelResolver.ofUser().resolve(name).file());
    }
    return files;
  }

  private static ComparisonOptions options(Set<Phase> phases) {
    return new ComparisonOptions(
        ModelOptions.DEFAULT,
        256,
        List.of(new Prompt("What is 17 + 26?", "number", "43")),
        null,
        null,
        0,
        16,
        1,
        phases,
        List.of());
  }

  /** A report whose answers and tokens do their worst. */
  public static Report hostile() {
    try (Comparison comparison =
        new Comparison(
            demo(),
            options(Set.of(Phase.WEIGHTS, Phase.QUALITY, Phase.BEHAVIOUR)),
            (phase, done, total) -> {})) {
      comparison.run();
      Report report = comparison.report();
      List<Behaviour> behaviours = new ArrayList<>(report.behaviours());
      behaviours.add(
          new Behaviour(
              HOSTILE,
              "text",
              List.of(given(HOSTILE, null), given(HOSTILE + "…", null)),
              List.of()));
      behaviours.add(
          new Behaviour(
              "Draw!",
              "svg",
              List.of(given(HOSTILE_DRAWING, HOSTILE_DRAWING), given(HOSTILE_DRAWING, null)),
              List.of()));
      Quality.Mark mark =
          new Quality.Mark(
              HOSTILE,
              List.of(2.0),
              List.of(false),
              List.of(0.5, 0.25),
              List.of(
                  List.of(new Quality.Likely(HOSTILE, 0.5)),
                  List.of(new Quality.Likely(HOSTILE, 0.5))));
      List<Quality.Marked> texts = new ArrayList<>(report.texts());
      texts.add(new Quality.Marked(HOSTILE, List.of(mark, mark)));
      List<String> notes = new ArrayList<>(report.notes());
      notes.add(HOSTILE);
      return new Report(
          report.created(),
          report.complete(),
          report.missing(),
          notes,
          report.models(),
          report.metadata(),
          report.weights(),
          report.quality(),
          report.behaviourSummary(),
          behaviours,
          report.speed(),
          texts,
          report.worst(),
          report.blocks(),
          report.samples());
    }
  }

  private static Behaviour.Given given(String text, String svg) {
    return new Behaviour.Given(text, 9, false, 3, 0.5, 0, svg != null, svg, true);
  }

  /** A report of a comparison that was cancelled while weights were compared. */
  public static Report partial() {
    AtomicReference<Comparison> running = new AtomicReference<>();
    try (Comparison comparison =
        new Comparison(
            demo(),
            options(Set.of(Phase.values())),
            (phase, done, total) -> {
              if (done == 20) {
                running.get().cancel();
              }
            })) {
      running.set(comparison);
      try {
        comparison.run();
        throw new AssertionError("it was not cancelled");
      } catch (CancellationException e) {
        return comparison.report();
      }
    }
  }
}
