package pelican.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** The comparison, between programs that only pretend to compute. */
@Timeout(120)
class CompareMainTest {
  @TempDir private Path folder;

  private Path model;
  private Path jar;
  private Path llama;

  private record Result(int code, String out, String err) {}

  @BeforeEach
  void prepare() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "no shell here");
    model = Files.writeString(folder.resolve("model.gguf"), "well");
    jar = fakeEngine(folder.resolve("engine.jar"));
    // prints what it was asked for, and samples of 8, 16 and 4 tokens a second
    llama = folder.resolve("llama bench");
    Files.writeString(
        llama,
        """
        #!/bin/sh
        echo "llama $*" >>"${0%/*}/calls"
        while [ $# -gt 0 ]; do
          case $1 in -p) p=$2 ;; -n) n=$2 ;; esac
          shift
        done
        echo "[{\\"n_prompt\\": $p, \\"n_gen\\": $n, \\"samples_ts\\": [8.0, 16.0, 4.0]}]"
        """);
    llama.toFile().setExecutable(true);
  }

  private static Path fakeEngine(Path file) throws IOException {
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, FakeEngine.class.getName());
    String name = FakeEngine.class.getName().replace('.', '/') + ".class";
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(file), manifest);
        InputStream in = FakeEngine.class.getClassLoader().getResourceAsStream(name)) {
      out.putNextEntry(new JarEntry(name));
      in.transferTo(out);
    }
    return file;
  }

  private Result run(String... args) {
    List<String> all =
        new ArrayList<>(List.of("-m", model.toString(), "--engine-jar", jar.toString()));
    all.addAll(List.of(args));
    if (List.of(args).contains("--engine-jar")) {
      all.subList(2, 4).clear();
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StringWriter err = new StringWriter();
    PrintStream before = System.out;
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    int code;
    try {
      code =
          CommandLines.of(new CompareMain())
              .setErr(new PrintWriter(err, true))
              .execute(all.toArray(String[]::new));
    } finally {
      System.setOut(before);
    }
    return new Result(code, out.toString(StandardCharsets.UTF_8), err.toString());
  }

  private String quotedLlama() {
    return "'" + llama + "' --flag";
  }

  private List<String> calls() throws IOException {
    return Files.readAllLines(folder.resolve("calls"));
  }

  @Test
  void takesTurnsAndPrintsTheRatiosOfPairs() throws IOException {
    Result result =
        run(
            "--llama-bench",
            quotedLlama(),
            "--only",
            "speed",
            "--pairs",
            "3",
            "-t",
            "2",
            "-p",
            "64",
            "-n",
            "0",
            "-r",
            "3",
            "--json");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(calls())
        .extracting(call -> call.substring(0, call.indexOf(' ')))
        .containsExactly("pelican", "llama", "llama", "pelican", "pelican", "llama");
    String file = model.toRealPath().toString();
    assertThat(calls().getFirst())
        .isEqualTo(
            "pelican bench --model "
                + file
                + " --prompt-tokens 64 --gen-tokens 0 --depth 0 --threads 2 --repetitions 3"
                + " --no-bandwidth --json");
    assertThat(calls().get(1))
        .isEqualTo("llama --flag -m " + file + " -p 64 -n 0 -t 2 -r 3 -ngl 0 -o json");
    JsonNode report = Json.read(result.out());
    assertThat(report.get("peer").asString()).isEqualTo("llama.cpp");
    assertThat(report.get("figures")).isEmpty();
    assertThat(report.get("speed")).hasSize(1);
    JsonNode row = report.get("speed").get(0);
    assertThat(row.get("test").asString()).isEqualTo("pp64");
    assertThat(row.at("/tokensPerSecond/values").toString()).isEqualTo("[11.0,12.0,13.0]");
    assertThat(row.at("/peerTokensPerSecond/values").toString()).isEqualTo("[8.0,8.0,8.0]");
    assertThat(row.at("/ratio/median").asDouble()).isCloseTo(1.5, within(1e-9));
    assertThat(row.at("/ratio/min").asDouble()).isCloseTo(1.375, within(1e-9));
    assertThat(row.at("/ratio/max").asDouble()).isCloseTo(1.625, within(1e-9));
  }

  @Test
  void printsTables() {
    Result result =
        run(
            "--llama-bench",
            quotedLlama(),
            "--only",
            "speed,depth,warm_up",
            "--pairs",
            "2",
            "-t",
            "1",
            "-p",
            "0",
            "-n",
            "8",
            "-d",
            "0,64",
            "--markdown");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out())
        .isEqualTo(
            """
            | test    | threads | pelican, tokens/s   | llama.cpp, tokens/s | ratio            |
            |---------|---------|---------------------|---------------------|------------------|
            | tg8     | 1       | 11.50 (11.00–12.00) | 8.00 (8.00–8.00)    | 1.44 (1.38–1.50) |
            | tg8@d64 | 1       | 13.50 (13.00–14.00) | 8.00 (8.00–8.00)    | 1.69 (1.63–1.75) |

            | figure                                                     | median (min–max)   |
            |------------------------------------------------------------|--------------------|
            | 2 fresh JVMs, slowest / fastest, tg8, 1 thread(s)          | 0.92               |
            | time per token of tg8@d64 against that in an empty context | 2.00 (2.00–2.00) × |
            | first token at steady speed, after a prompt of 16          | 2 (2–2)            |
            """);
  }

  @Test
  void comparesWithAnotherJar() throws IOException {
    Path old = fakeEngine(folder.resolve("old.jar"));
    Result result =
        run(
            "--against",
            old.toString(),
            "--only",
            "speed",
            "--pairs",
            "1",
            "-t",
            "1",
            "-p",
            "4",
            "-n",
            "0");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out()).contains("old.jar, tokens/s").contains("0.92");
  }

  @Test
  void measuresMemoryOfBoth() throws Exception {
    assumeTrue(ProcessMemory.isKnown(), "no smaps here");
    Files.writeString(model, "waits");
    Thread measuring = Thread.currentThread();
    Thread.ofVirtual().start(() -> releaseWhenLookedAt(measuring));
    Result result = run("--llama-bench", quotedLlama(), "--only", "memory", "-t", "1,3", "--json");
    assertThat(result.code()).as(result.err()).isZero();
    JsonNode figures = Json.read(result.out()).get("figures");
    assertThat(figures).hasSize(2);
    assertThat(figures.get(0).get("name").asString())
        .isEqualTo("memory beyond the mapped file, context 4096, pelican");
    assertThat(figures.get(0).at("/values/median").asDouble()).isBetween(5.0, 500.0);
    assertThat(figures.get(0).get("unit").asString()).isEqualTo("MB");
  }

  /** Lets the fake engine end after a thread, which waits between two looks, has seen it run. */
  private void releaseWhenLookedAt(Thread looking) {
    try {
      while (!Files.exists(folder.resolve("waiting"))) {
        Thread.sleep(10);
      }
      // The first wait that begins now may follow a look that began before.
      long enough = waits(looking) + 2;
      while (waits(looking) < enough) {
        Thread.sleep(10);
      }
      Files.createFile(folder.resolve("looked at"));
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static long waits(Thread thread) {
    return ManagementFactory.getThreadMXBean().getThreadInfo(thread.threadId()).getWaitedCount();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          fails   | pelican failed with code 3: Error: the model is ill
          babbles | engine.jar: its bench printed no JSON: hello
          """)
  void whatFailsIsNamed(String behaviour, String message) throws IOException {
    Files.writeString(model, behaviour);
    Result result = run("--llama-bench", quotedLlama(), "--pairs", "1", "--only", "speed");
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.err()).startsWith("Error: ").contains(message).hasLineCount(1);
  }

  @Test
  void whatLlamaBenchDoesWrongIsNamed() {
    Map<String, String> messages =
        Map.of(
            // what follows in the command is a comment
            "echo '[]' #", "llama-bench printed no samples_ts of 128 prompt and 0 generated",
            "echo what", "llama-bench printed no JSON: what -m",
            "no-such-program-here", "llama.cpp failed with code 127: ");
    messages.forEach((command, message) -> {
      Result result = run("--llama-bench", command, "--pairs", "1", "--only", "speed");
      assertThat(result.code()).isEqualTo(1);
      assertThat(result.err()).startsWith("Error: ").contains(message).hasLineCount(1);
    });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --pairs 0           | 2 | --pairs is 0, expected 1 or more
          --threads 0         | 2 | --threads is 0, expected 1 or more
          --only nothing      | 2 | expected one of [SPEED, DEPTH, MEMORY, FIRST_TOKEN, WARM_UP]
          --against /nowhere  | 1 | --against: /nowhere: no such file
          --engine-jar /no.jar | 1 | engine.jar: /no.jar: no such file
          """)
  void badOptionsAreNamed(String options, int code, String message) {
    Result result = run(options.split(" "));
    assertThat(result.code()).isEqualTo(code);
    assertThat(result.err()).startsWith("Error: ").contains(message).doesNotContain("\tat ");
  }
}
