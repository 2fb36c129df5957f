package pelican.kernel;

/** Matrix products spread over the worker threads. */
public final class MatMul {
  /**
   * Rows that a worker takes at a time, at least, but where many threads share a few: enough that
   * taking them costs nothing. Where they begin, the machine has fetched nothing ahead: so few rows
   * of 1536 columns of Q4_K take a third more time than many.
   */
  private static final int MIN_ROWS = 64;

  /** Those where they are few. */
  private static final int FEW_ROWS = 16;

  private final Kernels kernels;
  private final Workers workers;
  private boolean asBatch;

  public MatMul(Kernels kernels, Workers workers) {
    this.kernels = kernels;
    this.workers = workers;
  }

  /** Whether products from now on are computed {@link Activations#asBatch as those of many}. */
  public void setAsBatch(boolean asBatch) {
    this.asBatch = asBatch;
  }

  /**
   * {@code out[t·stride + r] = Σ_c w[r][c]·x[t][c]} for all rows and tokens.
   *
   * @param out [tokens][stride]
   */
  public void multiply(Matrix w, Activations x, float[] out, int stride) {
    multiply(x, new Matrix[] {w}, new float[][] {out}, new int[] {stride});
  }

  /** The products of several matrices with the same vectors, as one parallel step. */
  public void multiply(Activations x, Matrix[] weights, float[][] outs, int[] strides) {
    if (asBatch) {
      x.asBatch();
    }
    kernels.prepare(x, weights, workers);
    int total = 0;
    for (Matrix w : weights) {
      total += w.rows();
    }
    workers.run(
        total,
        total < 8 * MIN_ROWS * workers.count() ? FEW_ROWS : MIN_ROWS,
        (from, to) -> {
          int start = 0;
          for (int i = 0; i < weights.length; i++) {
            Matrix w = weights[i];
            int rowFrom = Math.max(from - start, 0);
            int rowTo = Math.min(to - start, w.rows());
            if (rowFrom < rowTo) {
              kernels.multiply(w, rowFrom, rowTo, x, outs[i], 0, strides[i]);
            }
            start += w.rows();
          }
        });
  }
}
