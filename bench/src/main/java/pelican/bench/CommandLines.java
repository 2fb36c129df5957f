package pelican.bench;

import pelican.engine.PelicanException;
import picocli.CommandLine;

/** Runs this module's programs: errors are one line, the exit code is 1 for them, 2 for usage. */
final class CommandLines {
  private CommandLines() {}

  static CommandLine of(Object command) {
    CommandLine commandLine = new CommandLine(command);
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.setParameterExceptionHandler((exception, args) -> {
      String name = exception.getCommandLine().getCommandSpec().name();
      return report(exception.getCommandLine(), exception, "\nTry '" + name + " --help'.", 2);
    });
    commandLine.setExecutionExceptionHandler((exception, line, parsed) ->
        exception instanceof CommandLine.ParameterException
            ? report(line, exception, "", 2)
            : report(line, exception, "", 1));
    return commandLine;
  }

  private static int report(CommandLine line, Exception exception, String more, int code) {
    boolean known =
        exception instanceof PelicanException
            || exception instanceof CommandLine.ParameterException;
    String message = known ? exception.getMessage() : exception.toString();
    line.getErr().println("Error: " + message.replaceAll("\\s*\\R\\s*", " ") + more);
    line.getErr().flush();
    return code;
  }
}
