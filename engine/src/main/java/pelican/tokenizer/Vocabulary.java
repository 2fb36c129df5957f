package pelican.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import pelican.gguf.GgufException;
import pelican.gguf.GgufMetadata;
import pelican.gguf.StringArray;

/**
 * The tokens of a model: their bytes, in one array, and their kinds. Tokens are found by a hash of
 * their bytes, since a vocabulary of 262,144 Java strings costs more than all the rest of a model's
 * start.
 */
final class Vocabulary {
  private static final String TOKENS = "tokenizer.ggml.tokens";
  private static final String TYPES = "tokenizer.ggml.token_type";

  /**
   * Marks of the prompt format. Published files call some of them user-defined rather than control
   * tokens, so that other engines print them; text must not become them all the same.
   */
  private static final List<String> MARKS =
      List.of(
          "<|tool>",
          "<tool|>",
          "<|tool_call>",
          "<tool_call|>",
          "<|tool_response>",
          "<tool_response|>",
          "<|\"|>",
          "<|think|>",
          "<|channel>",
          "<channel|>",
          "<|turn>",
          "<turn|>");

  static final int NORMAL = 1;
  static final int UNKNOWN = 2;
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;
  static final int UNUSED = 5;
  static final int BYTE = 6;

  private final byte[] pool;
  private final int[] starts;
  private final byte[] types;
  private final int[] byteTokens = new int[256];

  /** Ids + 1 by hash; 0 is empty. Twice as many places as tokens, at least. */
  private final int[] table;

  private Vocabulary(byte[] pool, int[] starts, byte[] types) {
    this.pool = pool;
    this.starts = starts;
    this.types = types;
    table = new int[Math.max(16, Integer.highestOneBit(types.length) << 2)];
    Arrays.fill(byteTokens, -1);
    for (int id = 0; id < types.length; id++) {
      add(id);
      if (types[id] == BYTE) {
        int value = byteValue(id);
        if (value >= 0) {
          byteTokens[value] = id;
        }
      }
    }
    for (String mark : MARKS) {
      byte[] bytes = Utf8.bytes(mark);
      int id = find(bytes, 0, bytes.length);
      if (id >= 0 && types[id] == USER_DEFINED) {
        types[id] = CONTROL;
      }
    }
  }

  static Vocabulary from(GgufMetadata metadata) {
    StringArray tokens = metadata.strings(TOKENS);
    int size = tokens.size();
    if (size == 0) {
      throw new GgufException(metadata.path() + ": " + TOKENS + " is empty, expected a vocabulary");
    }
    int[] starts = new int[size + 1];
    long total = 0;
    for (int id = 0; id < size; id++) {
      total += tokens.length(id);
      if (total > Integer.MAX_VALUE - 8) {
        throw new GgufException(metadata.path() + ": " + TOKENS + " has more than 2 GB of text");
      }
      starts[id + 1] = (int) total;
    }
    byte[] pool = new byte[(int) total];
    for (int id = 0; id < size; id++) {
      tokens.copy(id, pool, starts[id]);
    }
    return new Vocabulary(pool, starts, types(metadata, size));
  }

  private static byte[] types(GgufMetadata metadata, int size) {
    byte[] types = new byte[size];
    Arrays.fill(types, (byte) NORMAL);
    if (!metadata.has(TYPES)) {
      return types;
    }
    int[] stated = metadata.integers(TYPES);
    if (stated.length != size) {
      throw new GgufException(
          metadata.path()
              + ": "
              + TYPES
              + " has "
              + stated.length
              + " entries, expected one for each of "
              + size
              + " tokens");
    }
    for (int id = 0; id < size; id++) {
      if (stated[id] < 0 || stated[id] > BYTE) {
        throw new GgufException(
            metadata.path()
                + ": "
                + TYPES
                + " of token "
                + id
                + " is "
                + stated[id]
                + ", expected 1 to "
                + BYTE);
      }
      types[id] = (byte) stated[id];
    }
    return types;
  }

  int size() {
    return types.length;
  }

  int type(int id) {
    return types[id];
  }

  int length(int id) {
    return starts[id + 1] - starts[id];
  }

  byte[] bytes(int id) {
    Objects.checkIndex(id, size());
    return Arrays.copyOfRange(pool, starts[id], starts[id + 1]);
  }

  String text(int id) {
    Objects.checkIndex(id, size());
    return new String(pool, starts[id], length(id), StandardCharsets.UTF_8);
  }

  /** The token that stands for a byte that no other token covers, or -1. */
  int byteToken(int value) {
    return byteTokens[value];
  }

  /** The value of a byte token, from its text {@code <0xXX>}; -1 if the text is another one. */
  int byteValue(int id) {
    int at = starts[id];
    if (length(id) != 6 || pool[at] != '<' || pool[at + 1] != '0' || pool[at + 5] != '>') {
      return -1;
    }
    int high = Character.digit(pool[at + 3], 16);
    int low = Character.digit(pool[at + 4], 16);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }

  /** The token with exactly these bytes, the first if there are several, or -1. */
  int find(byte[] text, int from, int to) {
    int mask = table.length - 1;
    for (int at = hash(text, from, to) & mask; table[at] != 0; at = at + 1 & mask) {
      int id = table[at] - 1;
      if (Arrays.equals(pool, starts[id], starts[id + 1], text, from, to)) {
        return id;
      }
    }
    return -1;
  }

  /** The token that ordinary text may become: as {@link #find}, but never a control token. */
  int findText(byte[] text, int from, int to) {
    int id = find(text, from, to);
    return id >= 0 && types[id] != CONTROL && types[id] != UNKNOWN ? id : -1;
  }

  private void add(int id) {
    int mask = table.length - 1;
    int at = hash(pool, starts[id], starts[id + 1]) & mask;
    while (table[at] != 0) {
      int other = table[at] - 1;
      if (Arrays.equals(pool, starts[id], starts[id + 1], pool, starts[other], starts[other + 1])) {
        return;
      }
      at = at + 1 & mask;
    }
    table[at] = id + 1;
  }

  private static int hash(byte[] text, int from, int to) {
    int hash = 0x811c9dc5;
    for (int i = from; i < to; i++) {
      hash = (hash ^ text[i] & 0xff) * 0x01000193;
    }
    return hash ^ hash >>> 15;
  }
}
