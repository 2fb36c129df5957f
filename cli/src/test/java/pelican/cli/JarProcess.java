package pelican.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** {@code java -jar engine.jar} with some arguments, as it runs. */
public final class JarProcess {
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
    Path out = Files.createTempFile(folder, "out", ".txt");
    Path err = Files.createTempFile(folder, "err", ".txt");
    Process process =
        new ProcessBuilder(Interrupts.command(arguments))
            .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    return new JarProcess(process, out, err);
  }

  /** Runs the program to its end. */
  public static JarProcess run(Path folder, String... arguments) throws Exception {
    JarProcess run = start(folder, arguments);
    run.await(() -> false);
    return run;
  }

  String out() throws IOException {
    return Files.readString(out);
  }

  public String err() throws IOException {
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

  /** Presses Ctrl-C and waits for the end. */
  void interrupt() throws Exception {
    Interrupts.all(process);
    await(() -> false);
  }

  public int code() {
    return process.exitValue();
  }
}
