package pelican.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs programs of the tests in JVMs of their own, whose flags decide what is compiled and how. */
final class ChildJvm {
  private ChildJvm() {}

  /**
   * Runs a program, which must end with exit code 0.
   *
   * @param folder where its output is collected
   * @param flags the JVM's; those that it does not know are ignored
   * @return what it printed
   */
  static String run(Path folder, Class<?> main, List<String> arguments, String... flags)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:+IgnoreUnrecognizedVMOptions");
    command.addAll(List.of(flags));
    command.add("-cp");
    command.add(
        String.join(
            File.pathSeparator,
            Stream.of("target/classes", "target/test-classes")
                .map(Path::of)
                .map(path -> path.toAbsolutePath().toString())
                .toList()));
    command.add(main.getName());
    command.addAll(arguments);
    Path file = folder.resolve("output.txt");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(file.toFile()).start();
    try {
      assertThat(process.waitFor(200, TimeUnit.SECONDS)).as("ended in time").isTrue();
    } finally {
      process.destroyForcibly();
    }
    String output = Files.readString(file);
    assertThat(process.exitValue()).as(output).isZero();
    return output;
  }
}
