package pelican.grammar;

/** How a text is kept from being there twice. */
enum Memory {
  /** All texts are remembered. */
  EXACT,
  /** While a token is tried: this text is compared, but then forgotten. */
  TRIED,
  /** While a token is tried: this text is not compared, and may not be completed. */
  OPEN;

  /** Bytes that a text may take to differ from others, where it is not compared. */
  static final int DIFFERENCE = 4;
}
