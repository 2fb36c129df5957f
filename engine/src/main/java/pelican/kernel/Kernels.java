package pelican.kernel;

/**
 * The arithmetic of a forward pass. {@link ScalarKernels} is the specification; other
 * implementations agree with it up to the rounding of reordered float sums. Implementations keep no
 * state and may be called from many threads.
 */
public interface Kernels {
  /** What this is and why it was chosen, for {@code --verbose}. */
  String description();

  /**
   * Makes ready what products of {@code x} with {@code weights} need; called once, by one thread,
   * before {@link #multiply}.
   *
   * @param workers share the work
   */
  void prepare(Activations x, Matrix[] weights, Workers workers);

  /**
   * Rows [rowFrom, rowTo) of the product of a matrix with every token's vector: {@code out[offset +
   * t·stride + r] = Σ_c w[r][c]·x[t][c]}.
   *
   * @param out [tokens][stride] from {@code offset} on
   */
  void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset, int stride);

  /**
   * {@code out[o + i] = x[xo + i] / sqrt(mean(x²) + epsilon) · weight[i]}; in place where out is x.
   *
   * @param weight one factor for each value, or null for 1
   */
  void rmsNorm(
      float[] x, int xOffset, float[] weight, float epsilon, float[] out, int outOffset, int size);

  /** {@code gate[i] = gelu_tanh(gate[i]) · up[i]}, for gates of any size. */
  void geluMultiply(float[] gate, int gateOffset, float[] up, int upOffset, int size);

  /** {@code x[i] = cap · tanh(x[i] / cap)}. */
  void softcap(float[] x, int offset, int size, float cap);

  /** {@code x[i] += y[i]}. */
  void add(float[] x, int xOffset, float[] y, int yOffset, int size);

  /** {@code x[i] = exp(x[i] − max) / Σ exp(x − max)}. */
  void softmax(float[] x, int offset, int size);

  /**
   * Rotates pairs (i, i + size/2): by the angles whose cosines and sines are given, size/2 of each.
   */
  void rotate(float[] x, int offset, int size, float[] cosines, float[] sines, int angleOffset);

  /** Stores floats as IEEE half precision, round to nearest even. */
  void toHalf(float[] x, int xOffset, short[] out, int outOffset, int size);

  /**
   * Dot products of query rows with keys: {@code out[outOffset + r·outStride + j] = Σ_i
   * q[r][i]·k[j][i]}.
   *
   * @param q row r at {@code qOffsets[r]}, {@code size} values
   * @param keys half precision, [positions][size] from {@code keyOffset} on
   */
  void scores(
      float[] q,
      int[] qOffsets,
      int rows,
      short[] keys,
      int keyOffset,
      int positions,
      int size,
      float[] out,
      int outOffset,
      int outStride);

  /**
   * Adds weighted values: {@code out[r][column + i] += Σ_j p[pOffset + r·pStride + j]·v[j][i]}.
   *
   * @param values half precision, [positions][size] from {@code valueOffset} on
   * @param out row r at {@code outOffsets[r]}
   * @param column where in a row of {@code out} the {@code size} sums begin
   */
  void weightedSum(
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
      int column);

  /**
   * Dot products of query rows with keys: {@code out[outOffset + r·outStride + j] = Σ_i
   * q[r][i]·k[j][i]}.
   *
   * @param q row r at {@code qOffsets[r]}, {@code size} values
   * @param keys single precision, [positions][size] from {@code keyOffset} on
   */
  void scores(
      float[] q,
      int[] qOffsets,
      int rows,
      float[] keys,
      int keyOffset,
      int positions,
      int size,
      float[] out,
      int outOffset,
      int outStride);

  /**
   * Adds weighted values: {@code out[r][column + i] += Σ_j p[pOffset + r·pStride + j]·v[j][i]}.
   *
   * @param values single precision, [positions][size] from {@code valueOffset} on
   * @param out row r at {@code outOffsets[r]}
   * @param column where in a row of {@code out} the {@code size} sums begin
   */
  void weightedSum(
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
      int column);
}
