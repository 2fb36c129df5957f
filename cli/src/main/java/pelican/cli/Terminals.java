package pelican.cli;

import java.io.IOException;
import org.jline.terminal.spi.SystemStream;
import org.jline.terminal.spi.TerminalProvider;

/** Whether somebody types, and whether somebody looks. */
final class Terminals {
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
      return !TerminalProvider.load("ffm").isSystemStream(SystemStream.Input);
    } catch (IOException e) {
      // A platform that JLine cannot ask: the input is then read, as for a pipe.
      return true;
    }
  }
}
