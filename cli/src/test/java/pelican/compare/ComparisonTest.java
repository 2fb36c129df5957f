package pelican.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pelican.engine.ModelOptions;
import pelican.engine.PelicanException;
import pelican.models.ModelResolver;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Comparisons against golden logits, of files that do not fit each other, and cut short. */
class ComparisonTest {
  private static final Path GOLDEN = Path.of("../engine/src/test/resources/golden");
  private static final Path SHARED = Path.of("../../shared/golden");
  private static final List<Prompt> PROMPTS =
      List.of(
          new Prompt("What is 17 + 26?", "number", "43"), new Prompt("Who are you?", "text", ""));

  private static ComparisonOptions options(Set<Phase> phases, int[] tokens, int contextLength) {
    return new ComparisonOptions(
        ModelOptions.DEFAULT.withSinglePrecision(true),
        contextLength,
        PROMPTS,
        null,
        tokens,
        2,
        16,
        1,
        phases,
        List.of());
  }

  private static Map<String, Path> golden(Path folder, String... names) {
    Map<String, Path> files = new LinkedHashMap<>();
    for (String name : names) {
      Path inside = GOLDEN.resolve(name + ".gguf");
      files.put(name, Files.exists(inside) ? inside : folder.resolve(name + ".gguf"));
    }
    return files;
  }

  private static Map<String, Path> demo() {
    Map<String, Path> files = new LinkedHashMap<>();
    for (String name : List.of("demo:q6", "demo:q4")) {
      files.put(name, ModelResolver.ofUser().resolve(name).file());
    }
    return files;
  }

  private static FloatBuffer logits(Path model) throws IOException {
    Path file = Path.of(model.toString().replace(".gguf", ".logits.f32"));
    return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
  }

  /** Probabilities of a row of logits, in the plainest way. */
  private static double[] softmax(FloatBuffer logits, int row, int vocabulary) {
    double[] p = new double[vocabulary];
    double sum = 0;
    for (int i = 0; i < vocabulary; i++) {
      p[i] = Math.exp(logits.get(row * vocabulary + i));
      sum += p[i];
    }
    for (int i = 0; i < vocabulary; i++) {
      p[i] /= sum;
    }
    return p;
  }

  private static int top(double[] p) {
    int top = 0;
    for (int i = 1; i < p.length; i++) {
      top = p[i] > p[top] ? i : top;
    }
    return top;
  }

  @ParameterizedTest
  @CsvSource({"tiny-F16,tiny-Q4_K_M", "tiny-Q8_0,tiny-Q4_K_M", "tiny-Q6_K,tiny-Q3_K_M"})
  void divergenceIsThatOfTheGoldenLogits(String reference, String other) throws IOException {
    Map<String, Path> files = golden(SHARED, reference, other);
    Path first = files.get(reference);
    assumeTrue(Files.exists(first), () -> first + " is not carried along");
    JsonNode json =
        JsonMapper.shared().readTree(Path.of(first.toString().replace(".gguf", ".json")).toFile());
    int[] tokens = json.path("tokens").valueStream().mapToInt(JsonNode::asInt).toArray();
    int vocabulary = json.path("shape").path(1).asInt();
    FloatBuffer p = logits(first);
    FloatBuffer q = logits(files.get(other));
    double kl = 0;
    double loss = 0;
    int same = 0;
    int positions = tokens.length - 1;
    for (int at = 0; at < positions; at++) {
      double[] a = softmax(p, at, vocabulary);
      double[] b = softmax(q, at, vocabulary);
      for (int i = 0; i < vocabulary; i++) {
        kl += a[i] * Math.log(a[i] / b[i]);
      }
      loss -= Math.log(b[tokens[at + 1]]);
      same += top(a) == top(b) ? 1 : 0;
    }
    ComparisonOptions options = options(Set.of(Phase.QUALITY), tokens, 64);
    try (Comparison comparison = new Comparison(files, options, (phase, done, total) -> {})) {
      comparison.run();
      DivergenceStatistics found = comparison.report().quality().getFirst().statistics();
      assertThat(found.positions()).isEqualTo(positions);
      assertThat(found.kl().value()).isCloseTo(kl / positions, within(0.01 * kl / positions));
      assertThat(found.sameTop().value())
          .isCloseTo((double) same / positions, within(0.01 * same / positions));
      double perplexity = Math.exp(loss / positions);
      assertThat(found.perplexity().value()).isCloseTo(perplexity, within(0.01 * perplexity));
    }
  }

  @Test
  void differentModelsAreToldApartFirst() {
    Map<String, Path> files = golden(GOLDEN, "tiny-Q8_0", "dense-Q4_K_M");
    ComparisonOptions options = options(Set.of(Phase.WEIGHTS), null, 64);
    try (Comparison comparison = new Comparison(files, options, (phase, done, total) -> {})) {
      assertThat(comparison.notes().getFirst())
          .startsWith("tiny-Q8_0 and dense-Q4_K_M: NOT the same model")
          .contains("another shape");
      assertThat(comparison.notes())
          .anyMatch(note -> note.startsWith("tiny-Q8_0 has no chat template"));
      comparison.run();
      Report report = comparison.report();
      assertThat(report.notes())
          .contains("dense-Q4_K_M: the weights are not those of tiny-Q8_0 but for rounding");
      assertThat(report.notes()).anyMatch(note -> note.contains("have no counterpart"));
      assertThat(report.missing()).contains("the speed: not asked for");
    }
  }

  @Test
  void sameModelInOtherStorageIsShown() {
    Map<String, Path> files = golden(GOLDEN, "tiny-Q8_0", "tiny-Q4_K_M");
    ComparisonOptions options = options(Set.of(Phase.WEIGHTS), null, 64);
    try (Comparison comparison = new Comparison(files, options, (phase, done, total) -> {})) {
      assertThat(comparison.notes().getFirst()).contains("the same model in different storage");
      comparison.run();
      Report report = comparison.report();
      assertThat(report.weights().getFirst().relativeRms()).isBetween(0.01, 0.2);
      assertThat(report.models().get(1).saving()).isBetween(0.2, 0.5);
      assertThat(report.blocks()).hasSize(1);
      String text = ReportTables.terminal(report, List.of());
      assertThat(text).contains("tiny-Q4_K_M").contains("Q8_0 → Q4_K");
    }
  }

  @Test
  void promptsThatCannotBeAskedAreRefused(@TempDir Path folder) throws IOException {
    assertThatThrownBy(() ->
            new Comparison(demo(), options(Set.of(Phase.BEHAVIOUR), null, 8), (p, d, t) -> {}))
        .isInstanceOf(PelicanException.class)
        .hasMessageMatching(
            "the prompt 'What is 17 \\+ 26\\?' has \\d+ tokens, but the context of demo:q6 holds 8"
                + " \\(num_ctx\\)");
    Path empty = Files.writeString(folder.resolve("empty.txt"), "\n\n");
    assertThatThrownBy(() -> Prompt.read(empty))
        .hasMessage(empty + ": no prompts, expected one a line");
    Path odd = Files.writeString(folder.resolve("odd.jsonl"), "Hello\n{\"prompt\": 3}\n");
    assertThatThrownBy(() -> Prompt.read(odd))
        .hasMessage(odd + ", line 2: \"prompt\" is missing, expected a text that is not empty");
    Path kind =
        Files.writeString(folder.resolve("kind.jsonl"), "{\"prompt\":\"a\",\"kind\":\"b\"}");
    assertThatThrownBy(() -> Prompt.read(kind))
        .hasMessageContaining("line 1: kind is 'b', expected");
    Path binary = Files.write(folder.resolve("binary"), new byte[] {(byte) 0xff, (byte) 0xfe});
    assertThatThrownBy(() -> Prompt.read(binary)).hasMessageContaining("not UTF-8");
  }

  @Test
  void cutShortAtAnyMomentTheReportSaysWhatIsMissing() {
    ComparisonOptions options = options(Set.of(Phase.values()), null, 256);
    AtomicInteger steps = new AtomicInteger();
    try (Comparison whole =
        new Comparison(demo(), options, (phase, done, total) -> steps.incrementAndGet())) {
      whole.run();
      assertThat(whole.report().missing()).isEmpty();
      assertThat(written(whole.report()).path("complete").asBoolean()).isTrue();
    }
    int moments = 20;
    for (int moment = 0; moment < moments; moment++) {
      // The last step is left out: after it nothing is missing.
      int last = moment * (steps.get() - 2) / (moments - 1);
      AtomicInteger count = new AtomicInteger();
      AtomicReference<Comparison> running = new AtomicReference<>();
      try (Comparison comparison =
          new Comparison(
              demo(),
              options,
              (phase, done, total) -> {
                if (count.getAndIncrement() == last) {
                  running.get().cancel();
                }
              })) {
        running.set(comparison);
        assertThatThrownBy(comparison::run).isInstanceOf(CancellationException.class);
        Report report = comparison.report();
        JsonNode json = written(report);
        assertThat(json.path("complete").asBoolean()).isFalse();
        assertThat(json.path("missing").size()).as("moment %d", moment).isPositive();
        assertThat(json.path("models").size()).isEqualTo(2);
        assertThat(ReportTables.terminal(report, List.of())).contains("missing: the speed");
        assertThat(ReportTables.markdown(report)).contains("- missing: the speed");
      }
    }
  }

  private static JsonNode written(Report report) {
    JsonMapper mapper = JsonMapper.shared();
    return mapper.readTree(mapper.writeValueAsString(report));
  }
}
