package pelican.grammar;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.stream.IntStream;
import pelican.engine.PelicanException;
import pelican.tokenizer.Tokenizer;

/**
 * The bytes of all tokens that are text, as a tree of which every path from the root is a prefix.
 */
final class TokenBytes {
  private static final Map<Tokenizer, TokenBytes> KNOWN = new WeakHashMap<>();

  /** Tokens in the order of their bytes. */
  final int[] ids;

  final int longest;

  /** For each token its bytes; none if it is no text. */
  final byte[][] bytes;

  /** For each node but the root, parents before children: the byte that leads to it. */
  final byte[] values;

  /** For each node how many bytes lead to its parent. */
  final int[] depths;

  /** For each node the first one that is not below it. */
  final int[] ends;

  /** For each node the first place in {@link #ids} of tokens that begin with its path. */
  final int[] firsts;

  /** For each node how many tokens have its path as their bytes. */
  final int[] counts;

  /** For each node how many bytes are read from its parent on at most. */
  final int[] heights;

  /**
   * For each node the {@link ByteGroups} of all bytes from it on, to the ends of all tokens that
   * pass it; {@link ByteGroups#MALFORMED} if one of those tokens is not UTF-8.
   */
  final long[] groups;

  private TokenBytes(Tokenizer tokenizer) {
    int size = tokenizer.size();
    byte[][] all = new byte[size][];
    for (int id = 0; id < size; id++) {
      boolean text = !tokenizer.isControl(id) && !tokenizer.endOfGeneration().contains(id);
      all[id] = text ? tokenizer.bytes(id) : new byte[0];
    }
    ids =
        IntStream.range(0, size)
            .filter(id -> all[id].length > 0)
            .boxed()
            .sorted((a, b) -> Arrays.compareUnsigned(all[a], all[b]))
            .mapToInt(Integer::intValue)
            .toArray();
    bytes = all;
    int nodes = 0;
    int most = 0;
    for (int i = 0; i < ids.length; i++) {
      nodes += all[ids[i]].length - (i == 0 ? 0 : shared(all, i));
      most = Math.max(most, all[ids[i]].length);
    }
    longest = most;
    values = new byte[nodes];
    depths = new int[nodes];
    ends = new int[nodes];
    firsts = new int[nodes];
    counts = new int[nodes];
    boolean[] single = new boolean[256];
    int[] path = new int[most + 1];
    int node = 0;
    int open = 0;
    for (int i = 0; i < ids.length; i++) {
      byte[] token = all[ids[i]];
      int same = i == 0 ? 0 : shared(all, i);
      while (open > same) {
        ends[path[--open]] = node;
      }
      while (open < token.length) {
        values[node] = token[open];
        depths[node] = open;
        firsts[node] = i;
        path[open++] = node++;
      }
      counts[path[open - 1]]++;
      if (token.length == 1) {
        single[token[0] & 0xff] = true;
      }
    }
    while (open > 0) {
      ends[path[--open]] = node;
    }
    groups = new long[nodes];
    heights = new int[nodes];
    group(all);
    for (int value = 0x20; value < 0xf5; value++) {
      boolean used = value < 0x7f || value >= 0x80 && value != 0xc0 && value != 0xc1;
      if (used && !single[value]) {
        throw new PelicanException(
            String.format(
                "format: the model's vocabulary has no token for byte 0x%02x alone, which output"
                    + " bound by a format needs",
                value));
      }
    }
  }

  private void group(byte[][] all) {
    int[] parents = new int[depths.length];
    int[] path = new int[longest + 1];
    for (int i = 0; i < depths.length; i++) {
      path[depths[i] + 1] = i;
      parents[i] = depths[i] == 0 ? -1 : path[depths[i]];
    }
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    for (int i = depths.length - 1; i >= 0; i--) {
      groups[i] |= ByteGroups.of(values[i] & 0xff);
      heights[i]++;
      if (counts[i] > 0) {
        try {
          decoder.decode(ByteBuffer.wrap(all[ids[firsts[i]]]));
        } catch (CharacterCodingException e) {
          groups[i] |= ByteGroups.MALFORMED;
        }
      }
      if (parents[i] >= 0) {
        groups[parents[i]] |= groups[i];
        heights[parents[i]] = Math.max(heights[parents[i]], heights[i]);
      }
    }
  }

  /** How many bytes the token at a place shares with the one before. */
  private int shared(byte[][] all, int place) {
    byte[] token = all[ids[place]];
    int differ = Arrays.mismatch(all[ids[place - 1]], token);
    return differ < 0 ? token.length : differ;
  }

  static TokenBytes of(Tokenizer tokenizer) {
    synchronized (KNOWN) {
      return KNOWN.computeIfAbsent(tokenizer, TokenBytes::new);
    }
  }
}
