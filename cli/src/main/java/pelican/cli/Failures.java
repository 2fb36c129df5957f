package pelican.cli;

import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import pelican.engine.PelicanException;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Turns exceptions into one line for the user and an exit code. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
  static final int FAILURE = 1;
  static final int USAGE = 2;

  /** For whoever looks for a defect in the program itself. */
  private static final boolean TRACE = System.getenv("PELICAN_DEBUG") != null;

  @Override
  public int handleExecutionException(
      Exception exception, CommandLine commandLine, ParseResult result) {
    if (exception instanceof ParameterException usage) {
      return handleParseException(usage, new String[0]);
    }
    print(commandLine.getErr(), exception);
    return FAILURE;
  }

  @Override
  public int handleParseException(ParameterException exception, String[] args) {
    CommandLine commandLine = exception.getCommandLine();
    PrintWriter err = commandLine.getErr();
    err.println("Error: " + oneLine(exception.getMessage()));
    CommandLine.UnmatchedArgumentException.printSuggestions(exception, err);
    err.println(
        "Try '" + commandLine.getCommandSpec().qualifiedName() + " --help' for more information.");
    return USAGE;
  }

  private static void print(PrintWriter err, Exception exception) {
    err.println("Error: " + oneLine(message(exception)));
    if (TRACE) {
      exception.printStackTrace(err);
    }
    err.flush();
  }

  private static String message(Throwable exception) {
    return switch (exception) {
      case PelicanException e -> e.getMessage();
      case NoSuchFileException e -> e.getFile() + ": no such file";
      case AccessDeniedException e -> e.getFile() + ": permission denied";
      case FileSystemException e when e.getReason() != null -> e.getFile() + ": " + e.getReason();
      case UncheckedIOException e -> message(e.getCause());
      default -> exception.getMessage() == null ? exception.toString() : exception.getMessage();
    };
  }

  private static String oneLine(String message) {
    return message.replaceAll("\\s*\\R\\s*", " ");
  }
}
