package pelican.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The scripts that build what is measured when it is old, with a JDK and a Maven that pretend. */
@Timeout(120)
class BenchScriptsTest {
  @TempDir private Path computer;

  private Path home;

  private record Result(int code, String out, String err) {}

  @BeforeEach
  void prepare() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no bash here");
    home = Files.createDirectories(computer.resolve("project"));
    Files.createDirectories(home.resolve("bench"));
    for (String script :
        List.of("pelican", "bench/launch.sh", "bench/jmh", "bench/compare", "bench/synthetic")) {
      Files.copy(Path.of("..", script), home.resolve(script));
      home.resolve(script).toFile().setExecutable(true);
    }
    Files.writeString(home.resolve("pom.xml"), "");
    for (String module : List.of("engine", "models", "cli", "bench")) {
      Files.createDirectories(home.resolve(module).resolve("src/main"));
      Files.writeString(home.resolve(module).resolve("pom.xml"), "");
      Files.createDirectories(home.resolve(module).resolve("target"));
    }
    Path jdk = Files.createDirectories(computer.resolve("jdks/some"));
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
    program(jdk.resolve("bin/java"), "echo \"java $*\"; exit 5");
    program(
        computer.resolve("bin/mvn"),
        "echo \"maven $JAVA_HOME $*\"; echo new >cli/target/engine.jar;"
            + " echo new >bench/target/benchmarks.jar");
  }

  private static void program(Path file, String body) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/bin/bash\n" + body + "\n");
    file.toFile().setExecutable(true);
  }

  private Result run(String script) throws Exception {
    Path out = computer.resolve("out");
    Path err = computer.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(home.resolve("bench").resolve(script).toString(), "two words", "-x")
            .directory(computer.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().remove("JAVA_HOME");
    builder.environment().put("PELICAN_JAVA_HOME", computer.resolve("jdks/some").toString());
    builder.environment().merge("PATH", computer.resolve("bin").toString(), (a, b) -> b + ":" + a);
    Process process = builder.start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Result(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  @Test
  void buildsWhatIsMissingOrOldAndRunsIt() throws Exception {
    Result first = run("jmh");
    assertThat(first.err())
        .contains("Building ")
        .contains("maven " + computer.resolve("jdks/some") + " ")
        .contains("-pl cli,bench -am package -DskipTests");
    assertThat(first.code()).isEqualTo(5);
    assertThat(first.out())
        .startsWith("java ")
        .contains(
            " -cp " + home + "/bench/target/benchmarks.jar:" + home + "/cli/target/engine.jar ")
        .endsWith(" pelican.bench.JmhMain two words -x\n");
    Result second = run("compare");
    assertThat(second.err()).isEmpty();
    assertThat(second.out())
        .contains(" -Dpelican.engine.jar=" + home + "/cli/target/engine.jar ")
        .endsWith(" pelican.bench.CompareMain two words -x\n");
    assertThat(run("synthetic").out()).endsWith(" pelican.bench.SyntheticModelMain two words -x\n");
    Path source = Files.writeString(home.resolve("bench/src/main/New.java"), "");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(7200)));
    assertThat(run("jmh").err()).contains("Building ");
  }

  @Test
  void stopsWhereTheBuildFails() throws Exception {
    program(computer.resolve("bin/mvn"), "exit 3");
    Result result = run("compare");
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.out()).isEmpty();
  }
}
