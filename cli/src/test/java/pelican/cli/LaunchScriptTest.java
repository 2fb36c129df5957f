package pelican.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The script that finds a JDK and builds when needed, on a made-up computer. */
@Timeout(120)
class LaunchScriptTest {
  private static final List<String> TOOLS =
      List.of("bash", "cat", "dirname", "env", "find", "grep", "readlink", "touch", "tr");

  @TempDir private Path computer;

  private Path home;
  private Path jdks;
  private Path bin;
  private final Map<String, String> environment = new TreeMap<>();

  private record Result(int code, String out, String err) {}

  @BeforeEach
  void prepare() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no bash here");
    home = Files.createDirectories(computer.resolve("project"));
    jdks = Files.createDirectories(computer.resolve("jdks"));
    bin = Files.createDirectories(computer.resolve("bin"));
    for (String tool : TOOLS) {
      for (String folder : List.of("/bin", "/usr/bin")) {
        Path file = Path.of(folder, tool);
        if (Files.isExecutable(file) && Files.notExists(bin.resolve(tool))) {
          program(bin.resolve(tool), "exec " + file + " \"$@\"");
        }
      }
    }
    Files.copy(Path.of("../pelican"), home.resolve("pelican"));
    home.resolve("pelican").toFile().setExecutable(true);
    Files.writeString(home.resolve("pom.xml"), "");
    for (String module : List.of("engine", "models", "cli")) {
      Files.createDirectories(home.resolve(module).resolve("src/main"));
      Files.writeString(home.resolve(module).resolve("pom.xml"), "");
    }
    Files.createDirectories(home.resolve("cli/target"));
    Files.writeString(home.resolve("cli/target/engine.jar"), "");
    Files.setLastModifiedTime(
        home.resolve("cli/target/engine.jar"), FileTime.from(Instant.now().plusSeconds(3600)));
  }

  /** A JDK whose java tells its name and its arguments. */
  private Path jdk(String name, String version) throws IOException {
    Path jdk = Files.createDirectories(jdks.resolve(name));
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
    program(jdk.resolve("bin/java"), "echo \"" + name + " runs $*\"");
    return jdk;
  }

  private static void program(Path file, String body) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/bin/bash\n" + body + "\n");
    file.toFile().setExecutable(true);
  }

  private Result run(String... args) throws Exception {
    List<String> command = new ArrayList<>(List.of(home.resolve("pelican").toString()));
    command.addAll(List.of(args));
    Path out = computer.resolve("out");
    Path err = computer.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().clear();
    builder.environment().put("PATH", bin.toString());
    builder.environment().put("HOME", computer.toString());
    builder.environment().put("PELICAN_JDK_FOLDERS", jdks.toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Result(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  @Test
  void saysWhatToInstallWhereThereIsNoJdk() throws Exception {
    Result result = run("chat");
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .startsWith("Error: no JDK 25 or newer found.\n")
        .contains("temurin-25-jdk", "brew install openjdk", "JAVA_HOME");
    jdk("a-17", "17.0.15");
    jdk("b-24", "24");
    assertThat(run("chat").code()).isEqualTo(1);
  }

  @Test
  void passesOverOlderAndBrokenOnes() throws Exception {
    jdk("a-17", "17.0.15");
    Files.createDirectories(jdks.resolve("b-empty"));
    Files.delete(jdk("c-nameless", "25").resolve("release"));
    Files.writeString(jdk("d-odd", "25").resolve("release"), "IMPLEMENTOR=\"somebody\"\n");
    Files.delete(jdk("e-no-java", "25").resolve("bin/java"));
    jdk("f-25", "25.0.3");
    jdk("g-26", "26");
    environment.put("JAVA_HOME", jdks.resolve("a-17").toString());
    Result result = run("chat", "two words");
    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .isEqualTo("f-25 runs -jar " + home + "/cli/target/engine.jar chat two words\n");
  }

  @Test
  void theUsersChoiceComesFirst() throws Exception {
    jdk("a-25", "25");
    Path other = jdk("b-25", "25");
    environment.put("JAVA_HOME", other.toString());
    assertThat(run().out()).startsWith("b-25 runs");
    environment.put("PELICAN_JAVA_HOME", jdk("c-30", "30-ea").toString());
    assertThat(run().out()).startsWith("c-30 runs");
    environment.clear();
    Files.createSymbolicLink(bin.resolve("java"), other.resolve("bin/java"));
    assertThat(run().out()).startsWith("b-25 runs");
  }

  @Test
  void passesTheExitCodeOn() throws Exception {
    program(jdk("a-25", "25").resolve("bin/java"), "exit 7");
    assertThat(run().code()).isEqualTo(7);
  }

  @Test
  void buildsWhenTheJarIsMissingOrOlder() throws Exception {
    Path jdk = jdk("a-25", "25");
    Path jar = home.resolve("cli/target/engine.jar");
    Files.delete(jar);
    Result without = run("version");
    assertThat(without.code()).isEqualTo(1);
    assertThat(without.err()).startsWith("Error: ").contains("needs Maven");
    program(bin.resolve("mvn"), "echo \"maven $JAVA_HOME $*\"; touch cli/target/engine.jar");
    Result built = run("version");
    assertThat(built.code()).as(built.err()).isZero();
    assertThat(built.err()).contains("Building ", "maven " + jdk, "-pl cli -am package");
    assertThat(built.out()).isEqualTo("a-25 runs -jar " + jar + " version\n");
    assertThat(run("version").err()).isEmpty();
    Path source = Files.writeString(home.resolve("engine/src/main/New.java"), "");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(7200)));
    assertThat(run("version").err()).contains("Building ");
    program(bin.resolve("mvn"), "exit 3");
    assertThat(run("version").code()).isEqualTo(3);
  }
}
