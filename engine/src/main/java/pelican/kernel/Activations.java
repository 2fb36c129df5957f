package pelican.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.Map;

/**
 * The right-hand side of matrix products: one vector for each token of a batch, one after the
 * other.
 *
 * <p>Kernels that take weights apart in the order of the file's bits want the values in that order
 * too; such a copy is made once by {@link Kernels#prepare} and serves all matrices that multiply
 * the same vector.
 */
public final class Activations {
  /**
   * Up to so many tokens, products of some formats read a copy of another order ({@link
   * ByteTiles}): more go faster over weights that were decoded to floats.
   */
  public static final int SMALL_BATCH = 64;

  /** Tokens that a thread copies at a time. */
  private static final int PACKED_TOKENS = 16;

  /** Values that a thread copies at a time: fewer take less time than sharing them. */
  private static final int PACKED_VALUES = 4096;

  private float[] values = new float[0];
  private int tokens;
  private int columns;
  private MemorySegment panels = MemorySegment.NULL;
  private boolean packed;
  private MemorySegment bytePanels = MemorySegment.NULL;
  private boolean packedForBytes;
  private final Map<ActivationOrder, Arranged> arranged = new EnumMap<>(ActivationOrder.class);

  /**
   * Every token's values in another order, with sums over groups of them. They are kept outside the
   * heap, since there they can begin at a multiple of a cache line.
   */
  static final class Arranged {
    private float[] ordered = new float[0];
    private MemorySegment memory = MemorySegment.NULL;
    private int columns;
    private boolean valid;

    /** The address of a token's values. */
    long values(int token) {
      return memory.address() + size(columns) * token;
    }

    /** The address of its sums, one for every 16 columns. */
    long sums(int token) {
      return values(token) + (long) Float.BYTES * columns;
    }

    private static long size(int columns) {
      return Float.BYTES * (columns + columns / 16L);
    }
  }

  /** Sets the shape; what the values were is lost. */
  public Activations reset(int tokens, int columns) {
    int size = Math.multiplyExact(tokens, columns);
    if (values.length < size) {
      values = new float[size];
    }
    this.tokens = tokens;
    this.columns = columns;
    changed();
    return this;
  }

  /** The values, [tokens][columns]. Call {@link #changed} after writing to them. */
  public float[] values() {
    return values;
  }

  public int tokens() {
    return tokens;
  }

  public int columns() {
    return columns;
  }

  /** Tells that the values were written, so that copies in another order are made anew. */
  public void changed() {
    packed = false;
    packedForBytes = false;
    for (Arranged copy : arranged.values()) {
      copy.valid = false;
    }
  }

  /** Makes the copy of all tokens that {@link VectorTiles} read, if it is not there yet. */
  void pack(Workers workers) {
    if (packed) {
      return;
    }
    long size = Math.multiplyExact((long) Float.BYTES * columns, tokens);
    if (panels.byteSize() < size) {
      panels = Arena.ofAuto().allocate(size, 64);
    }
    long to = panels.address();
    workers.run(
        tokens,
        PACKED_TOKENS,
        (from, end) ->
            VectorTiles.pack(
                values,
                tokens,
                columns,
                VectorTiles.tileStart(tokens, from),
                VectorTiles.tileStart(tokens, end),
                to));
    packed = true;
  }

  /** The address of what {@link #pack} wrote. */
  long panels() {
    return panels.address();
  }

  /** Makes the copy of all tokens that {@link ByteTiles} read, if it is not there yet. */
  void packForBytes(Workers workers) {
    if (packedForBytes) {
      return;
    }
    long size = Math.multiplyExact((long) Float.BYTES * columns, (long) ByteTiles.padded(tokens));
    if (bytePanels.byteSize() < size) {
      bytePanels = Arena.ofAuto().allocate(size, 64);
    }
    long to = bytePanels.address();
    workers.run(
        columns / ByteRows.GROUP,
        Math.max(1, PACKED_VALUES / (ByteRows.GROUP * tokens)),
        (from, end) -> ByteTiles.pack(values, tokens, columns, from, end, to));
    packedForBytes = true;
  }

  /** The address of what {@link #packForBytes} wrote. */
  long bytePanels() {
    return bytePanels.address();
  }

  /** Makes the copy of all tokens' values in the given order, if it is not there yet. */
  void arrange(ActivationOrder order) {
    Arranged copy = arranged.computeIfAbsent(order, o -> new Arranged());
    if (copy.valid) {
      return;
    }
    int size = columns + columns / 16;
    if (copy.ordered.length < size) {
      copy.ordered = new float[size];
    }
    long bytes = Math.multiplyExact(Arranged.size(columns), (long) tokens);
    if (copy.memory.byteSize() < bytes) {
      copy.memory = Arena.ofAuto().allocate(bytes, 64);
    }
    copy.columns = columns;
    for (int t = 0; t < tokens; t++) {
      order.arrange(values, t * columns, columns, copy.ordered);
      long at = Arranged.size(columns) * t;
      MemorySegment.copy(copy.ordered, 0, copy.memory, ValueLayout.JAVA_FLOAT, at, size);
    }
    copy.valid = true;
  }

  /** The copy that {@link #arrange} made. */
  Arranged arranged(ActivationOrder order) {
    return arranged.get(order);
  }
}
