package pelican.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The jar as a user runs it: {@code java -jar engine.jar}, with no flag. */
@Timeout(300)
class EngineJarIT {
  private static final Path GOLDEN = Path.of("../engine/src/test/resources/golden");
  private static final String TINY = GOLDEN.resolve("tiny-Q4_K_M.gguf").toString();

  @TempDir private Path folder;

  private record Result(int code, String out, String err) {}

  private static Result run(String input, String... args) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                "target/engine.jar"));
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("LC_ALL", "C");
    Process process = builder.start();
    CompletableFuture<String> err =
        CompletableFuture.supplyAsync(() -> text(process.getErrorStream()));
    try (var stdin = process.getOutputStream()) {
      stdin.write(input.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // the program need not read its input
    }
    String out = text(process.getInputStream());
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
    return new Result(process.exitValue(), out, err.join());
  }

  private static String text(InputStream in) {
    try {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void answersAPrompt() throws Exception {
    Result result =
        run("", "chat", "--model", TINY, "--verbose", "--seed", "7", "--num-predict", "12", "the");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out()).isNotBlank();
    assertThat(result.err())
        .contains("kernels: vector", "prompt eval count:", "eval rate:")
        .doesNotContain("WARNING");
  }

  @Test
  void answersAPipeWithoutColours() throws Exception {
    Result result = run("the", "chat", "--model", TINY, "--seed", "2", "--num-predict", "12");
    assertThat(result.code()).isZero();
    assertThat(result.out()).isNotBlank().doesNotContain("\u001b");
    assertThat(result.err()).isEmpty();
    assertThat(run("", "run", TINY, "--seed", "2", "--num-predict", "12", "the").out())
        .isEqualTo(result.out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"missing", "folder", "empty", "text", "architecture"})
  void badFilesGiveOneLine(String kind) throws Exception {
    Path file = folder.resolve("bad.gguf");
    switch (kind) {
      case "folder" -> Files.createDirectory(file);
      case "empty" -> Files.createFile(file);
      case "text" -> Files.writeString(file, "Once upon a time");
      case "architecture" -> {
        String whole = Files.readString(Path.of(TINY), StandardCharsets.ISO_8859_1);
        int at = whole.indexOf("gemma4");
        Files.writeString(
            file,
            whole.substring(0, at) + "llama9" + whole.substring(at + 6),
            StandardCharsets.ISO_8859_1);
      }
      default -> {
        // no file
      }
    }
    Result result = run("", "chat", "--model", file.toString(), "hi");
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.out()).isEmpty();
    assertThat(result.err().lines()).hasSize(1);
    assertThat(result.err()).startsWith("Error: ").contains("bad.gguf");
  }

  @Test
  void cutFilesGiveOneLineNamingTheTrouble() throws Exception {
    byte[] whole = Files.readAllBytes(Path.of(TINY));
    Random random = new Random(3);
    Path file = folder.resolve("cut.gguf");
    for (int i = 0; i < 200; i++) {
      Files.write(file, Arrays.copyOf(whole, random.nextInt(whole.length - 1)));
      // In this process: a process for each would take minutes; the one below stands for them.
      StringWriter err = new StringWriter();
      assertThat(
              Main.commandLine()
                  .setErr(new PrintWriter(err, true))
                  .execute("show", file.toString()))
          .isEqualTo(1);
      assertThat(err.toString().lines()).hasSize(1);
      assertThat(err.toString()).startsWith("Error: ").contains("cut.gguf");
    }
    Result result = run("", "chat", "--model", file.toString(), "hi");
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.err().lines()).hasSize(1);
    assertThat(result.err()).contains("cut.gguf");
  }

  @Test
  void wrongUsageIsCodeTwo() throws Exception {
    for (List<String> args :
        List.of(List.<String>of(), List.of("dance"), List.of("chat", "--model"), List.of("show"))) {
      Result result = run("", args.toArray(String[]::new));
      assertThat(result.code()).as(args.toString()).isEqualTo(2);
      assertThat(result.err()).startsWith("Error: ").doesNotContain("\tat ");
    }
    Result silence = run("", "chat");
    assertThat(silence.code()).isEqualTo(1);
    assertThat(silence.err()).isEqualTo("Error: the input is empty, expected a prompt\n");
    Result value = run("", "chat", "--model", TINY, "--top-p", "7", "hi");
    assertThat(value.code()).isEqualTo(2);
    assertThat(value.err()).startsWith("Error: top_p is 7, expected 0 to 1\n");
  }

  @Test
  void showsAFile() throws Exception {
    assertThat(run("", "show", TINY).out()).contains("gemma4", "Q4_K_M", "131072", "5.06M", "Q6_K");
    JsonNode json =
        JsonMapper.shared()
            .readTree(run("", "show", "--json", "--tensors", "--metadata", TINY).out());
    assertThat(json.get("quantization").asString()).isEqualTo("Q4_K_M");
    assertThat(json.get("tensors").size()).isEqualTo(99);
    assertThat(json.get("metadata").get("general.architecture").asString()).isEqualTo("gemma4");
  }

  @Test
  void quantizesAFile() throws Exception {
    String eight = GOLDEN.resolve("tiny-Q8_0.gguf").toString();
    Path four = folder.resolve("four.gguf");
    Result result = run("", "quantize", eight, four.toString(), "q4_k_m");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out()).contains("four.gguf: Q4_K_M, 50 of 99 tensors").hasLineCount(1);
    assertThat(result.err()).isEmpty();
    assertThat(run("", "show", four.toString()).out()).contains("Q4_K_M");
    Result unknown = run("", "quantize", eight, four.toString(), "Q7");
    assertThat(unknown.code()).isEqualTo(2);
    assertThat(unknown.err()).contains("\"Q7\" is unknown, expected one of F16, Q4_0");
    Result itself = run("", "quantize", eight, eight, "Q4_0");
    assertThat(itself.code()).isEqualTo(1);
    assertThat(itself.err()).contains("is the source").hasLineCount(1);
  }

  @Test
  void tokenizesAndBack() throws Exception {
    Result ids = run("the cat", "tokenize", "--model", TINY);
    assertThat(ids.out()).matches("[0-9]+(,[0-9]+)*\n");
    assertThat(run("", "tokenize", "--model", TINY, "--decode", ids.out().strip()).out())
        .isEqualTo("the cat\n");
    assertThat(run("<bos>", "tokenize", "--model", TINY, "--special").out()).isEqualTo("2\n");
    Result unknown = run("", "tokenize", "--model", TINY, "--decode", "1,x");
    assertThat(unknown.code()).isEqualTo(1);
    assertThat(unknown.err()).contains("token 'x', expected a number from 0 to 511");
  }

  @Test
  void rendersAConversation() throws Exception {
    Path messages =
        Files.writeString(folder.resolve("m.json"), "[{\"role\":\"user\",\"content\":\"Hi\"}]");
    assertThat(run("", "render", "--model", TINY, "--messages", messages.toString()).out())
        .isEqualTo("<bos><|turn>user\nHi<turn|>\n<|turn>model\n");
    assertThat(
            run("", "render", "--model", TINY, "--think", "true", "--messages", messages.toString())
                .out())
        .isEqualTo(
            "<bos><|turn>system\n<|think|>\n<turn|>\n<|turn>user\nHi<turn|>\n<|turn>model\n");
    Files.writeString(messages, "{]");
    Result broken = run("", "render", "--model", TINY, "--messages", messages.toString());
    assertThat(broken.code()).isEqualTo(1);
    assertThat(broken.err()).contains("m.json: not JSON");
  }

  @Test
  void writesLogits() throws Exception {
    JsonNode golden = JsonMapper.shared().readTree(GOLDEN.resolve("tiny-Q4_K_M.json").toFile());
    String tokens =
        IntStream.range(0, golden.get("tokens").size())
            .mapToObj(i -> golden.get("tokens").get(i).asString())
            .collect(Collectors.joining(","));
    Path output = folder.resolve("logits.f32");
    Result result =
        run(
            "",
            "logits",
            "--model",
            TINY,
            "--tokens",
            tokens,
            "--all",
            "--float",
            "--output",
            output.toString());
    assertThat(result.code()).as(result.err()).isZero();
    FloatBuffer got = floats(output);
    FloatBuffer expected = floats(GOLDEN.resolve("tiny-Q4_K_M.logits.f32"));
    assertThat(got.remaining()).isEqualTo(expected.remaining());
    for (int i = 0; i < got.remaining(); i++) {
      assertThat(Math.abs(got.get(i) - expected.get(i))).isLessThan(1e-3f);
    }
  }

  private static FloatBuffer floats(Path file) throws IOException {
    return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
  }

  /** The process that a conversation without a terminal has started, when it has begun. */
  private static ProcessHandle child(Process process) throws Exception {
    List<ProcessHandle> children = List.of();
    for (int i = 0; i < 200 && children.isEmpty(); i++) {
      Thread.sleep(25);
      try (Stream<ProcessHandle> found = process.children()) {
        children = found.toList();
      }
    }
    assertThat(children).hasSize(1);
    Thread.sleep(500);
    return children.getFirst();
  }

  @Test
  void aTerminatedParentTakesItsChildWithIt() throws Exception {
    Process process = new ProcessBuilder(Interrupts.command("chat", "--model", TINY)).start();
    ProcessHandle child = child(process);
    // Not Process.destroy: that also ends the child's input, after which it ends by itself.
    process.toHandle().destroy();
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    child.onExit().get(20, TimeUnit.SECONDS);
    assertThat(process.exitValue()).isEqualTo(143);
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void anInterruptedParentDoesSoToo() throws Exception {
    Process process = new ProcessBuilder(Interrupts.command("chat", "--model", TINY)).start();
    ProcessHandle child = child(process);
    Interrupts.only(process);
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    child.onExit().get(20, TimeUnit.SECONDS);
    assertThat(process.exitValue()).isEqualTo(130);
  }

  @Test
  void printsACompletionScript() throws Exception {
    assertThat(run("", "generate-completion").out()).contains("complete -F");
    assertThat(run("", "version").out()).startsWith("pelican version is ");
    assertThat(run("", "--help").out()).contains("chat", "tokenize", "bench");
  }
}
