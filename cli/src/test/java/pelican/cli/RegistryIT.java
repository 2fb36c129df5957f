package pelican.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pelican.server.DockerRegistry;

/** {@code pull} through the jar, from a registry server. */
@Timeout(300)
class RegistryIT {
  @TempDir private Path folder;
  private DockerRegistry registry;

  private record Result(int code, String out, String err) {}

  @BeforeEach
  void start() throws Exception {
    registry = new DockerRegistry(folder);
  }

  @AfterEach
  void stop() {
    if (registry != null) {
      registry.close();
    }
  }

  private Result run(String... args) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                "target/engine.jar"));
    command.addAll(List.of(args));
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().put("LC_ALL", "C");
    builder.environment().put("OLLAMA_MODELS", folder.resolve("models").toString());
    Process process = builder.start();
    process.getOutputStream().close();
    if (!process.waitFor(120, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError(command + " does not end:\n" + Files.readString(err));
    }
    return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  private Result succeed(String... args) throws Exception {
    Result result = run(args);
    assertThat(result.code()).as(result.err()).isZero();
    return result;
  }

  @Test
  void pullsWhatTheRegistryHas() throws Exception {
    byte[] manifest = registry.push("me/tiny", "q4", "You are tiny.");
    String name = registry.address() + "/me/tiny:q4";
    assertThat(succeed("pull", "--insecure", name).err())
        .contains("pulling manifest", "verifying sha256 digest", "writing manifest", "success");
    Path models = folder.resolve("models");
    assertThat(models.resolve("manifests").resolve(registry.address()).resolve("me/tiny/q4"))
        .hasBinaryContent(manifest);
    byte[] weights = Files.readAllBytes(DockerRegistry.TINY);
    assertThat(models.resolve("blobs").resolve(DockerRegistry.digest(weights).replace(':', '-')))
        .hasBinaryContent(weights);
    try (Stream<Path> blobs = Files.list(models.resolve("blobs"))) {
      assertThat(blobs).hasSize(4).noneMatch(blob -> blob.toString().contains("partial"));
    }
    assertThat(succeed("list").out()).contains(name);
    assertThat(succeed("show", name, "--system").out()).contains("You are tiny.");
    assertThat(succeed("chat", "--model", name, "--seed", "1", "the").out()).isNotBlank();

    // What the name means in the registry changes: so it does here, and the old prompt goes.
    byte[] newer = registry.push("me/tiny", "q4", "You are newer.");
    succeed("pull", "--insecure", name);
    assertThat(models.resolve("manifests").resolve(registry.address()).resolve("me/tiny/q4"))
        .hasBinaryContent(newer);
    assertThat(succeed("show", name, "--system").out()).contains("You are newer.");
    try (Stream<Path> blobs = Files.list(models.resolve("blobs"))) {
      assertThat(blobs).hasSize(4);
    }
  }

  @Test
  void whatTheRegistryLacksIsReported() throws Exception {
    registry.push("me/tiny", "q4", "You are tiny.");
    Result unknown = run("pull", "--insecure", registry.address() + "/me/tiny:q6");
    assertThat(unknown.code()).isEqualTo(1);
    assertThat(unknown.err())
        .endsWith("Error: pull model manifest: file does not exist\n")
        .doesNotContain("\tat ");
    Result secure = run("pull", registry.address() + "/me/tiny:q4");
    assertThat(secure.code()).as("https at a server of plain http").isEqualTo(1);
    assertThat(secure.err()).contains("cannot pull").doesNotContain("\tat ");
    Result plain = run("pull", "http://" + registry.address() + "/me/tiny:q4");
    assertThat(plain.code()).isEqualTo(1);
    assertThat(plain.err()).endsWith("Error: insecure protocol http\n");
    assertThat(succeed("list").out()).doesNotContain("tiny");
  }
}
