package pelican.sampling;

/** Restricts which tokens may come next, as a grammar does. One instance follows one sequence. */
public interface TokenConstraint {
  /**
   * Sets the logit of every token that may not come next to negative infinity.
   *
   * @param logits the logit of token t stands at {@code offset + t}
   * @param vocabulary how many tokens there are
   */
  void mask(float[] logits, int offset, int vocabulary);

  /**
   * Whether a token may come next: true of all that {@link #mask} leaves. It may be true of more,
   * where telling all tokens apart is not worth the time.
   *
   * @param token at least 0, less than the size of the vocabulary
   */
  boolean allows(int token);

  /** Tells that {@code token} was chosen and now ends the sequence. */
  void accept(int token);

  /** Tells that a token came that is not constrained, as one of a thought; it takes up space. */
  default void skip() {}
}
