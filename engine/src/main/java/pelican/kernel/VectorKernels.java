package pelican.kernel;

import java.lang.ref.Reference;
import java.util.Arrays;

/** The kernels on the Vector API, at the width that suits the machine. */
public final class VectorKernels implements Kernels {
  /** Halves that are widened at a time: as floats, half of a core's first cache. */
  private static final int WIDENED = 4096;

  private final ThreadLocal<float[]> tile = ThreadLocal.withInitial(() -> new float[0]);

  private final int bits;
  private final boolean floatActivations;
  private final ThreadLocal<VectorRowDecoder> decoders =
      ThreadLocal.withInitial(() -> new VectorRowDecoder(bits() >= 256));

  /**
   * Kernels of the size that suits the machine.
   *
   * @param floatActivations whether tokens stay floats in all products; otherwise they become
   *     {@link QuantizedTokens} where that is faster
   */
  public VectorKernels(boolean floatActivations) {
    this(Processor.FLOATS.vectorBitSize(), floatActivations);
  }

  /** Kernels of another size, which work everywhere, if slowly. */
  VectorKernels(int bits, boolean floatActivations) {
    this.bits = bits;
    this.floatActivations = floatActivations;
  }

  /** The size of the vectors in bits. */
  int bits() {
    return bits;
  }

  @Override
  public String description() {
    return "vector (" + bits + " bits)";
  }

  @Override
  public void prepare(Activations x, Matrix[] weights, Workers workers) {
    for (Matrix w : weights) {
      if (wide(w)) {
        x.quantizeWide(w.format().type(), workers);
      } else if (withIntegers(w, x)) {
        x.quantize(alone(x), workers);
      } else if (asBytes(w, x) && !asFloats(w, x)) {
        x.packForBytes(rounds(w), workers);
      } else {
        x.pack(rounds(w), workers);
      }
    }
  }

  /**
   * Whether products with some weights are those of tokens as {@link QuantizedTokens} or {@link
   * WideTokens}.
   */
  boolean rounds(Matrix w) {
    return !floatActivations && bits >= 256 && IntegerTiles.has(w.format().type(), w.columns());
  }

  /** Whether they are {@link WideProducts}, however many tokens there are. */
  private boolean wide(Matrix w) {
    return Processor.WIDE_INTEGERS && rounds(w);
  }

  /**
   * Whether they are computed with integers of 256 bits. With vectors of 512 bits tiles of floats
   * are faster, which then have the integers' values.
   */
  private boolean withIntegers(Matrix w, Activations x) {
    return rounds(w) && (bits < 512 || alone(x));
  }

  private boolean alone(Activations x) {
    return x.tokens() <= QuantizedTokens.MAX_SINGLE;
  }

  /**
   * Whether a product is one of {@link ByteTiles}. Vectors of 512 bits catch up earlier, since only
   * the tiles of floats use them.
   */
  private boolean asBytes(Matrix w, Activations x) {
    int most = bits >= 512 ? Activations.SMALL_BATCH / 4 : Activations.SMALL_BATCH;
    return bits >= 256 && x.tokens() <= most && ByteRows.has(w.format().type());
  }

  /** Whether a product is one of {@link FloatDots}. */
  private static boolean asFloats(Matrix w, Activations x) {
    return x.tokens() == 1 && !x.isAsBatch() && FloatDots.has(w.format().type(), w.columns());
  }

  @Override
  public void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset, int stride) {
    if (wide(w)) {
      WideProducts.multiply(w, rowFrom, rowTo, x, out, offset, stride);
      return;
    }
    if (withIntegers(w, x)) {
      withIntegers(w, rowFrom, rowTo, x, out, offset, stride);
      return;
    }
    if (asFloats(w, x)) {
      FloatDots.multiply(w, rowFrom, rowTo, x, out, offset);
      return;
    }
    if (asBytes(w, x)) {
      ByteTiles.multiply(w, rowFrom, rowTo, x, x.bytePanels(rounds(w)), out, offset, stride);
      return;
    }
    for (int t = 0; t < x.tokens(); t++) {
      Arrays.fill(out, offset + t * stride + rowFrom, offset + t * stride + rowTo, 0);
    }
    int columns = w.columns();
    Scratch scratch = Scratch.ofThread();
    long block = scratch.block();
    VectorRowDecoder decoder = decoders.get();
    // columns outside, so that their part of all tokens stays in the level 2 cache for all rows
    for (int c = 0; c < columns; c += VectorTiles.BLOCK_COLUMNS) {
      int count = Math.min(VectorTiles.BLOCK_COLUMNS, columns - c);
      for (int r = rowFrom; r < rowTo; r += VectorTiles.BLOCK_ROWS) {
        int rows = Math.min(VectorTiles.BLOCK_ROWS, rowTo - r);
        for (int i = 0; i < rows; i++) {
          long to = block + (long) i * VectorTiles.ROW_BYTES;
          decoder.decode(w, r + i, c, count, to, scratch.scales());
        }
        VectorTiles.multiply(
            block,
            rows,
            x.panels(rounds(w)),
            x.tokens(),
            columns,
            c,
            count,
            out,
            offset + r,
            stride);
      }
    }
    Reference.reachabilityFence(x);
  }

  private void withIntegers(
      Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset, int stride) {
    // with vectors of 512 bits batches have other kernels, so that these are compiled no earlier
    boolean withTiles = x.isAsBatch() && bits < 512;
    if (alone(x) && !withTiles && RowDots.has(w.format().type(), w.columns())) {
      // the rows that a thread takes at a time are in its cache when the second token comes
      for (int t = 0; t < x.tokens(); t++) {
        RowDots.multiply(w, rowFrom, rowTo, x, t, out, offset + t * stride);
      }
      return;
    }
    IntegerTiles.multiply(w, rowFrom, rowTo, x, out, offset, stride);
  }

  private float[] scratch(int size) {
    float[] array = tile.get();
    if (array.length < size) {
      array = new float[size];
      tile.set(array);
    }
    return array;
  }

  @Override
  public void rmsNorm(
      float[] x, int xOffset, float[] weight, float epsilon, float[] out, int outOffset, int size) {
    float mean = VectorFloats.sumOfSquares(x, xOffset, size) / size;
    float scale = (float) (1 / Math.sqrt(mean + epsilon));
    if (weight == null) {
      VectorFloats.scale(x, xOffset, scale, out, outOffset, size);
    } else {
      VectorFloats.scale(x, xOffset, weight, scale, out, outOffset, size);
    }
  }

  @Override
  public void geluMultiply(float[] gate, int gateOffset, float[] up, int upOffset, int size) {
    VectorExp.geluMultiply(gate, gateOffset, up, upOffset, size);
  }

  @Override
  public void softcap(float[] x, int offset, int size, float cap) {
    VectorExp.softcap(x, offset, size, cap);
  }

  @Override
  public void add(float[] x, int xOffset, float[] y, int yOffset, int size) {
    VectorFloats.add(x, xOffset, y, yOffset, size);
  }

  @Override
  public void softmax(float[] x, int offset, int size) {
    float max = VectorFloats.max(x, offset, size);
    float sum = VectorExp.expAndSum(x, offset, size, max);
    VectorFloats.scale(x, offset, 1 / sum, x, offset, size);
  }

  @Override
  public void rotate(
      float[] x, int offset, int size, float[] cosines, float[] sines, int angleOffset) {
    VectorFloats.rotate(x, offset, size / 2, cosines, sines, angleOffset);
  }

  @Override
  public void toHalf(float[] x, int xOffset, short[] out, int outOffset, int size) {
    // The compiler turns this loop into half-precision conversions where the machine has them.
    for (int i = 0; i < size; i++) {
      out[outOffset + i] = Float.floatToFloat16(x[xOffset + i]);
    }
  }

  @Override
  public void scores(
      float[] q,
      int[] qOffsets,
      int rows,
      short[] keys,
      int keyOffset,
      int positions,
      int size,
      float[] out,
      int outOffset,
      int outStride) {
    long sums = Scratch.ofThread().sums();
    int r = 0;
    for (; r + 8 <= rows; r += 8) {
      for (int j = 0; j < positions; j++) {
        VectorAttention.scores8(
            q,
            qOffsets,
            r,
            keys,
            keyOffset + j * size,
            size,
            out,
            outOffset + r * outStride + j,
            outStride,
            sums);
      }
    }
    if (r == rows) {
      return;
    }
    int most = Math.max(1, WIDENED / size);
    float[] widened = scratch(most * size);
    for (int j = 0; j < positions; j += most) {
      int count = Math.min(most, positions - j);
      VectorAttention.widen(keys, keyOffset + j * size, widened, count * size);
      scores(q, qOffsets, r, rows, widened, 0, count, size, out, outOffset + j, outStride);
    }
  }

  @Override
  public void scores(
      float[] q,
      int[] qOffsets,
      int rows,
      float[] keys,
      int keyOffset,
      int positions,
      int size,
      float[] out,
      int outOffset,
      int outStride) {
    scores(q, qOffsets, 0, rows, keys, keyOffset, positions, size, out, outOffset, outStride);
  }

  private static void scores(
      float[] q,
      int[] qOffsets,
      int rowFrom,
      int rowTo,
      float[] keys,
      int keyOffset,
      int positions,
      int size,
      float[] out,
      int outOffset,
      int outStride) {
    long sums = Scratch.ofThread().sums();
    int r = rowFrom;
    for (; r + 4 <= rowTo; r += 4) {
      for (int j = 0; j < positions; j++) {
        VectorAttention.scores4(
            q,
            qOffsets,
            r,
            keys,
            keyOffset + j * size,
            size,
            out,
            outOffset + r * outStride + j,
            outStride,
            sums);
      }
    }
    for (; r < rowTo; r++) {
      for (int j = 0; j < positions; j++) {
        out[outOffset + r * outStride + j] =
            VectorAttention.score(q, qOffsets[r], keys, keyOffset + j * size, size, sums);
      }
    }
  }

  @Override
  public void weightedSum(
      float[] p,
      int pOffset,
      int pStride,
      int rows,
      short[] values,
      int valueOffset,
      int positions,
      int size,
      float[] out,
      int[] outOffsets,
      int column) {
    int r = 0;
    for (; r + 8 <= rows; r += 8) {
      VectorAttention.weightedSum8(
          p,
          pOffset + r * pStride,
          pStride,
          values,
          valueOffset,
          positions,
          size,
          out,
          outOffsets,
          r,
          column);
    }
    if (r == rows) {
      return;
    }
    int most = Math.max(1, WIDENED / size);
    float[] widened = scratch(most * size);
    for (int j = 0; j < positions; j += most) {
      int count = Math.min(most, positions - j);
      VectorAttention.widen(values, valueOffset + j * size, widened, count * size);
      weightedSum(
          p, pOffset + j, pStride, r, rows, widened, 0, count, size, out, outOffsets, column);
    }
  }

  @Override
  public void weightedSum(
      float[] p,
      int pOffset,
      int pStride,
      int rows,
      float[] values,
      int valueOffset,
      int positions,
      int size,
      float[] out,
      int[] outOffsets,
      int column) {
    weightedSum(
        p,
        pOffset,
        pStride,
        0,
        rows,
        values,
        valueOffset,
        positions,
        size,
        out,
        outOffsets,
        column);
  }

  private static void weightedSum(
      float[] p,
      int pOffset,
      int pStride,
      int rowFrom,
      int rowTo,
      float[] values,
      int valueOffset,
      int positions,
      int size,
      float[] out,
      int[] outOffsets,
      int column) {
    int r = rowFrom;
    for (; r + 4 <= rowTo; r += 4) {
      VectorAttention.weightedSum4(
          p,
          pOffset + r * pStride,
          pStride,
          values,
          valueOffset,
          positions,
          size,
          out,
          outOffsets,
          r,
          column);
    }
    for (; r < rowTo; r++) {
      VectorAttention.weightedSum1(
          p,
          pOffset + r * pStride,
          values,
          valueOffset,
          positions,
          size,
          out,
          column + outOffsets[r]);
    }
  }
}
