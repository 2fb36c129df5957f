package pelican.server.inference;

/** Who waits for an answer. */
public interface Caller {
  /** Whether nobody waits any more; asked often and by any thread. */
  boolean gone();

  /**
   * Takes the next part of the answer. Called on the thread that asked for the answer; what it
   * throws ends the generation and is passed on.
   */
  void accept(Delta delta);
}
