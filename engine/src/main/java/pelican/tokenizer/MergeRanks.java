package pelican.tokenizer;

import java.util.Arrays;
import pelican.gguf.GgufException;
import pelican.gguf.GgufMetadata;
import pelican.gguf.StringArray;

/**
 * Byte-pair merges by rank: pairs merge in the order in which {@code tokenizer.ggml.merges} lists
 * them. A merge is two tokens with a space between; since tokens write spaces as U+2581, the first
 * space after the first byte divides them.
 */
final class MergeRanks implements PairPriority {
  private static final String MERGES = "tokenizer.ggml.merges";
  private static final long EMPTY = -1;

  /** Pairs (left id, right id) and their ranks by hash. */
  private final long[] pairs;

  private final int[] ranks;

  private MergeRanks(int size) {
    int places = Math.max(16, Integer.highestOneBit(Math.max(1, size)) << 2);
    pairs = new long[places];
    ranks = new int[places];
    Arrays.fill(pairs, EMPTY);
  }

  static MergeRanks from(GgufMetadata metadata, Vocabulary vocabulary) {
    StringArray merges = metadata.strings(MERGES);
    if (merges.size() > 1 << 28) {
      throw new GgufException(
          metadata.path()
              + ": "
              + MERGES
              + " has "
              + merges.size()
              + " entries, expected under 2^28");
    }
    MergeRanks ranks = new MergeRanks(merges.size());
    byte[] text = new byte[256];
    for (int rank = 0; rank < merges.size(); rank++) {
      int length = merges.length(rank);
      if (length > text.length) {
        text = new byte[2 * length];
      }
      merges.copy(rank, text, 0);
      int space = 1;
      while (space < length && text[space] != ' ') {
        space++;
      }
      if (space >= length - 1) {
        throw new GgufException(
            metadata.path()
                + ": "
                + MERGES
                + " "
                + rank
                + " is \""
                + merges.get(rank)
                + "\", expected two tokens");
      }
      int left = vocabulary.findText(text, 0, space);
      int right = vocabulary.findText(text, space + 1, length);
      // A merge of what is no token cannot take place, since symbols begin as tokens.
      if (left >= 0 && right >= 0) {
        ranks.put(left, right, rank);
      }
    }
    return ranks;
  }

  @Override
  public int of(int left, int right, int merged) {
    if (left < 0 || right < 0 || merged < 0) {
      return NEVER;
    }
    long pair = (long) left << 32 | right;
    int mask = pairs.length - 1;
    for (int at = hash(pair) & mask; pairs[at] != EMPTY; at = at + 1 & mask) {
      if (pairs[at] == pair) {
        return ranks[at];
      }
    }
    return NEVER;
  }

  private void put(int left, int right, int rank) {
    long pair = (long) left << 32 | right;
    int mask = pairs.length - 1;
    int at = hash(pair) & mask;
    while (pairs[at] != EMPTY) {
      if (pairs[at] == pair) {
        return;
      }
      at = at + 1 & mask;
    }
    pairs[at] = pair;
    ranks[at] = rank;
  }

  private static int hash(long pair) {
    long mixed = pair * 0x9e3779b97f4a7c15L;
    return (int) (mixed >>> 32);
  }
}
