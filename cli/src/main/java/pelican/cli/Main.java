package pelican.cli;

import picocli.CommandLine;

/** The program. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    if (Relauncher.isNeeded()) {
      System.exit(Relauncher.run(args));
    }
    Relauncher.followParent();
    System.exit(run(Relauncher.arguments(args)));
  }

  /** Runs a command line and returns its exit code: 0, 1 for a failure, 2 for wrong usage. */
  static int run(String... args) {
    try {
      return commandLine(args).execute(args);
    } catch (OutOfMemoryError e) {
      System.err.printf(
          "Error: out of memory (%s): the JVM may use %d MB, expected more: a smaller --num-ctx, or"
              + " JAVA_TOOL_OPTIONS=-Xmx8g%n",
          e.getMessage(), Runtime.getRuntime().maxMemory() >> 20);
      return Failures.FAILURE;
    }
  }

  static CommandLine commandLine(String... args) {
    CommandLine commandLine = PelicanCommand.commandLine(args);
    commandLine.setExecutionExceptionHandler(new Failures());
    commandLine.setParameterExceptionHandler(new Failures());
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    return commandLine;
  }
}
