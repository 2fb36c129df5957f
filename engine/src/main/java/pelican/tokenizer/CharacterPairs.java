package pelican.tokenizer;

/**
 * Which pairs of characters stand next to each other inside some token. Between two that never do,
 * no merge can take place, so that text may be cut there: its parts give the same tokens as the
 * whole, and parts of a few characters are much cheaper than a text of a million.
 *
 * <p>A set of hashes: it may hold too much, which costs a cut, but never too little.
 */
final class CharacterPairs {
  private final long[] bits;
  private final int shift;

  CharacterPairs(Vocabulary vocabulary) {
    // Some 16 to 32 bits for each token, and half a megabyte at most.
    int log = Math.min(22, 37 - Integer.numberOfLeadingZeros(Math.max(4, vocabulary.size())));
    bits = new long[1 << log - 6];
    shift = 64 - log;
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.isText(id)) {
        add(vocabulary.pool(), vocabulary.start(id), vocabulary.start(id + 1));
      }
    }
  }

  private void add(byte[] text, int from, int to) {
    int left = 0;
    for (int at = from; at < to; ) {
      int length = Utf8.length(text, at, to);
      int right = Utf8.packed(text, at, length);
      if (at > from) {
        long hash = hash(left, right);
        bits[(int) (hash >>> 6)] |= 1L << hash;
      }
      left = right;
      at += length;
    }
  }

  /** Whether a token may span the border between two characters, {@link Utf8#packed}. */
  boolean mayMerge(int left, int right) {
    long hash = hash(left, right);
    return (bits[(int) (hash >>> 6)] >>> hash & 1) != 0;
  }

  private long hash(int left, int right) {
    long pair = (long) left << 32 | right & 0xffffffffL;
    return (pair ^ pair >>> 29) * 0x9e3779b97f4a7c15L >>> shift;
  }
}
