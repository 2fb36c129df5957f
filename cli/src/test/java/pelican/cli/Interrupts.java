package pelican.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The jar as a process that Ctrl-C ends, however the tests themselves were started. */
public final class Interrupts {
  /**
   * A shell lets its background jobs ignore SIGINT, and all that they start inherit this. Where the
   * program that undoes it is missing, interrupts reach only what a shell in the foreground began.
   */
  private static final List<String> UNIGNORED = List.of("/usr/bin/env", "--default-signal=INT");

  private static final boolean CAN_UNIGNORE = ends(UNIGNORED, "true");

  private Interrupts() {}

  /** The command line of {@code java -jar engine.jar} with arguments. */
  public static List<String> command(String... arguments) {
    List<String> command = new ArrayList<>(CAN_UNIGNORE ? UNIGNORED : List.of());
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-jar", "target/engine.jar"));
    command.addAll(List.of(arguments));
    return command;
  }

  /** What Ctrl-C does in a terminal: a process and all its descendants get the signal. */
  public static void all(Process process) {
    try (Stream<ProcessHandle> children = process.descendants()) {
      send(Stream.concat(Stream.of(process.toHandle()), children));
    }
  }

  /** Sends the signal to one process alone. */
  public static void only(Process process) {
    send(Stream.of(process.toHandle()));
  }

  private static void send(Stream<ProcessHandle> processes) {
    StringBuilder command = new StringBuilder("kill -INT");
    processes.forEach(one -> command.append(' ').append(one.pid()));
    // One that has just ended is an error of this command, and of no interest.
    ends(List.of("/bin/sh", "-c"), command.toString());
  }

  private static boolean ends(List<String> program, String argument) {
    List<String> command = new ArrayList<>(program);
    command.add(argument);
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
