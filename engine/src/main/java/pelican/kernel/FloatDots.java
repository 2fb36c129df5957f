package pelican.kernel;

import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import pelican.gguf.GgmlType;

/**
 * Products of rows with one token for formats whose weights become floats in a few instructions:
 * they do so in registers, since a copy in memory, which pays for many tokens, takes longer than
 * the products of one.
 *
 * <p>Four rows are read at once, far apart for the reason that {@link RowDots} gives. Sums of F32,
 * F16 and BF16 are those of {@link VectorTiles}: a vector of them for {@link
 * VectorTiles#BLOCK_COLUMNS} columns, in which each FMA waits for the one before, so that four rows
 * are also what keeps the units busy. Q8_0 multiplies the sum of a block with its scale.
 */
final class FloatDots {
  /** Rows that are read at once, a set. */
  private static final int ROWS = 4;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Float> S = Processor.FLOATS;
  private static final VectorSpecies<Integer> I = Processor.INTS;
  private static final int L = S.length();
  private static final int BYTES = S.vectorByteSize();
  private static final VectorSpecies<Short> SHORTS_OF_L =
      VectorSpecies.of(short.class, VectorShape.forBitSize(Math.max(64, 16 * L)));

  /** Four bytes are no vector: with vectors of 128 bits there are no kernels of bytes. */
  private static final VectorSpecies<Byte> BYTES_OF_L =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, 8 * L)));

  /** Sums that are made at a time: many, so that rows are read in long runs. */
  private static final int SUMS = 1024;

  /** Room for them. */
  static final int SUMS_BYTES = SUMS * BYTES;

  /** Blocks of 32 weights that are read of a row before the next row's. */
  private static final int BLOCKS = 4;

  private FloatDots() {}

  /** Whether rows of a type and so many columns can be multiplied here. */
  static boolean has(GgmlType type, int columns) {
    return switch (type) {
          case F32, F16, BF16 -> true;
          case Q8_0 -> BYTES_OF_L.length() == L && columns % (32 * BLOCKS) == 0;
          default -> false;
        }
        && ROWS * parts(columns) <= SUMS;
  }

  private static int parts(int columns) {
    return (columns + VectorTiles.BLOCK_COLUMNS - 1) / VectorTiles.BLOCK_COLUMNS;
  }

  /**
   * {@code out[offset + r] = Σ w[r][c]·x[c]} for rows [rowFrom, rowTo).
   *
   * @param w a matrix that there {@link #has are products} of
   * @param x a token, packed as it is
   */
  static void multiply(Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset) {
    long address = Memory.address(w, rowFrom, rowTo);
    long panel = x.panels(false);
    long sums = Scratch.ofThread().block();
    int parts = parts(w.columns());
    int most = SUMS / parts & -ROWS;
    int rows;
    for (int row = rowFrom; row < rowTo; row += rows) {
      int left = rowTo - row;
      // the last few are sets by themselves, each of the same row
      rows = left < ROWS ? 1 : Math.min(most, left & -ROWS);
      int sets = (rows + ROWS - 1) / ROWS;
      long at = address + (row - rowFrom) * w.rowBytes();
      long distance = rows == 1 ? 0 : sets * w.rowBytes();
      for (int set = 0; set < sets; set++) {
        long to = sums + (long) ROWS * BYTES * parts * set;
        set(w.format().type(), at + w.rowBytes() * set, distance, panel, w.columns(), to);
      }
      store(sums, rows, sets, parts, out, offset + row);
    }
    Reference.reachabilityFence(x);
  }

  /** The products of a set's rows, in parts of {@link VectorTiles#BLOCK_COLUMNS} columns. */
  private static void set(
      GgmlType type, long address, long distance, long panel, int columns, long sums) {
    long to = sums;
    for (int c = 0; c < columns; c += VectorTiles.BLOCK_COLUMNS) {
      int count = Math.min(VectorTiles.BLOCK_COLUMNS, columns - c);
      long at = address + (long) (c / type.blockSize()) * type.blockBytes();
      long x = panel + (long) Float.BYTES * c;
      switch (type) {
        case F32 -> f32(at, distance, x, count, to);
        case F16 -> f16(at, distance, x, count, to);
        case BF16 -> bf16(at, distance, x, count, to);
        case Q8_0 -> q8(at, distance, x, count, to);
        default -> throw new IllegalArgumentException(type.toString());
      }
      to += ROWS * BYTES;
    }
  }

  /** Adds the lanes of the sums of parts, and the parts of a row. */
  private static void store(long sums, int rows, int sets, int parts, float[] out, int o) {
    for (int m = 0; m < Math.min(rows, ROWS); m++) {
      for (int set = 0; set < sets; set++) {
        long at = sums + (long) BYTES * (ROWS * parts * set + m);
        float sum = 0;
        for (int p = 0; p < parts; p++) {
          sum += VectorFloats.sumOfLanes(at + (long) ROWS * BYTES * p);
        }
        out[o + sets * m + set] = sum;
      }
    }
  }

  /**
   * Single precision.
   *
   * @param w the address of the first row's part
   * @param distance how many bytes after each row the next one of its set is
   * @param x the address of the token's values
   * @param count how many columns, a multiple of 32
   * @param sums the address of room for a vector for each row
   */
  private static void f32(long w, long distance, long x, int count, long sums) {
    Memory.mayFault(w);
    FloatVector a0 = FloatVector.zero(S);
    FloatVector a1 = FloatVector.zero(S);
    FloatVector a2 = FloatVector.zero(S);
    FloatVector a3 = FloatVector.zero(S);
    for (int i = 0; i < count; i += L) {
      long w0 = w + 4L * i & Memory.ANY;
      long w1 = w0 + distance & Memory.ANY;
      long w2 = w1 + distance & Memory.ANY;
      long w3 = w2 + distance & Memory.ANY;
      FloatVector v = floats(x + 4L * i & Memory.ANY);
      a0 = floats(w0).fma(v, a0);
      a1 = floats(w1).fma(v, a1);
      a2 = floats(w2).fma(v, a2);
      a3 = floats(w3).fma(v, a3);
      VarHandle.loadLoadFence();
    }
    long to = sums & Memory.ANY;
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.intoMemorySegment(Memory.ALL, to + BYTES, LITTLE);
    a2.intoMemorySegment(Memory.ALL, to + 2 * BYTES, LITTLE);
    a3.intoMemorySegment(Memory.ALL, to + 3 * BYTES, LITTLE);
  }

  private static FloatVector floats(long at) {
    return FloatVector.fromMemorySegment(S, Memory.ALL, at, LITTLE);
  }

  /** Half precision: see {@link #f32}. */
  private static void f16(long w, long distance, long x, int count, long sums) {
    Memory.mayFault(w);
    FloatVector a0 = FloatVector.zero(S);
    FloatVector a1 = FloatVector.zero(S);
    FloatVector a2 = FloatVector.zero(S);
    FloatVector a3 = FloatVector.zero(S);
    for (int i = 0; i < count; i += L) {
      long w0 = w + 2L * i & Memory.ANY;
      long w1 = w0 + distance & Memory.ANY;
      long w2 = w1 + distance & Memory.ANY;
      long w3 = w2 + distance & Memory.ANY;
      FloatVector v = floats(x + 4L * i & Memory.ANY);
      a0 = halves(w0).fma(v, a0);
      a1 = halves(w1).fma(v, a1);
      a2 = halves(w2).fma(v, a2);
      a3 = halves(w3).fma(v, a3);
      VarHandle.loadLoadFence();
    }
    long to = sums & Memory.ANY;
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.intoMemorySegment(Memory.ALL, to + BYTES, LITTLE);
    a2.intoMemorySegment(Memory.ALL, to + 2 * BYTES, LITTLE);
    a3.intoMemorySegment(Memory.ALL, to + 3 * BYTES, LITTLE);
  }

  /** Halves as floats, widened as {@link Memory#WIDEN_A} tells. */
  private static FloatVector halves(long at) {
    return ((IntVector)
            ShortVector.fromMemorySegment(SHORTS_OF_L, Memory.ALL, at, LITTLE)
                .convertShape(VectorOperators.S2I, I, 0))
        .lanewise(VectorOperators.LSHL, 13)
        .and(0x8fffe000)
        .reinterpretAsFloats()
        .mul(Memory.WIDEN_A)
        .mul(Memory.WIDEN_B)
        .mul(Memory.WIDEN_C);
  }

  /** The upper halves of floats: see {@link #f32}. */
  private static void bf16(long w, long distance, long x, int count, long sums) {
    Memory.mayFault(w);
    FloatVector a0 = FloatVector.zero(S);
    FloatVector a1 = FloatVector.zero(S);
    FloatVector a2 = FloatVector.zero(S);
    FloatVector a3 = FloatVector.zero(S);
    for (int i = 0; i < count; i += L) {
      long w0 = w + 2L * i & Memory.ANY;
      long w1 = w0 + distance & Memory.ANY;
      long w2 = w1 + distance & Memory.ANY;
      long w3 = w2 + distance & Memory.ANY;
      FloatVector v = floats(x + 4L * i & Memory.ANY);
      a0 = upperHalves(w0).fma(v, a0);
      a1 = upperHalves(w1).fma(v, a1);
      a2 = upperHalves(w2).fma(v, a2);
      a3 = upperHalves(w3).fma(v, a3);
      VarHandle.loadLoadFence();
    }
    long to = sums & Memory.ANY;
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.intoMemorySegment(Memory.ALL, to + BYTES, LITTLE);
    a2.intoMemorySegment(Memory.ALL, to + 2 * BYTES, LITTLE);
    a3.intoMemorySegment(Memory.ALL, to + 3 * BYTES, LITTLE);
  }

  private static FloatVector upperHalves(long at) {
    return ((IntVector)
            ShortVector.fromMemorySegment(SHORTS_OF_L, Memory.ALL, at, LITTLE)
                .convertShape(VectorOperators.S2I, I, 0))
        .lanewise(VectorOperators.LSHL, 16)
        .reinterpretAsFloats();
  }

  /**
   * Bytes with a scale for 32: see {@link #f32}. Sums are kept in memory while other rows have
   * their turn: the source of four rows side by side has more nodes than the compiler inlines
   * ({@code NodeCountInliningCutoff}), and it writes these loops out by itself.
   */
  private static void q8(long w, long distance, long x, int count, long sums) {
    clear(sums);
    for (int c = 0; c < count / 32; c += BLOCKS) {
      long at = w + 34L * c & Memory.ANY;
      long v = x + 128L * c & Memory.ANY;
      for (int row = 0; row < ROWS; row++) {
        int m = row & 3; // see Q4KDot
        long from = at + distance * m & Memory.ANY;
        long to = sums + (long) BYTES * m & Memory.ANY;
        FloatVector a = floats(to);
        for (int block = 0; block < BLOCKS; block++) {
          int b = block & 3;
          long q = from + 34L * b;
          long p = v + 128L * b;
          FloatVector t = bytes(q + 2).mul(floats(p));
          t = bytes(q + 2 + L).fma(floats(p + BYTES), t);
          if (L < 16) {
            t = bytes(q + 2 + 2 * L).fma(floats(p + 2 * BYTES), t);
            t = bytes(q + 2 + 3 * L).fma(floats(p + 3 * BYTES), t);
          }
          a = FloatVector.broadcast(S, Memory.half(q)).fma(t, a);
        }
        a.intoMemorySegment(Memory.ALL, to, LITTLE);
        VarHandle.loadLoadFence();
      }
    }
  }

  private static void clear(long sums) {
    for (int m = 0; m < ROWS; m++) {
      FloatVector.zero(S)
          .intoMemorySegment(Memory.ALL, sums + (long) BYTES * m & Memory.ANY, LITTLE);
    }
  }

  private static FloatVector bytes(long at) {
    return (FloatVector)
        ByteVector.fromMemorySegment(BYTES_OF_L, Memory.ALL, at, LITTLE)
            .convertShape(VectorOperators.B2F, S, 0);
  }
}
