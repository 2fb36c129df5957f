package pelican.server.inference;

/** Why an answer ended. */
public enum DoneReason {
  /** The model ended its turn, or a stop string came. */
  STOP("stop"),
  /** The tokens asked for were reached, or the context is full. */
  LENGTH("length"),
  /** Nothing was to be generated: the model is loaded now. */
  LOAD("load"),
  /** Nothing was to be generated: the model is unloaded, or will be as soon as nobody uses it. */
  UNLOAD("unload");

  private final String text;

  DoneReason(String text) {
    this.text = text;
  }

  /** As clients know it. */
  public String text() {
    return text;
  }
}
