package pelican.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** {@code java -jar engine.jar} with some arguments, as it runs. */
final class JarProcess {
  private static final long PATIENCE = TimeUnit.MINUTES.toNanos(10);

  private final Process process;
  private final Path out;
  private final Path err;

  private JarProcess(Process process, Path out, Path err) {
    this.process = process;
    this.out = out;
    this.err = err;
  }

  /**
   * Starts the program.
   *
   * @param folder where what it prints is kept
   */
  static JarProcess start(Path folder, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    if (System.getProperty("os.name").equals("Linux")) {
      // Whoever runs the tests in the background may ignore the signal, and children inherit that.
      command.addAll(List.of("env", "--default-signal=INT"));
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-jar", "target/engine.jar"));
    command.addAll(List.of(arguments));
    Path out = Files.createTempFile(folder, "out", ".txt");
    Path err = Files.createTempFile(folder, "err", ".txt");
    Process process =
        new ProcessBuilder(command)
            .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    return new JarProcess(process, out, err);
  }

  /** Runs the program to its end. */
  static JarProcess run(Path folder, String... arguments) throws Exception {
    JarProcess run = start(folder, arguments);
    run.await(() -> false);
    return run;
  }

  String out() throws IOException {
    return Files.readString(out);
  }

  String err() throws IOException {
    return Files.readString(err);
  }

  /** Waits until something is so, or the program ends. */
  void await(BooleanSupplier condition) throws Exception {
    long deadline = System.nanoTime() + PATIENCE;
    while (process.isAlive() && !condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        throw new AssertionError("does not end: " + out() + err());
      }
      Thread.sleep(10);
    }
  }

  /** Waits until the program has said something on standard error, or ends. */
  void awaitError(String text) throws Exception {
    await(() -> {
      try {
        return err().contains(text);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    });
  }

  /** Does what Ctrl-C does in a terminal: signals both processes. Then waits for the end. */
  void interrupt() throws Exception {
    List<String> kill = new ArrayList<>(List.of("kill", "-INT", Long.toString(process.pid())));
    try (Stream<ProcessHandle> children = process.descendants()) {
      children.map(child -> Long.toString(child.pid())).forEach(kill::add);
    }
    new ProcessBuilder(kill).redirectErrorStream(true).start().waitFor();
    await(() -> false);
  }

  int code() {
    return process.exitValue();
  }
}
