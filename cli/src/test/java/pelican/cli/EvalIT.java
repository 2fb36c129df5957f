package pelican.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code eval} through the jar, on the toy model inside. */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
@EnabledIfSystemProperty(
    named = "pelican.it.long",
    matches = "true",
    disabledReason = "takes minutes: -Dpelican.it.long=true")
class EvalIT {
  @TempDir private Path folder;

  /** Runs a command that fails, in this process, and gives its one line. */
  static String failure(int code, String... arguments) {
    StringWriter err = new StringWriter();
    assertThat(Main.commandLine().setErr(new PrintWriter(err, true)).execute(arguments))
        .as(err.toString())
        .isEqualTo(code);
    if (code == Failures.FAILURE) {
      assertThat(err.toString().lines()).hasSize(1);
    }
    return err.toString().lines().findFirst().orElse("");
  }

  private static long answers(Path results) {
    try {
      return Files.exists(results)
          ? Files.readString(results).lines().filter(l -> l.startsWith("{\"result\"")).count()
          : 0;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void ratesAreThoseOfTheModelsOwnPage() throws Exception {
    // One thread: several wait for each other, for long where other programs are busy.
    JarProcess run =
        JarProcess.run(folder, "eval", "demo:q4", "--builtin", "demo", "--threads", "1", "--json");
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode scores = JsonMapper.shared().readTree(run.out());
    assertThat(scores.path("complete").asBoolean()).isTrue();
    JsonNode published =
        JsonMapper.shared()
            .readTree(Path.of("../models/demo/results.json").toFile())
            .valueStream()
            .filter(row -> row.path("model").asString().equals("demo-q4_k_m.gguf"))
            .findFirst()
            .orElseThrow();
    JsonNode categories = scores.path("models").path(0).path("categories");
    assertThat(categories.size()).isEqualTo(5);
    for (Map.Entry<String, JsonNode> entry : categories.properties()) {
      assertThat(entry.getValue().path("trials").asInt()).isEqualTo(200);
      // The page's figures are computed in single precision; rounding may turn one answer.
      assertThat(100 * entry.getValue().path("share").asDouble())
          .as(entry.getKey())
          .isCloseTo(published.path(entry.getKey()).asDouble(-1), within(0.51));
    }
  }

  @Test
  void interruptedItGoesOnWhereItStopped() throws Exception {
    Path results = folder.resolve("results.jsonl");
    String[] command = {
      "eval",
      "demo:q6",
      "demo:q4",
      "--builtin",
      "demo",
      "--limit",
      "6",
      "--parallel",
      "2",
      "--threads",
      "1",
      "--output",
      results.toString(),
      "--json"
    };
    JarProcess cut = JarProcess.start(folder, command);
    cut.await(() -> answers(results) >= 5);
    cut.interrupt();
    assertThat(cut.code()).as(cut.err()).isEqualTo(130);
    long kept = answers(results);
    assertThat(kept).isBetween(5L, 59L);
    assertThat(cut.err())
        .isEqualTo(
            "interrupted: %d of 60 answers are in %s; the same command goes on with the others\n"
                .formatted(kept, results));
    JsonNode partial = JsonMapper.shared().readTree(cut.out());
    assertThat(partial.path("complete").asBoolean()).isFalse();
    String before = Files.readString(results);

    JarProcess rest = JarProcess.run(folder, command);
    assertThat(rest.code()).as(rest.err()).isZero();
    assertThat(Files.readString(results)).startsWith(before);
    List<JsonNode> lines =
        Files.readAllLines(results).stream().map(JsonMapper.shared()::readTree).toList();
    assertThat(
            lines.stream()
                .map(line -> line.path("result"))
                .filter(JsonNode::isObject)
                .map(result -> result.path("model").asString() + result.path("id").asString())
                .collect(Collectors.toSet()))
        .hasSize(60);
    assertThat(answers(results)).isEqualTo(60);
    JsonNode scores = JsonMapper.shared().readTree(rest.out());
    assertThat(scores.path("complete").asBoolean()).isTrue();
    assertThat(scores.path("pairs").path(0).path("both").asInt()).isBetween(24, 30);

    assertThat(
            failure(
                1,
                "eval",
                "demo:q6",
                "--builtin",
                "demo",
                "--limit",
                "6",
                "--output",
                results.toString(),
                "--temperature",
                "0.5"))
        .startsWith("Error: " + results + " holds results with temperature 0, not temperature 0.5");
    Path set = Files.writeString(folder.resolve("s.jsonl"), "{\"prompt\":\"a\",\"answer\":\"b\"}");
    assertThat(
            failure(1, "eval", "demo:q6", "--data", set.toString(), "--output", results.toString()))
        .startsWith("Error: " + results + " holds results of the set demo (sha256:");
  }

  @Test
  void wrongInputIsOneLine() throws Exception {
    Path set =
        Files.writeString(
            folder.resolve("set.jsonl"),
            "{\"prompt\":\"a\",\"answer\":\"b\"}\n{\"prompt\":\"a\"}\n");
    assertThat(failure(1, "eval", "demo:q4", "--data", set.toString()))
        .startsWith("Error: " + set + ", line 2: no \"answer\", \"regex\" or \"json\"");
    Files.writeString(set, "{\"prompt\":\"a\",\"answer\":\"b\",\"options\":{\"top_p\":7}}");
    assertThat(failure(1, "eval", "demo:q4", "--data", set.toString()))
        .isEqualTo("Error: " + set + ", line 1: top_p is 7, expected 0 to 1");
    Files.writeString(set, "{\"prompt\":\"%s\",\"answer\":\"b\"}".formatted("word ".repeat(99)));
    assertThat(failure(1, "eval", "demo:q4", "--data", set.toString(), "--num-ctx", "64"))
        .matches(
            "Error: .*set.jsonl, line 1: the prompt has \\d+ tokens, but the context of demo:q4"
                + " holds 64 \\(num_ctx\\), expected room for an answer");
    assertThat(failure(1, "eval", "demo:q4", "--data", folder.resolve("none").toString()))
        .endsWith("none: no such file");
    assertThat(failure(1, "eval", "demo:q4", "--builtin", "x")).contains("expected one of demo");
    assertThat(failure(1, "eval", "nonesuch", "--builtin", "demo"))
        .contains("'nonesuch' not found");
    assertThat(failure(2, "eval", "demo:q4")).contains("--data", "--builtin");
    assertThat(failure(2, "eval", "demo:q4", "--builtin", "demo", "--temperature", "-1"))
        .contains("temperature is -1, expected 0 to");
    assertThat(failure(2, "eval", "demo:q4", "demo:q4", "--builtin", "demo"))
        .contains("named twice");
    assertThat(failure(2, "eval", "demo:q4", "--builtin", "demo", "--parallel", "0"))
        .contains("--parallel is 0, expected 1 or more");
  }
}
