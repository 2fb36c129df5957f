package pelican.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import pelican.engine.PelicanException;

/** Runs other programs, which get nothing to read; they are ended when this one is. */
final class Programs {
  private Programs() {}

  /**
   * What became of a program.
   *
   * @param output what it printed on standard output
   * @param firstOutput seconds from its start to the first byte of that; NaN if there was none
   * @param peakBytes memory that it and its children took beyond a mapped file; 0 if not watched
   */
  record Outcome(String output, double firstOutput, long peakBytes) {}

  /**
   * Runs a program to its end.
   *
   * @param name what it is, for messages
   * @return what it printed on standard output
   * @throws PelicanException if it cannot be started or fails
   */
  static String output(String name, List<String> command) {
    return run(name, command, null).output;
  }

  /**
   * As {@link #output}, with more about the run.
   *
   * @param mapped a file whose mappings do not count as memory of the program; null not to watch
   */
  static Outcome run(String name, List<String> command, Path mapped) {
    Path errors = null;
    try {
      errors = Files.createTempFile("pelican-bench", ".err");
      ProcessBuilder builder =
          new ProcessBuilder(command).redirectError(Redirect.to(errors.toFile()));
      long start = System.nanoTime();
      Process process = builder.start();
      Thread end = new Thread(() -> destroy(process));
      Runtime.getRuntime().addShutdownHook(end);
      try {
        process.getOutputStream().close();
        CompletableFuture<Outcome> reader =
            CompletableFuture.supplyAsync(() -> read(process.getInputStream(), start));
        long peak = mapped == null ? 0 : watch(process, mapped);
        int code = process.waitFor();
        Outcome outcome = reader.join();
        if (code != 0) {
          throw new PelicanException(
              "%s failed with code %d: %s".formatted(name, code, lastLine(errors)));
        }
        return new Outcome(outcome.output, outcome.firstOutput, peak);
      } finally {
        destroy(process);
        Runtime.getRuntime().removeShutdownHook(end);
      }
    } catch (IOException e) {
      throw new PelicanException(name + " cannot be run: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PelicanException(name + " was interrupted", e);
    } finally {
      delete(errors);
    }
  }

  private static Outcome read(InputStream in, long start) {
    try {
      int first = in.read();
      if (first < 0) {
        return new Outcome("", Double.NaN, 0);
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      byte[] rest = in.readAllBytes();
      byte[] all = new byte[rest.length + 1];
      all[0] = (byte) first;
      System.arraycopy(rest, 0, all, 1, rest.length);
      return new Outcome(new String(all, StandardCharsets.UTF_8), seconds, 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long watch(Process process, Path mapped) throws InterruptedException {
    long peak = 0;
    do {
      peak = Math.max(peak, ProcessMemory.beyond(mapped, process.toHandle()));
    } while (!process.waitFor(100, TimeUnit.MILLISECONDS));
    return peak;
  }

  private static void destroy(Process process) {
    List<ProcessHandle> children;
    try (Stream<ProcessHandle> found = process.descendants()) {
      children = found.toList();
    }
    process.destroy();
    children.forEach(ProcessHandle::destroy);
  }

  /** The beginning of what a program printed, for messages. */
  static String firstLine(String output) {
    return output.lines().map(String::strip).filter(line -> !line.isEmpty()).findFirst().orElse("");
  }

  private static String lastLine(Path errors) throws IOException {
    String text = new String(Files.readAllBytes(errors), StandardCharsets.UTF_8);
    List<String> lines = text.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
    return lines.isEmpty() ? "it printed no reason" : lines.getLast();
  }

  private static void delete(Path file) {
    try {
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      // A temporary file stays: nothing that the user asked for has failed.
    }
  }
}
