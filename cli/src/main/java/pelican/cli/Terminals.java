package pelican.cli;

/** Whether somebody looks. */
final class Terminals {
  private Terminals() {}

  /** Whether input and output are a terminal. */
  static boolean isInteractive() {
    return System.console() != null && System.console().isTerminal();
  }
}
