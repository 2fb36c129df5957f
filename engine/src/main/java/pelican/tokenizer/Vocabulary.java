package pelican.tokenizer;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import pelican.gguf.GgufException;
import pelican.gguf.GgufMetadata;
import pelican.gguf.Quote;
import pelican.gguf.StringArray;

/**
 * The tokens of a model: their bytes, in one array, and their kinds. Tokens are found by a hash of
 * their bytes, since a vocabulary of 262,144 Java strings costs more than all the rest of a model's
 * start.
 */
final class Vocabulary {
  private static final String TOKENS = "tokenizer.ggml.tokens";
  private static final String TYPES = "tokenizer.ggml.token_type";
  private static final String UNKNOWN_ID = "tokenizer.ggml.unknown_token_id";

  /** Bits of an id: eight times Gemma's number of tokens. */
  static final int ID_BITS = 21;

  private static final int MAX_TOKENS = 1 << ID_BITS;

  private static final int START_BITS = 31;

  /** Longer tokens are marked with this length. */
  private static final int LONG = (1 << 64 - ID_BITS - START_BITS) - 1;

  private static final long EMPTY = -1;

  private static final VarHandle WORD =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /** Tokens that are matched in raw text: searching takes this much per byte of text, at worst. */
  private static final int MAX_SPECIAL_LENGTH = 1024;

  /** Of all such tokens together: sixteen times Gemma's, whose search tree this bounds. */
  private static final int MAX_SPECIAL_BYTES = 1 << 20;

  static final int NORMAL = 1;
  static final int UNKNOWN = 2;
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;
  static final int UNUSED = 5;
  static final int BYTE = 6;

  /**
   * Markup of Gemma 4's prompt format. Published files call some of it user-defined rather than
   * control tokens, so that other engines print it; text must not become it all the same.
   */
  private static final Set<String> MARKUP =
      Set.of(
          "<pad>",
          "<eos>",
          "<bos>",
          "<|turn>",
          "<turn|>",
          "<|channel>",
          "<channel|>",
          "<|think|>",
          "<|tool>",
          "<tool|>",
          "<|tool_call>",
          "<tool_call|>",
          "<|tool_response>",
          "<tool_response|>",
          "<|\"|>",
          "<|image>",
          "<image|>",
          "<|image|>",
          "<|audio>",
          "<audio|>",
          "<|audio|>",
          "<|video|>");

  private final byte[] pool;
  private final int[] starts;
  private final byte[] types;

  /** The token that stands for each byte, or -1. */
  private final int[] byteTokens = new int[256];

  private boolean allBytes = true;

  /** What stands for characters without a token where some byte has none; or -1. */
  private int unknown = -1;

  /**
   * Tokens by hash: from the top, the length (or {@link #LONG}), where the token begins in the
   * pool, and its id, so that a search reads this and the pool alone. Twice as many places as
   * tokens, or up to four times.
   */
  private final long[] table;

  private Vocabulary(byte[] pool, int[] starts, byte[] types) {
    this.pool = pool;
    this.starts = starts;
    this.types = types;
    table = new long[Math.max(16, Integer.highestOneBit(2 * types.length - 1) << 1)];
    Arrays.fill(table, EMPTY);
  }

  static Vocabulary from(GgufMetadata metadata) {
    StringArray tokens = metadata.strings(TOKENS);
    int size = tokens.size();
    if (size == 0 || size > MAX_TOKENS) {
      throw new GgufException(
          String.format(
              "%s: metadata %s has %d entries, expected 1 to %d",
              metadata.path(), TOKENS, size, MAX_TOKENS));
    }
    int[] starts = new int[size + 1];
    long total = 0;
    for (int id = 0; id < size; id++) {
      total += tokens.length(id);
      if (total > Integer.MAX_VALUE - 8) {
        throw new GgufException(
            String.format(
                "%s: metadata %s has more than 2 GiB of text, expected less",
                metadata.path(), TOKENS));
      }
      starts[id + 1] = (int) total;
    }
    byte[] pool = new byte[(int) total];
    for (int id = 0; id < size; id++) {
      tokens.copy(id, pool, starts[id]);
    }
    Vocabulary vocabulary = new Vocabulary(pool, starts, types(metadata, size));
    vocabulary.index(metadata);
    return vocabulary;
  }

  private static byte[] types(GgufMetadata metadata, int size) {
    int[] stated = metadata.integers(TYPES);
    if (stated.length != size) {
      throw new GgufException(
          String.format(
              "%s: metadata %s has %d entries, expected one for each of %d tokens",
              metadata.path(), TYPES, stated.length, size));
    }
    byte[] types = new byte[size];
    for (int id = 0; id < size; id++) {
      if (stated[id] < NORMAL || stated[id] > BYTE) {
        throw new GgufException(
            String.format(
                "%s: metadata %s[%d] is %d, expected %d to %d",
                metadata.path(), TYPES, id, stated[id], NORMAL, BYTE));
      }
      types[id] = (byte) stated[id];
    }
    return types;
  }

  private void index(GgufMetadata metadata) {
    for (int id = 0; id < size(); id++) {
      add(id, metadata);
    }
    for (String markup : MARKUP) {
      byte[] bytes = Utf8.bytes(markup);
      int id = find(bytes, 0, bytes.length);
      if (id >= 0 && types[id] != UNKNOWN) {
        types[id] = CONTROL;
      }
    }
    unknown = optionalId(metadata, UNKNOWN_ID);
    Arrays.fill(byteTokens, -1);
    long special = 0;
    for (int id = 0; id < size(); id++) {
      if (isControl(id) || types[id] == USER_DEFINED) {
        if (length(id) > MAX_SPECIAL_LENGTH) {
          throw wrong(metadata, id, "at most " + MAX_SPECIAL_LENGTH + " bytes for its type");
        }
        special += length(id);
      }
      if (types[id] == BYTE) {
        int value = byteValue(id);
        if (value < 0) {
          throw wrong(metadata, id, "<0x00> to <0xFF>, since its type is byte");
        }
        byteTokens[value] = id;
      }
    }
    if (special > MAX_SPECIAL_BYTES) {
      throw new GgufException(
          String.format(
              "%s: metadata %s has %d bytes of control and user-defined tokens, expected at most"
                  + " %d",
              metadata.path(), TOKENS, special, MAX_SPECIAL_BYTES));
    }
    for (int value = 0; value < 256; value++) {
      allBytes &= byteTokens[value] >= 0;
      if (!allBytes && unknown < 0) {
        throw new GgufException(
            String.format(
                "%s: metadata %s has no token of type byte for <0x%02X>, expected one, or %s",
                metadata.path(), TOKENS, value, UNKNOWN_ID));
      }
    }
  }

  private void add(int id, GgufMetadata metadata) {
    int at = place(pool, starts[id], starts[id + 1]);
    if (table[at] != EMPTY) {
      duplicate(id, (int) table[at] & MAX_TOKENS - 1, metadata);
    }
    long length = Math.min(length(id), LONG);
    table[at] = (length << START_BITS | starts[id]) << ID_BITS | id;
  }

  private void duplicate(int id, int other, GgufMetadata metadata) {
    if (length(id) > 0) {
      throw wrong(metadata, id, "a text of its own, but token " + other + " has the same");
    }
  }

  private GgufException wrong(GgufMetadata metadata, int id, String expected) {
    return new GgufException(
        String.format(
            "%s: metadata %s[%d] is %s, expected %s",
            metadata.path(), TOKENS, id, Quote.quote(text(id)), expected));
  }

  /**
   * The token that a metadata key names; -1 where there is no such key.
   *
   * @throws GgufException if it names none of this vocabulary's
   */
  int optionalId(GgufMetadata metadata, String key) {
    return metadata.has(key) ? id(metadata, key) : -1;
  }

  /** As {@link #optionalId}, of a key that must be there. */
  int id(GgufMetadata metadata, String key) {
    int id = metadata.integer(key);
    if (id < 0 || id >= size()) {
      throw new GgufException(
          String.format(
              "%s: metadata %s is %d, expected a token: 0 to %d",
              metadata.path(), key, id, size() - 1));
    }
    return id;
  }

  int size() {
    return types.length;
  }

  int type(int id) {
    return types[id];
  }

  /** The bytes of all tokens, one after the other; not to be changed. */
  byte[] pool() {
    return pool;
  }

  /** Where in {@link #pool} a token begins, and the one before it ends. */
  int start(int id) {
    return starts[id];
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

  /** The value of a byte token, from its text {@code <0xXX>}; -1 if the text is another one. */
  int byteValue(int id) {
    int at = starts[id];
    if (length(id) != 6
        || pool[at] != '<'
        || pool[at + 1] != '0'
        || pool[at + 2] != 'x'
        || pool[at + 5] != '>') {
      return -1;
    }
    int high = Character.digit(pool[at + 3], 16);
    int low = Character.digit(pool[at + 4], 16);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }

  /** Appends what stands for a character without a token: its bytes, or one unknown token. */
  void addFallback(byte[] text, int from, int to, IntList out) {
    if (allBytes) {
      for (int i = from; i < to; i++) {
        out.add(byteTokens[text[i] & 0xff]);
      }
    } else {
      out.add(unknown);
    }
  }

  /** The token with exactly these bytes, or -1. */
  int find(byte[] text, int from, int to) {
    long entry = table[place(text, from, to)];
    return entry == EMPTY ? -1 : (int) entry & MAX_TOKENS - 1;
  }

  /** Where a text is in the table, or the empty place where it would be. */
  private int place(byte[] text, int from, int to) {
    int mask = table.length - 1;
    int at = hash(text, from, to) & mask;
    while (table[at] != EMPTY && !isAt(table[at], text, from, to)) {
      at = at + 1 & mask;
    }
    return at;
  }

  private boolean isAt(long entry, byte[] text, int from, int to) {
    int length = (int) (entry >>> START_BITS + ID_BITS);
    int start = (int) (entry >>> ID_BITS) & Integer.MAX_VALUE;
    if (length == LONG) {
      length = length((int) entry & MAX_TOKENS - 1);
    }
    return length == to - from && Arrays.equals(pool, start, start + length, text, from, to);
  }

  /** Whether a token is markup, which text becomes only where that is allowed. */
  boolean isControl(int id) {
    return types[id] == CONTROL || types[id] == UNKNOWN;
  }

  /** Whether text may become this token: control tokens and those for bytes are none of it. */
  boolean isText(int id) {
    int type = types[id];
    return type == NORMAL || type == USER_DEFINED || type == UNUSED;
  }

  /** The token that ordinary text may become: as {@link #find}, but only {@link #isText}. */
  int findText(byte[] text, int from, int to) {
    int id = find(text, from, to);
    return id >= 0 && isText(id) ? id : -1;
  }

  private static int hash(byte[] text, int from, int to) {
    long hash = to - from;
    int at = from;
    for (; at + Long.BYTES <= to; at += Long.BYTES) {
      hash = mixed(hash ^ (long) WORD.get(text, at));
    }
    long rest = 0;
    for (; at < to; at++) {
      rest = rest << 8 | text[at] & 0xff;
    }
    return (int) mixed(hash ^ rest);
  }

  private static long mixed(long hash) {
    long product = hash * 0x9e3779b97f4a7c15L;
    return product ^ product >>> 32;
  }
}
