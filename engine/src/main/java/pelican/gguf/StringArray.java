package pelican.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.Objects;
import java.util.RandomAccess;

/**
 * An array of strings inside a GGUF file. Only the places of the strings are held; each is read
 * from the copy of the header when asked for, as bytes or as a string.
 */
public final class StringArray extends AbstractList<String> implements RandomAccess {
  /** Bytes of the length that stands before each string. */
  static final int PREFIX = Long.BYTES;

  private final MemorySegment header;
  private final long[] offsets;

  /**
   * @param offsets of each string's length prefix, and the end of the last string
   */
  StringArray(MemorySegment header, long[] offsets) {
    this.header = header;
    this.offsets = offsets;
  }

  @Override
  public int size() {
    return offsets.length - 1;
  }

  /** The string at an index; bytes that are no UTF-8 become U+FFFD. */
  @Override
  public String get(int index) {
    return new String(bytes(index), StandardCharsets.UTF_8);
  }

  /** The length of a string in bytes. */
  public int length(int index) {
    Objects.checkIndex(index, size());
    return (int) (offsets[index + 1] - offsets[index] - PREFIX);
  }

  /** A copy of the bytes of a string. */
  public byte[] bytes(int index) {
    byte[] bytes = new byte[length(index)];
    copy(index, bytes, 0);
    return bytes;
  }

  /**
   * Copies the bytes of a string into an array.
   *
   * @return the number of bytes copied: {@link #length}
   * @throws IndexOutOfBoundsException if they do not fit behind {@code at}
   */
  public int copy(int index, byte[] target, int at) {
    int length = length(index);
    MemorySegment.copy(header, ValueLayout.JAVA_BYTE, offsets[index] + PREFIX, target, at, length);
    return length;
  }
}
