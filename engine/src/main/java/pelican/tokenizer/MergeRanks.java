package pelican.tokenizer;

import java.util.Arrays;
import pelican.gguf.GgufException;
import pelican.gguf.GgufMetadata;
import pelican.gguf.Quote;
import pelican.gguf.StringArray;

/**
 * Byte-pair merges by rank: pairs merge in the order in which {@code tokenizer.ggml.merges} lists
 * them. A merge is two tokens with a space between; since tokens write spaces as U+2581, the first
 * space after the first byte divides them. Of a pair that is listed twice the first place counts. A
 * pair that would make no token is passed over, since its text could not be written in tokens.
 */
final class MergeRanks implements MergeRule {
  static final String KEY = "tokenizer.ggml.merges";

  /** Bits of a rank: eight times Gemma's number of merges. */
  private static final int RANK_BITS = 64 - 2 * Vocabulary.ID_BITS;

  /** The rank with all bits set is left out, so that no entry looks like {@link #EMPTY}. */
  private static final int MAX_MERGES = (1 << RANK_BITS) - 1;

  private static final long EMPTY = -1;

  /** A hash table: from the top, the left id, the right id and the rank of their merge. */
  private final long[] table;

  private final Vocabulary vocabulary;

  private MergeRanks(Vocabulary vocabulary, int merges) {
    this.vocabulary = vocabulary;
    table = new long[Math.max(16, Integer.highestOneBit(Math.max(1, merges + merges / 2)) << 1)];
    Arrays.fill(table, EMPTY);
  }

  static MergeRanks from(GgufMetadata metadata, Vocabulary vocabulary) {
    StringArray merges = metadata.strings(KEY);
    if (merges.size() > MAX_MERGES) {
      throw new GgufException(
          String.format(
              "%s: metadata %s has %d entries, expected at most %d",
              metadata.path(), KEY, merges.size(), MAX_MERGES));
    }
    MergeRanks ranks = new MergeRanks(vocabulary, merges.size());
    byte[] text = new byte[256];
    for (int rank = 0; rank < merges.size(); rank++) {
      int length = merges.length(rank);
      if (length > text.length) {
        text = new byte[Math.max(length, 2 * text.length)];
      }
      merges.copy(rank, text, 0);
      int space = 1;
      while (space < length && text[space] != ' ') {
        space++;
      }
      if (space >= length - 1) {
        throw wrong(metadata, merges, rank, "two tokens with a space between");
      }
      int left = vocabulary.find(text, 0, space);
      int right = vocabulary.find(text, space + 1, length);
      if (left < 0 || right < 0) {
        throw wrong(metadata, merges, rank, "two tokens of the vocabulary");
      }
      ranks.put(pair(left, right), rank);
    }
    return ranks;
  }

  private static GgufException wrong(
      GgufMetadata metadata, StringArray merges, int rank, String expected) {
    return new GgufException(
        String.format(
            "%s: metadata %s[%d] is %s, expected %s",
            metadata.path(), KEY, rank, Quote.quote(merges.get(rank)), expected));
  }

  @Override
  public long merge(int left, int right, byte[] text, int from, int to) {
    if ((left | right) < 0) {
      return NONE;
    }
    long pair = pair(left, right);
    int mask = table.length - 1;
    for (int at = hash(pair) & mask; table[at] != EMPTY; at = at + 1 & mask) {
      if (table[at] >>> RANK_BITS == pair) {
        int rank = (int) table[at] & MAX_MERGES;
        // Looked up here, since to do so for every merge takes a third of the time of reading them.
        int merged = vocabulary.findText(text, from, to);
        return merged < 0 ? NONE : (long) rank << 32 | merged;
      }
    }
    return NONE;
  }

  private void put(long pair, int rank) {
    int mask = table.length - 1;
    int at = hash(pair) & mask;
    while (table[at] != EMPTY) {
      if (table[at] >>> RANK_BITS == pair) {
        return;
      }
      at = at + 1 & mask;
    }
    table[at] = pair << RANK_BITS | rank;
  }

  private static long pair(int left, int right) {
    return (long) left << Vocabulary.ID_BITS | right;
  }

  private static int hash(long pair) {
    return (int) (pair * 0x9e3779b97f4a7c15L >>> 32);
  }
}
