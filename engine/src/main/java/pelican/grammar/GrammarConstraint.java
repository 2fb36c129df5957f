package pelican.grammar;

import pelican.engine.PelicanException;
import pelican.sampling.TokenConstraint;

/**
 * Lets only tokens come that a grammar allows, and an end of generation only where the text is
 * complete. Where few tokens are left, only those may come after which the rest can still be
 * written; that a byte takes at most a token is relied upon.
 */
final class GrammarConstraint implements TokenConstraint {
  /** The most states that are kept; with more, all are forgotten. */
  private static final int MOST_STATES = 1024;

  private final MaskCache masks;
  private State.Pool pool = new State.Pool();
  private State state;
  private long left;

  /**
   * @param left the most tokens to come
   */
  GrammarConstraint(Node root, MaskCache masks, long left) {
    this.masks = masks;
    this.left = left;
    state = State.start(root, pool);
  }

  @Override
  public void mask(float[] logits, int offset, int vocabulary) {
    if (pool.size() > MOST_STATES) {
      pool = new State.Pool();
      state = state.in(pool);
    }
    long most = Math.max(left - 1, state.shortest - 1);
    masks.of(state, most).apply(logits, offset, vocabulary);
  }

  /**
   * {@inheritDoc}
   *
   * @throws PelicanException if the token may not come here
   */
  @Override
  public void accept(int token) {
    left--;
    if (masks.endOfGeneration().contains(token) && state.complete()) {
      return;
    }
    byte[] bytes = masks.tokens().bytes[token];
    State next = state;
    for (byte value : bytes) {
      next = next.step(value & 0xff);
    }
    if (bytes.length == 0 || next.dead()) {
      throw new PelicanException("format: token " + token + " may not come here");
    }
    state = next;
  }

  @Override
  public void skip() {
    left--;
  }
}
