package pelican.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pelican.engine.Model;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchCommandTest {
  private static final String TINY =
      Path.of("../engine/src/test/resources/golden/tiny-Q4_K_M.gguf").toString();

  private record Result(int code, String out, String err) {}

  private static Result run(String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StringWriter err = new StringWriter();
    PrintStream before = System.out;
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    int code;
    try {
      code = Main.commandLine().setErr(new PrintWriter(err, true)).execute(args);
    } finally {
      System.setOut(before);
    }
    return new Result(code, out.toString(StandardCharsets.UTF_8), err.toString());
  }

  @Test
  void measuresEachCombination() {
    Result result =
        run(
            "bench", "-m", TINY, "-p", "5,0", "-n", "3", "-d", "0,40", "-t", "1,2", "-r", "3",
            "--json");
    assertThat(result.code()).as(result.err()).isZero();
    JsonNode rows = JsonMapper.shared().readTree(result.out());
    assertThat(StreamSupport.stream(rows.spliterator(), false))
        .extracting(row -> row.get("threads").asInt() + " " + row.get("test").asString())
        .containsExactly("1 pp5", "1 tg3", "1 tg3@d40", "2 pp5", "2 tg3", "2 tg3@d40");
    try (Model model = Model.load(Path.of(TINY))) {
      for (JsonNode row : rows) {
        check(row, model);
      }
    }
  }

  private static void check(JsonNode row, Model model) {
    assertThat(row.get("kernels").asString()).isEqualTo(Model.kernelDescription());
    double[] seconds = doubles(row.get("seconds"));
    assertThat(seconds).hasSize(3);
    JsonNode rates = row.get("tokensPerSecond");
    assertThat(rates.get("slowest").asDouble())
        .isPositive()
        .isLessThanOrEqualTo(rates.get("median").asDouble());
    assertThat(rates.get("median").asDouble()).isLessThanOrEqualTo(rates.get("fastest").asDouble());
    double rate = rates.get("median").asDouble();
    double operations = row.get("gigaflopsPerSecond").asDouble() * 1e9 / rate;
    if (row.get("promptTokens").asInt() > 0) {
      assertThat(row.get("gigabytesPerSecond").isNull()).isTrue();
      assertThat(row.get("shareOfMemoryBandwidth").isNull()).isTrue();
      assertThat(row.get("tokenSeconds")).isEmpty();
      // of five tokens, one goes through all layers and the head
      double expected = 2.0 * (4 * model.weightsPerPromptToken() + model.weightsPerToken()) / 5;
      assertThat(operations).isCloseTo(expected, within(operations * 1e-9));
    } else {
      double bytes = row.get("gigabytesPerSecond").asDouble() * 1e9 / rate;
      assertThat(bytes).isCloseTo(model.bytesPerToken(), within(bytes * 1e-9));
      assertThat(operations).isCloseTo(2.0 * model.weightsPerToken(), within(operations * 1e-9));
      assertThat(row.get("shareOfMemoryBandwidth").asDouble())
          .isCloseTo(
              row.get("gigabytesPerSecond").asDouble()
                  / row.get("memoryGigabytesPerSecond").asDouble(),
              within(1e-12));
      assertThat(row.get("tokenSeconds")).hasSize(3);
      for (int i = 0; i < 3; i++) {
        double[] tokens = doubles(row.get("tokenSeconds").get(i));
        assertThat(tokens).hasSize(3);
        assertThat(tokens[0] + tokens[1] + tokens[2]).isCloseTo(seconds[i], within(1e-12));
      }
    }
  }

  private static double[] doubles(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false)
        .mapToDouble(JsonNode::asDouble)
        .toArray();
  }

  @Test
  void measuresSequencesThatAreGeneratedAtOnce() {
    Result result =
        run("bench", "-m", TINY, "-p", "0", "-n", "3", "--parallel", "1,4", "-r", "2", "--json");
    assertThat(result.code()).as(result.err()).isZero();
    JsonNode rows = JsonMapper.shared().readTree(result.out());
    assertThat(StreamSupport.stream(rows.spliterator(), false))
        .extracting(row -> row.get("test").asString() + " " + row.get("parallel").asInt())
        .containsExactly("tg3 1", "tg3x4 4");
    JsonNode together = rows.get(1);
    double seconds = doubles(together.get("seconds"))[0] + doubles(together.get("seconds"))[1];
    double rate = together.get("tokensPerSecond").get("median").asDouble();
    assertThat(rate).isCloseTo(12 / (seconds / 2), within(rate * 1e-9));
    // each weight is read once for all four, and multiplied with each
    double bytes = together.get("gigabytesPerSecond").asDouble() * 1e9 / rate;
    double operations = together.get("gigaflopsPerSecond").asDouble() * 1e9 / rate;
    try (Model model = Model.load(Path.of(TINY))) {
      assertThat(bytes).isCloseTo(model.bytesPerToken() / 4.0, within(bytes * 1e-9));
      assertThat(operations).isCloseTo(2.0 * model.weightsPerToken(), within(operations * 1e-9));
    }
  }

  @Test
  void leavesOutWhatIsNotWanted() {
    Result result =
        run(
            "bench",
            "-m",
            TINY,
            "-p",
            "0",
            "-n",
            "2",
            "-r",
            "1",
            "--no-bandwidth",
            "--no-warmup",
            "--json");
    assertThat(result.code()).as(result.err()).isZero();
    JsonNode rows = JsonMapper.shared().readTree(result.out());
    assertThat(rows).hasSize(1);
    assertThat(rows.get(0).get("memoryGigabytesPerSecond").isNull()).isTrue();
    assertThat(rows.get(0).get("shareOfMemoryBandwidth").isNull()).isTrue();
    assertThat(run("bench", "-m", TINY, "-p", "0", "-n", "0", "--no-bandwidth").out()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          -r 0              | --repetitions is 0, expected 1 or more
          -p 5,-1           | --prompt-tokens is -1, expected 0 or more
          -n -3             | --gen-tokens is -3, expected 0 or more
          -d -1             | --depth is -1, expected 0 or more
          --parallel 2,0    | --parallel is 0, expected 1 or more
          -t 0              | --threads is 0, expected 1 to 1024
          -t 1,2000000      | --threads is 2000000, expected 1 to 1024
          -p many           | --prompt-tokens
          --json --csv      | mutually exclusive
          """)
  void wrongUsageIsCodeTwo(String options, String message) {
    String[] given = options.split(" ");
    String[] args = new String[given.length + 3];
    args[0] = "bench";
    args[1] = "-m";
    args[2] = TINY;
    System.arraycopy(given, 0, args, 3, given.length);
    Result result = run(args);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("Error: ").contains(message).doesNotContain("\tat ");
  }

  @Test
  void whatDoesNotFitTheContextIsToldBeforeTheFirstTest() {
    for (String option : List.of("-p", "-n", "-d")) {
      Result result = run("bench", "-m", TINY, option, "10000000", "--no-bandwidth");
      assertThat(result.code()).isEqualTo(1);
      assertThat(result.err()).contains("the tests need a context of 10000").hasLineCount(1);
    }
  }

  /** Two, three and four seconds for ten tokens; one second for a prompt of 50. */
  private static BenchReport report(String model) {
    return new BenchReport(
        model,
        "vector",
        List.of(
            new BenchResult(1, 50, 0, 0, 1, List.of(1.0), List.of(), 0, 5e9),
            new BenchResult(2, 0, 10, 4096, 1, List.of(4.0, 2.0, 3.0), List.of(), 30e9, 60e9)),
        Map.of(2, 40.0));
  }

  @Test
  void printsColumns() {
    assertThat(report("a.gguf").text())
        .isEqualTo(
            """
            model   threads  test        tokens/s  slowest  fastest   GB/s  GFLOP/s  of memory
            a.gguf        1  pp50           50.00    50.00    50.00            5.00
            a.gguf        2  tg10@d4096      3.33     2.50     5.00  10.00    20.00        25%
            """);
    assertThat(new BenchReport("a", "vector", List.of(), Map.of()).text()).isEmpty();
  }

  @Test
  void printsMarkdown() {
    assertThat(report("a.gguf").markdown())
        .isEqualTo(
            """
            | model  | threads | test       | tokens/s | slowest | fastest |  GB/s | GFLOP/s | of memory |
            |--------|--------:|------------|---------:|--------:|--------:|------:|--------:|----------:|
            | a.gguf |       1 | pp50       |    50.00 |   50.00 |   50.00 |       |    5.00 |           |
            | a.gguf |       2 | tg10@d4096 |     3.33 |    2.50 |    5.00 | 10.00 |   20.00 |       25% |
            """);
  }

  @Test
  void printsValuesSeparatedByCommas() {
    assertThat(report("a \"b\", c").csv())
        .isEqualTo(
            """
            model,threads,test,tokens/s,slowest,fastest,GB/s,GFLOP/s,of memory
            "a ""b"", c",1,pp50,50.00,50.00,50.00,,5.00,
            "a ""b"", c",2,tg10@d4096,3.33,2.50,5.00,10.00,20.00,25%
            """);
  }
}
