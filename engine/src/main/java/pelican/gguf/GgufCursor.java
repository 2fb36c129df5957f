package pelican.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Reads a mapped GGUF file from front to back; nothing is read that is not inside the file. */
final class GgufCursor {
  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** No string of a model comes near this: templates have kilobytes. */
  static final int MAX_STRING = 1 << 24;

  /** The sign of 32 bits. */
  private static final long SIGN = 1L << 31;

  private final MemorySegment file;
  private final String name;
  private final long size;
  private long position;

  GgufCursor(MemorySegment file, String name) {
    this.file = file;
    this.name = name;
    this.size = file.byteSize();
  }

  GgufException error(String problem) {
    return new GgufException(name + ": " + problem);
  }

  long position() {
    return position;
  }

  long remaining() {
    return size - position;
  }

  /** Takes bytes of the file and returns where they begin. */
  long take(long bytes, String what) {
    if (bytes < 0 || bytes > size - position) {
      throw error(
          String.format(
              "truncated: %s at byte %d needs %s bytes, but %d are left",
              what, position, Long.toUnsignedString(bytes), size - position));
    }
    long start = position;
    position += bytes;
    return start;
  }

  int u32(String what) {
    return file.get(INT, take(Integer.BYTES, what));
  }

  long u64(String what) {
    return file.get(LONG, take(Long.BYTES, what));
  }

  /** The raw bits of a scalar, sign- or zero-extended as its type demands. */
  long bits(ValueType type, String what) {
    return bits(file, type, take(type.bytes(), what));
  }

  /**
   * The same of a scalar anywhere in a file.
   *
   * <p>Where a file that was shortened has no memory any more, a read is a signal, and the JVM
   * looks for the instruction after it. It does not know the one that loads 32 bits and extends
   * their sign to 64 ({@code movsxd}), and ends the process; so the sign is extended by hand.
   */
  static long bits(MemorySegment file, ValueType type, long at) {
    return switch (type) {
      case UINT8, BOOL -> Byte.toUnsignedLong(file.get(ValueLayout.JAVA_BYTE, at));
      case INT8 -> file.get(ValueLayout.JAVA_BYTE, at);
      case UINT16 -> Short.toUnsignedLong(file.get(SHORT, at));
      case INT16 -> file.get(SHORT, at);
      case UINT32 -> Integer.toUnsignedLong(file.get(INT, at));
      case INT32, FLOAT32 -> (Integer.toUnsignedLong(file.get(INT, at)) ^ SIGN) - SIGN;
      case UINT64, INT64, FLOAT64 -> file.get(LONG, at);
      case STRING, ARRAY -> throw new IllegalArgumentException(type + " is no scalar");
    };
  }

  /** A length prefix that the rest of the file can hold. */
  int stringLength(String what) {
    long length = u64("the length of " + what);
    if (length < 0 || length > remaining()) {
      throw error(
          String.format(
              "the length of %s is %s, but only %d bytes are left in the file",
              what, Long.toUnsignedString(length), remaining()));
    }
    if (length > MAX_STRING) {
      throw error(
          String.format(
              "the length of %s is %d, expected at most %d bytes", what, length, MAX_STRING));
    }
    return (int) length;
  }

  /** A name: a string that must be well-formed UTF-8 of at least one and at most some bytes. */
  String identifier(String what, int maxBytes) {
    int length = stringLength(what);
    if (length == 0 || length > maxBytes) {
      throw error(String.format("%s has %d bytes, expected 1 to %d", what, length, maxBytes));
    }
    byte[] bytes = new byte[length];
    MemorySegment.copy(file, ValueLayout.JAVA_BYTE, take(length, what), bytes, 0, length);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw error(what + " is not valid UTF-8");
    }
  }

  /**
   * Steps over strings.
   *
   * @return where each begins, and where the last one ends
   */
  long[] strings(int count, String what) {
    if (count > remaining() / StringArray.PREFIX) {
      throw error(
          String.format("%s has %d strings, but %d bytes are left", what, count, remaining()));
    }
    long[] offsets = new long[count + 1];
    for (int i = 0; i < count; i++) {
      offsets[i] = position;
      if (remaining() < StringArray.PREFIX) {
        take(StringArray.PREFIX, "the length of string " + i + " of " + what);
      }
      long length = file.get(LONG, position);
      position += StringArray.PREFIX;
      if (length < 0 || length > MAX_STRING || length > remaining()) {
        position = offsets[i];
        length = stringLength("string " + i + " of " + what);
      }
      position += length;
    }
    offsets[count] = position;
    return offsets;
  }
}
