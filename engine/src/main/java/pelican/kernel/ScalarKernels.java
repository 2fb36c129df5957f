package pelican.kernel;

/** The specification of every kernel, in plain loops; also what runs where there are no vectors. */
public final class ScalarKernels implements Kernels {
  private final String description;

  /**
   * @param reason why no vectors are used
   */
  public ScalarKernels(String reason) {
    description = "scalar (" + reason + ")";
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void prepare(Activations x, Matrix[] weights, Workers workers) {}

  @Override
  public void multiply(
      Matrix w, int rowFrom, int rowTo, Activations x, float[] out, int offset, int stride) {
    for (int r = rowFrom; r < rowTo; r++) {
      for (int t = 0; t < x.tokens(); t++) {
        out[offset + t * stride + r] =
            w.format().dot(w.data(), w.rowOffset(r), x.values(), t * x.columns(), w.columns());
      }
    }
  }

  @Override
  public void rmsNorm(
      float[] x, int xOffset, float[] weight, float epsilon, float[] out, int outOffset, int size) {
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += (double) x[xOffset + i] * x[xOffset + i];
    }
    float scale = (float) (1 / Math.sqrt(sum / size + epsilon));
    for (int i = 0; i < size; i++) {
      out[outOffset + i] = x[xOffset + i] * scale * (weight == null ? 1 : weight[i]);
    }
  }

  @Override
  public void geluMultiply(float[] gate, int gateOffset, float[] up, int upOffset, int size) {
    for (int i = 0; i < size; i++) {
      gate[gateOffset + i] = gelu(gate[gateOffset + i]) * up[upOffset + i];
    }
  }

  /** {@code x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³)))}, Hendrycks and Gimpel 2016. */
  static float gelu(float x) {
    double inner = 0.7978845608028654 * (x + 0.044715 * x * x * x);
    return (float) (0.5 * x * (1 + Math.tanh(inner)));
  }

  @Override
  public void softcap(float[] x, int offset, int size, float cap) {
    for (int i = offset; i < offset + size; i++) {
      x[i] = (float) (cap * Math.tanh(x[i] / cap));
    }
  }

  @Override
  public void add(float[] x, int xOffset, float[] y, int yOffset, int size) {
    for (int i = 0; i < size; i++) {
      x[xOffset + i] += y[yOffset + i];
    }
  }

  @Override
  public void softmax(float[] x, int offset, int size) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < size; i++) {
      max = Math.max(max, x[offset + i]);
    }
    double sum = 0;
    for (int i = 0; i < size; i++) {
      float e = (float) Math.exp(x[offset + i] - max);
      x[offset + i] = e;
      sum += e;
    }
    float scale = (float) (1 / sum);
    for (int i = 0; i < size; i++) {
      x[offset + i] *= scale;
    }
  }

  @Override
  public void rotate(
      float[] x, int offset, int size, float[] cosines, float[] sines, int angleOffset) {
    int half = size / 2;
    for (int i = 0; i < half; i++) {
      float a = x[offset + i];
      float b = x[offset + half + i];
      float cos = cosines[angleOffset + i];
      float sin = sines[angleOffset + i];
      x[offset + i] = a * cos - b * sin;
      x[offset + half + i] = b * cos + a * sin;
    }
  }

  @Override
  public void toHalf(float[] x, int xOffset, short[] out, int outOffset, int size) {
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
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < positions; j++) {
        float sum = 0;
        for (int i = 0; i < size; i++) {
          sum += q[qOffsets[r] + i] * Float.float16ToFloat(keys[keyOffset + j * size + i]);
        }
        out[outOffset + r * outStride + j] = sum;
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
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < positions; j++) {
        float weight = p[pOffset + r * pStride + j];
        for (int i = 0; i < size; i++) {
          out[outOffsets[r] + column + i] +=
              weight * Float.float16ToFloat(values[valueOffset + j * size + i]);
        }
      }
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
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < positions; j++) {
        float sum = 0;
        for (int i = 0; i < size; i++) {
          sum += q[qOffsets[r] + i] * keys[keyOffset + j * size + i];
        }
        out[outOffset + r * outStride + j] = sum;
      }
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
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < positions; j++) {
        float weight = p[pOffset + r * pStride + j];
        for (int i = 0; i < size; i++) {
          out[outOffsets[r] + column + i] += weight * values[valueOffset + j * size + i];
        }
      }
    }
  }
}
