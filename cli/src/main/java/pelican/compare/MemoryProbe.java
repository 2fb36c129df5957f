package pelican.compare;

import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pelican.engine.Model;
import pelican.engine.ModelOptions;
import pelican.engine.PelicanException;
import pelican.engine.SpeedTest;

/**
 * Measures the memory that a model takes beyond its mapped file: in a process of its own, as in one
 * that holds several models nobody can tell whose memory is whose.
 */
public final class MemoryProbe {
  /** Tokens of the prompt that is read, and of those that are generated after it. */
  static final int PROMPT = 128;

  static final int TOKENS = 32;

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Pattern ANONYMOUS = Pattern.compile("(?m)^RssAnon:\\s+(\\d+) kB$");

  private final List<String> command;
  private Process process;
  private boolean cancelled;

  /**
   * Prepares a measurement.
   *
   * @param file the model's file
   * @param model how it is run
   */
  MemoryProbe(Path file, ModelOptions model) {
    command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // What the JVM does with memory has to be as it is here.
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(flag ->
            flag.startsWith("-X")
                || flag.startsWith("--add-modules")
                || flag.startsWith("--enable-native-access"))
        .forEach(command::add);
    Module module = MemoryProbe.class.getModule();
    if (module.isNamed()) {
      command.addAll(List.of("--module-path", System.getProperty("jdk.module.path"), "--module"));
      command.add(module.getName() + "/" + MemoryProbe.class.getName());
    } else {
      command.addAll(List.of("-cp", System.getProperty("java.class.path")));
      command.add(MemoryProbe.class.getName());
    }
    command.add(file.toString());
    command.add(Integer.toString(model.threads()));
    command.add(Boolean.toString(model.singlePrecision()));
  }

  /**
   * Measures.
   *
   * @throws PelicanException with what the process said, if it failed or was cancelled
   */
  Speed.Memory measure() {
    try {
      Process running = start();
      String out = text(running.getInputStream().readAllBytes());
      String err = text(running.getErrorStream().readAllBytes());
      int code = running.waitFor();
      String[] words = out.strip().split(" ");
      if (code != 0 || words.length != 2 || !words[1].matches("\\d{1,18}")) {
        throw new PelicanException(
            "its process ended with " + code + ", saying '" + (out + err).strip() + "'");
      }
      return new Speed.Memory(words[0], Long.parseLong(words[1]));
    } catch (IOException e) {
      throw new PelicanException("no process could be started: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PelicanException("interrupted", e);
    }
  }

  private synchronized Process start() throws IOException {
    if (cancelled) {
      throw new PelicanException("cancelled");
    }
    process = new ProcessBuilder(command).start();
    return process;
  }

  /** Ends {@link #measure} soon, from any thread. */
  synchronized void cancel() {
    cancelled = true;
    if (process != null) {
      process.destroyForcibly();
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** The process that is measured: prints how it measured and the bytes. */
  public static void main(String[] args) throws IOException {
    ModelOptions options =
        ModelOptions.DEFAULT
            .withThreads(Integer.parseInt(args[1]))
            .withSinglePrecision(Boolean.parseBoolean(args[2]));
    try (Model model = Model.load(Path.of(args[0]), options)) {
      int room = model.contextLength() - TOKENS - 1;
      new SpeedTest(model).decode(Math.clamp(PROMPT, 1, Math.max(1, room)), TOKENS);
      Speed.Memory memory = now();
      System.out.println(memory.kind() + " " + memory.bytes());
    } catch (PelicanException e) {
      System.err.println(e.getMessage());
      System.exit(1);
    }
  }

  /** What this process takes now, but for mapped files. */
  private static Speed.Memory now() throws IOException {
    if (Files.isReadable(STATUS)) {
      Matcher matcher = ANONYMOUS.matcher(Files.readString(STATUS));
      if (matcher.find()) {
        return new Speed.Memory(Speed.RESIDENT, 1024 * Long.parseLong(matcher.group(1)));
      }
    }
    System.gc();
    long bytes = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
      bytes += pool.getName().equals("direct") ? pool.getMemoryUsed() : 0;
    }
    return new Speed.Memory(Speed.HEAP, bytes);
  }
}
