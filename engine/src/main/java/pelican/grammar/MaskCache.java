package pelican.grammar;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import pelican.tokenizer.Tokenizer;

/** The masks of one grammar over one vocabulary, each made when it is needed. Thread-safe. */
final class MaskCache {
  /** The most states that are kept; with more, all are forgotten. */
  private static final int MOST_STATES = 8192;

  /** The most memory of masks; with more, those that were not used for longest go. */
  private static final long MOST_BYTES = 4 << 20;

  /** So many nodes of the tree of tokens are worth a look at what is below them. */
  private static final int MANY_NODES = 4;

  private final TokenBytes tokens;
  private final Set<Integer> ends;
  private final int words;
  private final LinkedHashMap<Set<Stack>, Mask> masks = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;
  private State.Pool pool = new State.Pool();

  /**
   * Keeps no reference to the tokenizer.
   *
   * @throws pelican.engine.PelicanException if the vocabulary cannot write every text
   */
  MaskCache(Tokenizer tokenizer) {
    tokens = TokenBytes.of(tokenizer);
    ends = Set.copyOf(tokenizer.endOfGeneration());
    words = (tokenizer.size() + 63) / 64;
  }

  Set<Integer> endOfGeneration() {
    return ends;
  }

  TokenBytes tokens() {
    return tokens;
  }

  /**
   * The tokens that may come.
   *
   * @param most the most bytes that may be needed after the token, at least one less than now
   */
  synchronized Mask of(State state, long most) {
    if (pool.size() > MOST_STATES) {
      pool = new State.Pool();
    }
    Set<Stack> key = state.clamped(tokens.longest + 1);
    Mask mask = masks.get(key);
    if (mask == null) {
      State from = pool.of(key);
      mask = walk(from, new long[words], Node.NEVER - 1, from.complete());
      masks.put(key, mask);
      bytes += mask.size();
      var oldest = masks.entrySet().iterator();
      while (bytes > MOST_BYTES && masks.size() > 1) {
        Map.Entry<Set<Stack>, Mask> entry = oldest.next();
        bytes -= entry.getValue().size();
        oldest.remove();
      }
    }
    if (state.shortest + mask.growth <= most) {
      return mask;
    }
    State from = pool.of(key);
    long[] bits = new long[words];
    // What stands for a state may allow less near the end, but the bytes by themselves are exact.
    for (int i = 0; i < tokens.depths.length; i = tokens.ends[i]) {
      State next = state.step(tokens.values[i] & 0xff);
      if (!next.dead() && next.shortest <= most) {
        add(bits, tokens.firsts[i], tokens.firsts[i] + tokens.counts[i]);
      }
    }
    return walk(from, bits, most - state.shortest + from.shortest, state.complete());
  }

  private void add(long[] bits, int first, int last) {
    for (int t = first; t < last; t++) {
      bits[tokens.ids[t] >> 6] |= 1L << tokens.ids[t];
    }
  }

  /**
   * Tries all tokens.
   *
   * @param bits tokens that may come in any case
   * @param most the most bytes that may still be needed after the token
   */
  private Mask walk(State state, long[] bits, long most, boolean complete) {
    int longest = state.shortest;
    State[] path = new State[tokens.longest + 1];
    path[0] = state;
    int nodes = tokens.depths.length;
    for (int i = 0; i < nodes; ) {
      int depth = tokens.depths[i];
      int end = tokens.ends[i];
      State from = path[depth];
      if (end - i >= MANY_NODES) {
        from = from.relaxed(tokens.heights[i], tokens.longest);
        if (from.loops(tokens.groups[i])) {
          // Whatever is read here changes nothing, so all tokens are alike.
          if (from.shortest <= most) {
            int last = end < nodes ? tokens.firsts[end] : tokens.ids.length;
            add(bits, tokens.firsts[i], last);
            longest = Math.max(longest, from.shortest);
          }
          i = end;
          continue;
        }
      }
      State next = from.step(tokens.values[i] & 0xff);
      if (next.dead()) {
        i = end;
      } else {
        path[depth + 1] = next;
        if (tokens.counts[i] > 0 && next.shortest <= most) {
          add(bits, tokens.firsts[i], tokens.firsts[i] + tokens.counts[i]);
          longest = Math.max(longest, next.shortest);
        }
        i++;
      }
    }
    if (complete) {
      for (int id : ends) {
        bits[id >> 6] |= 1L << id;
      }
    }
    return Mask.of(bits, longest - state.shortest);
  }
}
