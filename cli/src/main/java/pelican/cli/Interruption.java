package pelican.cli;

/**
 * What is done when the program is interrupted, as by Ctrl-C, while this is open. The rest of the
 * program goes on meanwhile; closing waits until it is done, so that what it uses can be closed
 * afterwards.
 */
final class Interruption implements AutoCloseable {
  private final Thread hook;

  Interruption(Runnable action) {
    hook = new Thread(action, "pelican-interrupted");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The program is being interrupted.
      try {
        hook.join();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
