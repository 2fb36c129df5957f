package pelican.grammar;

import java.util.Set;
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
    forget();
    masks.of(state, most()).apply(logits, offset, vocabulary);
  }

  /** The most bytes that may be needed after the next token. */
  private long most() {
    return Math.max(left - 1, state.shortest - 1);
  }

  private void forget() {
    if (pool.size() > MOST_STATES) {
      pool = new State.Pool();
      state = state.in(pool);
    }
  }

  @Override
  public boolean allows(int token) {
    forget();
    if (token >= masks.tokens().bytes.length) {
      return false;
    }
    if (masks.endOfGeneration().contains(token)) {
      return state.complete();
    }
    State next = after(token);
    return !next.dead() && next.shortest <= most();
  }

  /** The state after a token; a dead one if it is no text. */
  private State after(int token) {
    byte[] bytes = masks.tokens().bytes[token];
    State next = bytes.length == 0 ? pool.of(Set.of()) : state;
    for (int i = 0; i < bytes.length && !next.dead(); i++) {
      next = next.step(bytes[i] & 0xff);
    }
    return next;
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
    State next = after(token);
    if (next.dead()) {
      throw new PelicanException("format: token " + token + " may not come here");
    }
    state = next;
  }

  @Override
  public void skip() {
    left--;
  }
}
