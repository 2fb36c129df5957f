package pelican.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** The benchmarks run: one short iteration of each says so, and nothing about speed. */
@Timeout(300)
class JmhMainTest {
  @TempDir private Path folder;

  private record Result(int code, String out, String err) {}

  private static Result run(String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StringWriter err = new StringWriter();
    PrintStream before = System.out;
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    int code;
    try {
      code = CommandLines.of(new JmhMain()).setErr(new PrintWriter(err, true)).execute(args);
    } finally {
      System.setOut(before);
    }
    return new Result(code, out.toString(StandardCharsets.UTF_8), err.toString());
  }

  private static Result runShort(String... args) {
    List<String> all = new ArrayList<>(List.of(args));
    all.addAll(List.of("--", "-wi", "0", "-i", "1", "-r", "1ms"));
    return run(all.toArray(String[]::new));
  }

  @Test
  void measuresKernelsAndEnginesSideBySide() {
    Result result =
        runShort(
            "--formats",
            "Q4_K",
            "--shapes",
            "64x256",
            "--tokens",
            "1,3",
            "--forks",
            "1",
            "--engine",
            "other=" + ForkClasses.ownEngine(),
            "--json");
    assertThat(result.code()).as(result.err()).isZero();
    JsonNode rows = Json.read(result.out());
    List<String> names = new ArrayList<>();
    for (JsonNode row : rows) {
      JsonNode product = row.get("product");
      int tokens = product.get("tokens").asInt();
      names.add(
          "%d %s %s %s"
              .formatted(
                  tokens,
                  product.get("weights").asString(),
                  row.get("engine").asString(),
                  row.get("kernels").asString()));
      double perSecond = row.get("productsPerSecond").get("median").asDouble();
      assertThat(perSecond).isPositive();
      // 64 blocks of 144 bytes, 64 × 256 weights
      assertThat(row.get("gigabytesPerSecond").get("median").asDouble())
          .isCloseTo(perSecond * 64 * 144 / 1e9, within(perSecond * 1e-9));
      assertThat(row.get("gigaflopsPerSecond").get("median").asDouble())
          .isCloseTo(perSecond * 2 * 64 * 256 * tokens / 1e9, within(perSecond * 1e-9));
    }
    assertThat(names)
        .containsExactly(
            "1 memory other scalar",
            "1 memory current scalar",
            "1 memory other vector",
            "1 memory current vector",
            "1 cache other scalar",
            "1 cache current scalar",
            "1 cache other vector",
            "1 cache current vector",
            "3 memory other scalar",
            "3 memory current scalar",
            "3 memory other vector",
            "3 memory current vector");
  }

  @Test
  void runsWithEveryFormat() {
    Result result =
        runShort(
            "--formats",
            "all",
            "--shapes",
            "16x256",
            "--tokens",
            "1",
            "--weights",
            "cache",
            "--kernels",
            "scalar",
            "--forks",
            "1",
            "--markdown");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out().lines()).hasSize(2 + 15);
    assertThat(result.out())
        .startsWith("| format | shape  | tokens | weights in | threads | engine  | kernels | µs")
        .contains("| IQ4_XS | 16×256 | 1      | cache      | 1       | current | scalar  | ");
  }

  @Test
  void anEngineThatLacksWhatIsMeasuredIsNamed() throws Exception {
    Path empty = Files.createDirectory(folder.resolve("empty"));
    Result result =
        runShort(
            "--formats",
            "F16",
            "--shapes",
            "16x32",
            "--tokens",
            "1",
            "--weights",
            "cache",
            "--kernels",
            "scalar",
            "--forks",
            "1",
            "--engine",
            empty.toString());
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .startsWith("Error: F16 16x32, 1 token(s), weights in cache, 1 thread(s), engine empty")
        .contains("pelican.kernel")
        .hasLineCount(1);
  }

  @Test
  void aForkThatDoesNotStartSaysWhy() {
    Result result =
        runShort(
            "--formats",
            "F16",
            "--shapes",
            "16x32",
            "--tokens",
            "1",
            "--weights",
            "cache",
            "--kernels",
            "scalar",
            "--forks",
            "1",
            "--jvm-arg",
            "-XX:NoSuchFlag");
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.err()).contains("Unrecognized VM option 'NoSuchFlag'").hasLineCount(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --formats Q9_K           | --formats: Q9_K is no format
          --shapes 6144            | --shapes: 6144, expected rows x columns
          --shapes 64x100          | expected a multiple of 256 columns, the block of Q4_K
          --tokens 0               | --tokens is 0, expected 1 or more
          --forks 0                | --forks is 0, expected 1 or more
          --threads -1             | --threads is -1, expected 1 or more
          --weights disk           | expected one of [memory, cache]
          --engine old=/nowhere/x  | /nowhere/x: no such file
          --engine current=/       | two engines are named current
          -- -nosuch               | n is not a recognized option
          --json --markdown        | mutually exclusive
          """)
  void wrongUsageIsCodeTwo(String options, String message) {
    Result result = run(options.split(" "));
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).startsWith("Error: ").contains(message).doesNotContain("\tat ");
  }

  @Test
  void doesNotMeasureWhatDoesNotOccur() {
    Result result = run("--shapes", "262144x1536", "--tokens", "32");
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.err()).startsWith("Error: nothing to measure");
  }
}
