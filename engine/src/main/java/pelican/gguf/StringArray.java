package pelican.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.Objects;
import java.util.RandomAccess;

/**
 * An array of strings inside a GGUF file. Only the places of the strings are held; each is read
 * from the mapped file when asked for, so a vocabulary of any size costs eight bytes an entry.
 */
public final class StringArray extends AbstractList<String> implements RandomAccess {
  /** Bytes of the length that stands before each string. */
  static final int PREFIX = Long.BYTES;

  private final MemorySegment file;
  private final String where;
  private final long[] offsets;

  /**
   * @param where names file and key in messages
   * @param offsets of each string's length prefix, and the end of the last string
   */
  StringArray(MemorySegment file, String where, long[] offsets) {
    this.file = file;
    this.where = where;
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

  /** The mapped file that {@link #offset} refers to. */
  public MemorySegment file() {
    return file;
  }

  /** Where the bytes of a string begin in {@link #file()}. */
  public long offset(int index) {
    Objects.checkIndex(index, size());
    return offsets[index] + PREFIX;
  }

  /** The bytes of a string, in the mapped file. */
  public MemorySegment segment(int index) {
    return file.asSlice(offset(index), length(index));
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
    try {
      MemorySegment.copy(file, ValueLayout.JAVA_BYTE, offsets[index] + PREFIX, target, at, length);
    } catch (InternalError e) {
      throw GgufCursor.shrunk(where, e);
    }
    return length;
  }
}
