package pelican.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code compare} through the jar: interrupted, and with what cannot be compared. */
@EnabledIfSystemProperty(
    named = "pelican.it.long",
    matches = "true",
    disabledReason = "takes minutes: -Dpelican.it.long=true")
class CompareIT {
  private static final Path GOLDEN = Path.of("../engine/src/test/resources/golden");
  private static final int MOMENTS = 20;

  @TempDir private Path folder;

  private String[] arguments(String format, Path html) throws Exception {
    Path prompts =
        Files.writeString(
            folder.resolve("prompts.jsonl"),
            """
            {"prompt": "What is 17 + 26?", "kind": "number", "expected": "43"}
            {"prompt": "Draw a red circle.", "kind": "svg"}
            """);
    List<String> all =
        new ArrayList<>(List.of("compare", "demo:q6", "demo:q4", format, "--repetitions", "1"));
    // Several wait for each other, for long where other programs are busy.
    all.addAll(List.of("--threads", "1"));
    all.addAll(List.of("--num-predict", "24", "--seeds", "2", "--prompts", prompts.toString()));
    if (html != null) {
      all.addAll(List.of("--html", html.toString()));
    }
    return all.toArray(String[]::new);
  }

  /** Starts a comparison and waits until its models are open. */
  private JarProcess begun(String... arguments) throws Exception {
    JarProcess run = JarProcess.start(folder, arguments);
    run.awaitError("the same model in different storage");
    return run;
  }

  @Test
  @Timeout(value = 60, unit = TimeUnit.MINUTES)
  void interruptedAtAnyMomentItLeavesAReportThatSaysWhatIsMissing() throws Exception {
    boolean hasHtml =
        Main.commandLine().getSubcommands().get("compare").getUsageMessage().contains("--html");
    Path html = hasHtml ? folder.resolve("report.html") : null;
    JarProcess whole = begun(arguments("--json", html));
    long start = System.nanoTime();
    whole.await(() -> false);
    long duration = System.nanoTime() - start;
    assertThat(whole.code()).as(whole.err()).isZero();
    JsonNode complete = JsonMapper.shared().readTree(whole.out());
    assertThat(complete.path("complete").asBoolean()).isTrue();
    assertThat(complete.path("speed").path(1).path("memory").path("bytes").asLong())
        .isBetween(1_000_000L, 2_000_000_000L);
    for (int moment = 0; moment < MOMENTS; moment++) {
      long delay = duration * moment / MOMENTS;
      boolean json = moment % 2 == 0;
      // A run may be faster than the first was, and be complete at that moment.
      while (!isPartial(json, html, delay)) {
        delay /= 2;
      }
    }
  }

  /** Interrupts a comparison after so many nanoseconds; whether it was before its end. */
  private boolean isPartial(boolean json, Path html, long delay) throws Exception {
    JarProcess run = begun(arguments(json ? "--json" : "--markdown", html));
    TimeUnit.NANOSECONDS.sleep(delay);
    run.interrupt();
    boolean partial;
    if (json) {
      JsonNode report = JsonMapper.shared().readTree(run.out());
      partial = !report.path("complete").asBoolean();
      assertThat(report.path("models").size()).isEqualTo(2);
      assertThat(report.path("missing").isEmpty()).isEqualTo(!partial);
      assertThat(report.path("notes").path(0).asString()).contains("the same model");
    } else {
      partial = run.out().contains("\n- missing: ");
      assertThat(run.out()).startsWith("# Comparison\n").contains("## Storage").endsWith("\n");
    }
    if (html != null) {
      String page = Files.readString(html);
      assertThat(page).startsWithIgnoringCase("<!doctype html>");
      assertThat(page.strip()).endsWithIgnoringCase("</html>");
      assertThat(page.contains("\"complete\":true")).isEqualTo(!partial);
      assertThat(page).contains(partial ? "the speed: " : "\"missing\":[]");
    }
    assertThat(run.err()).doesNotContain("\tat ").doesNotContain("Exception");
    if (partial) {
      assertThat(run.code()).isEqualTo(130);
    }
    return partial;
  }

  @Test
  void filesOfDifferentModelsAndWithoutTemplateAreNamedFirst() throws Exception {
    JarProcess run =
        JarProcess.run(
            folder,
            "compare",
            GOLDEN.resolve("tiny-Q8_0.gguf").toString(),
            GOLDEN.resolve("dense-Q4_K_M.gguf").toString(),
            "--only",
            "weights");
    assertThat(run.code()).as(run.err()).isZero();
    List<String> lines = run.out().lines().toList();
    assertThat(lines.getFirst())
        .startsWith("tiny-Q8_0.gguf and dense-Q4_K_M.gguf: NOT the same model: ");
    assertThat(lines.get(1))
        .startsWith("tiny-Q8_0.gguf has no chat template (tokenizer.chat_template)");
  }

  @Test
  void promptsThatCannotBeAskedAreOneLine() throws Exception {
    Path empty = Files.writeString(folder.resolve("empty.jsonl"), "\n");
    assertThat(failure("--prompts", empty.toString()))
        .isEqualTo("Error: " + empty + ": no prompts, expected one a line");
    Path prompts = Files.writeString(folder.resolve("long.txt"), "word ".repeat(400));
    assertThat(failure("--prompts", prompts.toString(), "--num-ctx", "256"))
        .matches(
            "Error: the prompt 'word word .*…' has \\d+ tokens, but the context of demo:q6 holds"
                + " 256 \\(num_ctx\\)");
  }

  private static String failure(String... options) {
    List<String> all = new ArrayList<>(List.of("compare", "demo:q6", "demo:q4"));
    all.addAll(List.of(options));
    return EvalIT.failure(1, all.toArray(String[]::new));
  }
}
