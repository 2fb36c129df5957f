package pelican.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import pelican.gguf.GgmlType;

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
  private boolean asBatch;
  private final Copy panels = new Copy();
  private final Copy roundedPanels = new Copy();
  private final Copy bytePanels = new Copy();
  private final Copy roundedBytePanels = new Copy();
  private float[] rounded = new float[0];
  private boolean valuesAreRounded;

  // made when it is wanted: it needs the module of vectors
  private QuantizedTokens quantizedTokens;
  private boolean quantized;
  private WideTokens[] wideTokens;
  private final boolean[] quantizedWide = new boolean[2];

  /** A copy of the values, outside the heap, where it can begin at a multiple of a cache line. */
  private static final class Copy {
    private MemorySegment memory = MemorySegment.NULL;
    private boolean made;

    /** The address of room for a copy that is still to be made, or 0 if it is there. */
    long toMake(long size) {
      if (made) {
        return 0;
      }
      if (memory.byteSize() < size) {
        memory = Arena.ofAuto().allocate(size, 64);
      }
      made = true;
      return memory.address();
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
    asBatch = false;
    changed();
    return this;
  }

  /**
   * Has few tokens multiplied by the kernels that multiply many. What they give is the same; these
   * are compiled already where a prompt went through them before.
   */
  public Activations asBatch() {
    asBatch = true;
    return this;
  }

  /** Whether {@link #asBatch} was called after the last {@link #reset}. */
  boolean isAsBatch() {
    return asBatch;
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
    panels.made = false;
    roundedPanels.made = false;
    bytePanels.made = false;
    roundedBytePanels.made = false;
    valuesAreRounded = false;
    quantized = false;
    Arrays.fill(quantizedWide, false);
  }

  /**
   * Makes the copy of all tokens that {@link VectorTiles} read, if it is not there yet.
   *
   * @param round whether of the values as {@link QuantizedTokens} would round them
   */
  void pack(boolean round, Workers workers) {
    int padded = VectorTiles.padded(tokens);
    long size = Math.multiplyExact((long) Float.BYTES * columns, padded);
    long to = (round ? roundedPanels : panels).toMake(size);
    if (to == 0) {
      return;
    }
    float[] source = source(round, workers);
    workers.run(
        padded,
        PACKED_TOKENS,
        (from, end) -> VectorTiles.pack(source, tokens, columns, from, end, to));
  }

  /** The address of what {@link #pack} wrote. */
  long panels(boolean round) {
    return (round ? roundedPanels : panels).memory.address();
  }

  /**
   * Makes the copy of all tokens that {@link ByteTiles} read, if it is not there yet.
   *
   * @param round as for {@link #pack}
   */
  void packForBytes(boolean round, Workers workers) {
    long size = Math.multiplyExact((long) Float.BYTES * columns, (long) ByteTiles.padded(tokens));
    long to = (round ? roundedBytePanels : bytePanels).toMake(size);
    if (to == 0) {
      return;
    }
    float[] source = source(round, workers);
    workers.run(
        columns / ByteRows.GROUP,
        Math.max(1, PACKED_VALUES / (ByteRows.GROUP * tokens)),
        (from, end) -> ByteTiles.pack(source, tokens, columns, from, end, to));
  }

  /** The address of what {@link #packForBytes} wrote. */
  long bytePanels(boolean round) {
    return (round ? roundedBytePanels : bytePanels).memory.address();
  }

  private float[] source(boolean round, Workers workers) {
    if (!round) {
      return values;
    }
    if (!valuesAreRounded) {
      int size = tokens * columns;
      if (rounded.length < size) {
        rounded = new float[size];
      }
      workers.run(
          tokens,
          (from, end) -> {
            for (int t = from; t < end; t++) {
              QuantizedTokens.round(values, t * columns, columns, rounded);
            }
          });
      valuesAreRounded = true;
    }
    return rounded;
  }

  /**
   * Quantizes all tokens, if that is not done yet.
   *
   * @param single whether each is a tile of its own
   */
  void quantize(boolean single, Workers workers) {
    if (!quantized) {
      if (quantizedTokens == null) {
        quantizedTokens = new QuantizedTokens();
      }
      quantizedTokens.set(values, tokens, columns, single, workers);
      quantized = true;
    }
  }

  /** What {@link #quantize} made. */
  QuantizedTokens quantizedTokens() {
    return quantizedTokens;
  }

  /** Quantizes all tokens as {@link WideTokens} for weights of a type, if that is not done yet. */
  void quantizeWide(GgmlType type, Workers workers) {
    if (wideTokens == null) {
      wideTokens = new WideTokens[] {new WideTokens(), new WideTokens()};
    }
    WideTokens.Order order = WideTokens.Order.of(type);
    if (!quantizedWide[order.ordinal()]) {
      wideTokens[order.ordinal()].set(values, tokens, columns, order, workers);
      quantizedWide[order.ordinal()] = true;
    }
  }

  /** What {@link #quantizeWide} made for weights of a type. */
  WideTokens wideTokens(GgmlType type) {
    return wideTokens[WideTokens.Order.of(type).ordinal()];
  }
}
