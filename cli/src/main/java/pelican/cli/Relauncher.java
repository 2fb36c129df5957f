package pelican.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import sun.misc.Signal;

/**
 * Starts the program again with the JVM flags that it needs: the Vector API is an incubator module,
 * which neither a jar's manifest nor a running JVM can add. The two processes behave as one:
 * standard input and output are inherited, signals reach the child, its exit code is passed on.
 * Standard error passes through this process, which takes out the JVM's warning about the module:
 * nobody who reads it could do anything about it, and no flag turns it off.
 */
final class Relauncher {
  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  /** Set for the child, so that a JVM that lacks the module is not started again and again. */
  private static final String CHILD = "pelican.relaunched";

  /**
   * Carries arguments to the child that the locale cannot express: UTF-8 in Base64, NUL between.
   */
  private static final String ARGUMENTS = "pelican.arguments";

  private static final byte[] WARNING =
      ("WARNING: Using incubator modules: " + VECTOR_MODULE + System.lineSeparator())
          .getBytes(StandardCharsets.US_ASCII);

  /** What a process ends with that a signal ended, in shells and in the JVM: 128 and the signal. */
  private static final int INTERRUPTED = 128 + 2;

  private static final int TERMINATED = 128 + 15;
  private static final int KILLED = 128 + 9;

  private Relauncher() {}

  static boolean isNeeded() {
    return ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty() && !Boolean.getBoolean(CHILD);
  }

  /** Runs the child and returns its exit code. */
  static int run(String[] args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--add-modules=" + VECTOR_MODULE);
    command.addAll(JvmFlags.measuredBest(Runtime.getRuntime().availableProcessors()));
    command.add("-D" + CHILD + "=true");
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO().redirectError(Redirect.PIPE);
    byte[] raw = isAsciiLocale() ? rawArguments(args.length) : new byte[0];
    if (raw.length > 0) {
      command.add("-D" + ARGUMENTS + "=" + Base64.getEncoder().encodeToString(raw));
      builder.environment().put("LC_ALL", "C.UTF-8");
    }
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Main.class.getName());
    command.addAll(raw.length > 0 ? List.of() : List.of(args));
    try {
      Process child = builder.start();
      AtomicBoolean interrupted = passSignals(child);
      passErrors(child.getErrorStream(), new FileOutputStream(FileDescriptor.err));
      int code = child.waitFor();
      boolean wasPassedOn = interrupted.get() && (code == TERMINATED || code == KILLED);
      return wasPassedOn ? INTERRUPTED : code;
    } catch (IOException e) {
      System.err.println("Error: cannot start " + command.getFirst() + ": " + e.getMessage());
      return Failures.FAILURE;
    } catch (InterruptedException e) {
      return Failures.FAILURE;
    }
  }

  /** Whether the JVM takes only ASCII from the system: containers often have no other locale. */
  private static boolean isAsciiLocale() {
    String encoding = System.getProperty("sun.jnu.encoding", "");
    return encoding.equals("ANSI_X3.4-1968") || encoding.equals("US-ASCII");
  }

  /**
   * The last arguments of this process as they were given, each ended by NUL: of others than ASCII
   * ones, {@code main} gets question marks. Empty where the system does not tell.
   */
  private static byte[] rawArguments(int count) {
    byte[] line;
    try {
      line = Files.readAllBytes(Path.of("/proc/self/cmdline"));
    } catch (IOException e) {
      return new byte[0];
    }
    int from = line.length;
    for (int missing = count + 1; from > 0; from--) {
      if (line[from - 1] == 0 && --missing == 0) {
        return Arrays.copyOfRange(line, from, line.length);
      }
    }
    return new byte[0];
  }

  /** The arguments that the user gave. */
  static String[] arguments(String[] args) {
    String encoded = System.getProperty(ARGUMENTS);
    if (encoded == null) {
      return args;
    }
    String line = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
    return line.substring(0, line.length() - 1).split("\0", -1);
  }

  /** Copies until the child's end, but for the warning if that comes first. */
  static void passErrors(InputStream in, OutputStream out) throws IOException {
    byte[] first = in.readNBytes(WARNING.length);
    if (!Arrays.equals(first, WARNING)) {
      out.write(first);
    }
    byte[] buffer = new byte[8192];
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      out.write(buffer, 0, n);
    }
  }

  /** Returns what becomes true when an interrupt is passed on, which the child sees as another. */
  private static AtomicBoolean passSignals(Process child) {
    AtomicBoolean asked = new AtomicBoolean();
    Signal.handle(
        new Signal("INT"),
        signal -> {
          // A terminal sends its Ctrl-C to both processes; what it means is the child's to decide.
          if (isInForeground()) {
            return;
          }
          if (asked.getAndSet(true)) {
            child.toHandle().destroyForcibly();
          } else {
            child.toHandle().destroy();
          }
        });
    // By its handle: Process.destroy would also close the stream that errors are read from.
    Signal.handle(new Signal("TERM"), signal -> child.toHandle().destroy());
    return asked;
  }

  /** Whether the keys of a terminal reach this process. */
  private static boolean isInForeground() {
    try {
      String stat = Files.readString(Path.of("/proc/self/stat"), StandardCharsets.ISO_8859_1);
      // After the name: state, parent, process group, session, terminal, group in its foreground.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      return !fields[4].equals("0") && fields[2].equals(fields[5]);
    } catch (IOException e) {
      return System.console() != null;
    }
  }

  /** Ends this process when the one that launched it is gone, so that no orphan computes on. */
  static void followParent() {
    if (Boolean.getBoolean(CHILD)) {
      ProcessHandle.current()
          .parent()
          .ifPresent(parent -> parent.onExit().thenRun(() -> Runtime.getRuntime().halt(1)));
    }
  }
}
