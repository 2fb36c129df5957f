package pelican.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The right-hand side of matrix products: one vector for each token of a batch, one after the
 * other.
 *
 * <p>Kernels want the values in other orders, or as integers; such a copy is made once by {@link
 * Kernels#prepare} and serves all matrices that multiply the same vectors.
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
  private final QuantizedTokens quantizedTokens = new QuantizedTokens();
  private boolean quantized;

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
    quantized = false;
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

  /** Quantizes all tokens, if that is not done yet. */
  void quantize(Workers workers) {
    if (!quantized) {
      quantizedTokens.set(values, tokens, columns, workers);
      quantized = true;
    }
  }

  /** What {@link #quantize} made. */
  QuantizedTokens quantizedTokens() {
    return quantizedTokens;
  }
}
