package pelican.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** UTF-8 as the tokenizer needs it. */
final class Utf8 {
  private static final byte[] REPLACEMENT = {(byte) 0xef, (byte) 0xbf, (byte) 0xbd};

  private Utf8() {}

  /** The bytes of a text; half a surrogate pair becomes U+FFFD. */
  static byte[] bytes(String text) {
    try {
      ByteBuffer buffer =
          StandardCharsets.UTF_8
              .newEncoder()
              .onMalformedInput(CodingErrorAction.REPLACE)
              .replaceWith(REPLACEMENT)
              .encode(CharBuffer.wrap(text));
      byte[] bytes = new byte[buffer.remaining()];
      buffer.get(bytes);
      return bytes;
    } catch (CharacterCodingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * How many bytes the character at {@code at} has, by its first one; 1 for a byte that begins
   * none, and never beyond {@code to}.
   */
  static int length(byte[] text, int at, int to) {
    int first = text[at];
    if (first >= 0) {
      return 1;
    }
    int value = first & 0xff;
    int length = value < 0xc0 ? 1 : value < 0xe0 ? 2 : value < 0xf0 ? 3 : value < 0xf8 ? 4 : 1;
    return Math.min(length, to - at);
  }

  /** The bytes of a character of at most four as one number. */
  static int packed(byte[] text, int at, int length) {
    int packed = text[at];
    for (int i = 1; i < length; i++) {
      packed = packed << 8 | text[at + i] & 0xff;
    }
    return packed;
  }
}
