package pelican.grammar;

import java.util.Arrays;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.stream.IntStream;
import pelican.engine.PelicanException;
import pelican.tokenizer.Tokenizer;

/** The bytes of all tokens that are text, ordered so that those of one beginning are adjacent. */
final class TokenBytes {
  private static final Map<Tokenizer, TokenBytes> KNOWN = new WeakHashMap<>();

  final int[] ids;
  final byte[][] bytes;

  /** How many bytes a token's beginning shares with the one before. */
  final int[] shared;

  final int longest;

  /** For each token its place in {@link #ids}, or -1 if it is no text. */
  final int[] places;

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
    bytes = new byte[ids.length][];
    shared = new int[ids.length];
    places = new int[size];
    Arrays.fill(places, -1);
    boolean[] single = new boolean[256];
    int most = 0;
    for (int i = 0; i < ids.length; i++) {
      bytes[i] = all[ids[i]];
      places[ids[i]] = i;
      most = Math.max(most, bytes[i].length);
      if (i > 0) {
        int differ = Arrays.mismatch(bytes[i - 1], bytes[i]);
        shared[i] = differ < 0 ? bytes[i].length : differ;
      }
      if (bytes[i].length == 1) {
        single[bytes[i][0] & 0xff] = true;
      }
    }
    longest = most;
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

  static TokenBytes of(Tokenizer tokenizer) {
    synchronized (KNOWN) {
      return KNOWN.computeIfAbsent(tokenizer, TokenBytes::new);
    }
  }
}
