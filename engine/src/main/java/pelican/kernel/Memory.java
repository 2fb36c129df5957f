package pelican.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Reading weights without a bounds check for each load: the checks' branches and registers cost a
 * kernel a third of its speed. A kernel first has {@link #address} check its whole range.
 */
final class Memory {
  static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** All of memory, by address. */
  static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /**
   * Any address: AND with it tells the compiler that a sum is not negative, so that it drops the
   * checks against the size of {@link #ALL}.
   */
  static final long ANY = Long.MAX_VALUE >> 1;

  /**
   * A half's bits, shifted to where a float has them, times these three in turn are its value; the
   * first two together are 2^224, 2^112 more than it takes, so that what has the greatest exponent
   * (infinity and NaN) becomes infinite and a damaged file does not pass for a sound one.
   */
  static final float WIDEN_A = 0x1p127f;

  static final float WIDEN_B = 0x1p97f;

  static final float WIDEN_C = 0x1p-112f;

  private Memory() {}

  /**
   * Reads a byte and forgets it, for methods whose other reads are all of vectors. A read beyond
   * the end of a file that was shortened is a signal, which the JVM turns into an {@link
   * InternalError} only in compiled code that holds an access to memory that is not a vector's;
   * elsewhere it ends the process. The compiler drops the read itself, so that it costs nothing.
   */
  static void mayFault(long address) {
    ALL.get(BYTE, address);
  }

  /** The unsigned byte at an address that is known not to be negative, see {@link #ANY}. */
  static int unsignedByte(long address) {
    return ALL.get(BYTE, address) & 0xff;
  }

  /**
   * The half at such an address. By its bytes: whether a read of two is inlined the compiler makes
   * depend on how often it has seen one, and kernels are compiled before it has seen enough.
   */
  static float half(long address) {
    int low = ALL.get(BYTE, address) & 0xff;
    return Float.float16ToFloat((short) (low | ALL.get(BYTE, address + 1) << 8));
  }

  /**
   * The address of the first of some rows.
   *
   * @throws IndexOutOfBoundsException if the matrix does not have all of the rows
   */
  static long address(Matrix w, int rowFrom, int rowTo) {
    long from = w.rowOffset(rowFrom);
    long size = Math.multiplyExact(rowTo - (long) rowFrom, w.rowBytes());
    return w.data().address() + Objects.checkFromIndexSize(from, size, w.data().byteSize());
  }
}
