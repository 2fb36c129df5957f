package pelican.engine;

/** Why a generation ended. */
public enum FinishReason {
  /** The model ended its turn, or a stop string came. */
  STOP,
  /** The number of tokens asked for was reached, or the context is full. */
  LENGTH,
  /** It was cancelled. */
  CANCELLED
}
