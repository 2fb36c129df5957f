package pelican.grammar;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import pelican.engine.PelicanException;
import pelican.sampling.TokenConstraint;
import pelican.tokenizer.Tokenizer;

/**
 * Lets only tokens come that a grammar allows, and an end of generation only where the text is
 * complete. Where few tokens are left, only those may come after which the rest can still be
 * written; that a byte takes at most a token is relied upon.
 */
final class GrammarConstraint implements TokenConstraint {
  /** The most states and masks that are kept; with more, all are forgotten. */
  private static final int MOST_STATES = 4096;

  private static final int MOST_MASKS = 1024;

  /**
   * What may come after a state.
   *
   * @param growth how much longer the shortest completion gets at most, in bytes
   */
  private record Mask(BitSet allowed, int growth) {}

  private final Tokenizer tokenizer;
  private final TokenBytes tokens;
  private final Map<Set<Stack>, Mask> masks = new HashMap<>();
  private State.Pool pool = new State.Pool();
  private State state;
  private long left;

  /**
   * @param left the most tokens to come
   */
  GrammarConstraint(Node root, Tokenizer tokenizer, long left) {
    this.tokenizer = tokenizer;
    this.left = left;
    tokens = TokenBytes.of(tokenizer);
    state = State.start(root, pool);
  }

  @Override
  public void mask(float[] logits, int offset, int vocabulary) {
    Mask mask = current();
    BitSet allowed = mask.allowed;
    for (int id = allowed.nextClearBit(0); id < vocabulary; id = allowed.nextClearBit(id + 1)) {
      logits[offset + id] = Float.NEGATIVE_INFINITY;
    }
  }

  private Mask current() {
    if (pool.size() > MOST_STATES) {
      pool = new State.Pool();
      state = state.in(pool);
    }
    if (masks.size() > MOST_MASKS) {
      masks.clear();
    }
    Mask mask =
        masks.computeIfAbsent(state.clamped(tokens.longest + 1), key -> walk(Node.NEVER - 1));
    long most = Math.max(left - 1, state.shortest - 1);
    return state.shortest + mask.growth <= most ? mask : walk(most);
  }

  /**
   * Tries all tokens.
   *
   * @param most the most bytes that may still be needed after the token
   */
  private Mask walk(long most) {
    BitSet allowed = new BitSet(tokenizer.size());
    int longest = state.shortest;
    State[] path = new State[tokens.longest + 1];
    path[0] = state;
    int count = tokens.ids.length;
    // How many bytes of the token before could be read.
    int read = 0;
    for (int i = 0; i < count; i++) {
      byte[] bytes = tokens.bytes[i];
      int at = Math.min(read, tokens.shared[i]);
      if (at == read && i > 0 && tokens.shared[i] > read) {
        continue;
      }
      while (at < bytes.length) {
        State next = path[at].step(bytes[at] & 0xff);
        if (next.dead()) {
          break;
        }
        path[++at] = next;
      }
      read = at;
      if (at == bytes.length && path[at].shortest <= most) {
        allowed.set(tokens.ids[i]);
        longest = Math.max(longest, path[at].shortest);
      }
    }
    if (state.complete()) {
      tokenizer.endOfGeneration().forEach(allowed::set);
    }
    return new Mask(allowed, longest - state.shortest);
  }

  /**
   * {@inheritDoc}
   *
   * @throws PelicanException if the token may not come here
   */
  @Override
  public void accept(int token) {
    left--;
    if (tokenizer.endOfGeneration().contains(token) && state.complete()) {
      return;
    }
    int place = tokens.places[token];
    State next = state;
    if (place >= 0) {
      for (byte value : tokens.bytes[place]) {
        next = next.step(value & 0xff);
      }
    }
    if (place < 0 || next.dead()) {
      throw new PelicanException("format: token " + token + " may not come here");
    }
    state = next;
  }

  @Override
  public void skip() {
    left--;
  }
}
