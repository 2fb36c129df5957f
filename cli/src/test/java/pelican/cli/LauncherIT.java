package pelican.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The jar in a shell: pipes, signals, and a system that knows ASCII alone. */
@Timeout(300)
class LauncherIT {
  private static final String TINY = "../engine/src/test/resources/golden/tiny-Q4_K_M.gguf";

  @TempDir private Path folder;

  private record Result(int code, String out, String err) {}

  @BeforeEach
  void needsAShell() {
    assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no bash here");
  }

  /** Runs a script in which {@code $P} is the program and {@code $M} a model. */
  private Result bash(String script) throws Exception {
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder("/bin/bash", "-c", script)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder
        .environment()
        .putAll(
            Map.of(
                "P",
                Path.of(System.getProperty("java.home"), "bin", "java") + " -jar target/engine.jar",
                "M",
                TINY,
                "T",
                folder.toString(),
                "LC_ALL",
                "C"));
    Process process = builder.start();
    process.getOutputStream().close();
    assertThat(process.waitFor(200, TimeUnit.SECONDS)).isTrue();
    return new Result(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  @Test
  void argumentsKeepTheirCharactersWhereTheLocaleHasNone() throws Exception {
    String words = "$(printf 'a\\303\\251 b\\360\\237\\246\\206') '' 'c  d'";
    Result ids = bash("$P tokenize --model $M " + words);
    assertThat(ids.code()).as(ids.err()).isZero();
    Result piped =
        bash("printf 'a\\303\\251 b\\360\\237\\246\\206  c  d' | $P tokenize --model $M");
    assertThat(ids.out()).isEqualTo(piped.out());
    Result text = bash("$P tokenize --model $M --decode " + ids.out().strip());
    assertThat(text.out()).isEqualTo("aé b🦆  c  d\n");
    Result path =
        bash("f=$T/$(printf 'm\\303\\266del').gguf; cp $M $f && $P show $f && $P show $f.not");
    assertThat(path.out()).contains("Q4_K_M");
    assertThat(path.code()).isEqualTo(1);
    assertThat(path.err()).contains("mödel.gguf.not: no such file").hasLineCount(1);
  }

  @Test
  void aPipeComesBeforeThePrompt() throws Exception {
    String options = "chat --model $M --temperature 0 --num-predict 6";
    String both = bash("printf 'one\\n' | $P " + options + " two three").out();
    assertThat(both).isNotBlank().isEqualTo(bash("$P " + options + " one two three").out());
  }

  @Test
  void aClosedPipeEndsTheAnswer() throws Exception {
    // Read to its end, the answer would take the 131,072 tokens of the context.
    Result result =
        bash(
            "$P chat --model $M --temperature 0 --num-ctx 131072 the | head -c 20 >/dev/null;"
                + " echo ${PIPESTATUS[0]}");
    assertThat(result.out()).isEqualTo("1\n");
    assertThat(result.err()).doesNotContain("Exception");
    Result lines = bash("$P show --tensors $M | head -1; echo ${PIPESTATUS[0]}");
    assertThat(lines.out()).startsWith("  Model\n");
    assertThat(lines.err()).isEmpty();
  }

  @Test
  void theCompletionScriptKnowsTheCommands() throws Exception {
    Result result =
        bash(
            "source <($P generate-completion); COMP_WORDS=(pelican to); COMP_CWORD=1;"
                + " _complete_pelican; echo ${COMPREPLY[@]};"
                + " COMP_WORDS=(pelican chat --temp); COMP_CWORD=2;"
                + " _complete_pelican; echo ${COMPREPLY[@]}");
    assertThat(result.out()).contains("tokenize", "--temperature");
  }

  @Test
  void nothingNativeIsShipped() throws Exception {
    try (ZipFile jar = new ZipFile("target/engine.jar")) {
      assertThat(jar.stream().map(entry -> entry.getName()))
          .contains("pelican/cli/Main.class")
          .noneMatch(name -> name.matches(".*\\.(so|dll|dylib|jnilib)"));
    }
  }
}
