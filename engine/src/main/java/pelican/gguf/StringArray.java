package pelican.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * An array of strings in a mapped file. Holds only where each string begins, so that a vocabulary of
 * half a million entries costs no objects until one is asked for.
 */
public final class StringArray {
  private final MemorySegment file;
  private final long[] starts;

  /**
   * @param starts where the length field of each string is in the file
   */
  StringArray(MemorySegment file, long[] starts) {
    this.file = file;
    this.starts = starts;
  }

  /** The number of strings. */
  public int size() {
    return starts.length;
  }

  /** The number of UTF-8 bytes of a string. */
  public int length(int index) {
    return (int) file.get(ValueLayout.JAVA_LONG_UNALIGNED, starts[index]);
  }

  /** The UTF-8 bytes of a string, in the mapped file. */
  public MemorySegment segment(int index) {
    return file.asSlice(starts[index] + Long.BYTES, length(index));
  }

  /** Where the UTF-8 bytes of a string begin in {@link #file()}. */
  public long offset(int index) {
    return starts[index] + Long.BYTES;
  }

  /** The mapped file that {@link #offset} refers to. */
  public MemorySegment file() {
    return file;
  }

  /** A copy of the UTF-8 bytes of a string. */
  public byte[] bytes(int index) {
    return segment(index).toArray(ValueLayout.JAVA_BYTE);
  }

  /** A string; malformed UTF-8 becomes replacement characters. */
  public String get(int index) {
    return new String(bytes(index), StandardCharsets.UTF_8);
  }
}
