package pelican.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jline.terminal.spi.SystemStream;
import org.jline.terminal.spi.TerminalProvider;

/** Whether somebody types, and whether somebody looks. */
final class Terminals {
  /** What Linux says that pipes, sockets and the device of nothing are. */
  private static final Pattern NO_TERMINAL = Pattern.compile("(pipe|socket):.*|/dev/null");

  private Terminals() {}

  /** Whether input and output are a terminal. */
  static boolean isInteractive() {
    return System.console() != null && System.console().isTerminal();
  }

  /** Whether input comes from a file or a pipe. */
  static boolean isInputPiped() {
    if (isInteractive()) {
      return false;
    }
    try {
      Path input = Path.of("/proc/self/fd/0");
      // Linux tells in no time what JLine, through foreign functions, takes a fifth of a second
      // for.
      if (Files.isRegularFile(input)
          || Files.isSymbolicLink(input)
              && NO_TERMINAL.matcher(Files.readSymbolicLink(input).toString()).matches()) {
        return true;
      }
      return !TerminalProvider.load("ffm").isSystemStream(SystemStream.Input);
    } catch (IOException e) {
      // A platform that JLine cannot ask: the input is then read, as for a pipe.
      return true;
    }
  }
}
