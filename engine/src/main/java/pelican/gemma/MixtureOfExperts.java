package pelican.gemma;

import java.util.Arrays;
import pelican.kernel.Activations;
import pelican.kernel.Kernels;
import pelican.kernel.MatMul;

/** Routes each token to the experts that score best for it and adds up their weighted outputs. */
final class MixtureOfExperts {
  private final GemmaConfig config;
  private final Kernels kernels;
  private final MatMul matMul;
  private final Activations routed = new Activations();
  private final Activations inner = new Activations();
  private float[] scores = new float[0];
  private float[] gateUp = new float[0];
  private float[] down = new float[0];
  private int[] chosen = new int[0];
  private float[] weights = new float[0];

  MixtureOfExperts(GemmaConfig config, Kernels kernels, MatMul matMul) {
    this.config = config;
    this.kernels = kernels;
    this.matMul = matMul;
  }

  /**
   * The sum of the chosen experts' outputs.
   *
   * @param x residual stream [tokens][embedding], as the router sees it before its own norm
   * @param out gets the sums, shaped as x
   */
  void run(LayerWeights.Experts experts, float[] x, int tokens, float[] out) {
    route(experts, x, tokens);
    int h = config.embedding();
    int used = config.expertsUsed();
    Arrays.fill(out, 0, tokens * h, 0f);
    for (int e = 0; e < config.experts(); e++) {
      int count = 0;
      for (int i = 0; i < tokens * used; i++) {
        count += chosen[i] == e ? 1 : 0;
      }
      if (count > 0) {
        runExpert(experts, e, count, x, tokens, out);
      }
    }
  }

  private void route(LayerWeights.Experts experts, float[] x, int tokens) {
    int h = config.embedding();
    int n = config.experts();
    int used = config.expertsUsed();
    routed.reset(tokens, h);
    float[] input = routed.values();
    for (int t = 0; t < tokens; t++) {
      kernels.rmsNorm(x, t * h, experts.routerScale(), config.epsilon(), input, t * h, h);
    }
    scores = grown(scores, tokens * n);
    weights = grown(weights, tokens * used);
    chosen = chosen.length < tokens * used ? new int[tokens * used] : chosen;
    matMul.multiply(experts.router(), routed, scores, n);
    for (int t = 0; t < tokens; t++) {
      kernels.softmax(scores, t * n, n);
      float sum = 0;
      for (int k = 0; k < used; k++) {
        int best = t * n;
        for (int e = t * n; e < (t + 1) * n; e++) {
          best = scores[e] > scores[best] ? e : best;
        }
        chosen[t * used + k] = best - t * n;
        weights[t * used + k] = scores[best];
        sum += scores[best];
        scores[best] = -1f;
      }
      for (int k = 0; k < used; k++) {
        int i = t * used + k;
        weights[i] = weights[i] / sum * experts.downScale()[chosen[i]];
      }
    }
  }

  private void runExpert(
      LayerWeights.Experts experts, int e, int count, float[] x, int tokens, float[] out) {
    int h = config.embedding();
    int f = config.expertFeedForward();
    int used = config.expertsUsed();
    routed.reset(count, h);
    int row = 0;
    for (int i = 0; i < tokens * used; i++) {
      if (chosen[i] == e) {
        kernels.rmsNorm(
            x, i / used * h, experts.preNorm(), config.epsilon(), routed.values(), row++ * h, h);
      }
    }
    gateUp = grown(gateUp, count * 2 * f);
    matMul.multiply(experts.gateUp()[e], routed, gateUp, 2 * f);
    inner.reset(count, f);
    for (int r = 0; r < count; r++) {
      kernels.geluMultiply(gateUp, r * 2 * f, gateUp, r * 2 * f + f, f);
      System.arraycopy(gateUp, r * 2 * f, inner.values(), r * f, f);
    }
    down = grown(down, count * h);
    matMul.multiply(experts.down()[e], inner, down, h);
    row = 0;
    for (int i = 0; i < tokens * used; i++) {
      if (chosen[i] == e) {
        int to = i / used * h;
        for (int j = 0; j < h; j++) {
          out[to + j] += weights[i] * down[row * h + j];
        }
        row++;
      }
    }
  }

  private static float[] grown(float[] array, int size) {
    return array.length < size ? new float[size] : array;
  }
}
