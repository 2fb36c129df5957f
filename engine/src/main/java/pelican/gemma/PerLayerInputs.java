package pelican.gemma;

import pelican.kernel.Activations;
import pelican.kernel.Kernels;
import pelican.kernel.MatMul;
import pelican.kernel.Workers;

/**
 * Gemma 4's per-layer embeddings: every layer gets a small vector of its own for each token, half
 * from a table and half projected from the token's embedding.
 */
final class PerLayerInputs {
  private final GemmaConfig config;
  private final GemmaWeights weights;
  private final Kernels kernels;
  private final Workers workers;
  private final MatMul matMul;
  private final Activations embedding = new Activations();
  private final Activations gate = new Activations();
  private final Activations residual = new Activations();
  private float[] inputs = new float[0];
  private float[] rows = new float[0];
  private float[] projected = new float[0];

  PerLayerInputs(
      GemmaConfig config, GemmaWeights weights, Kernels kernels, Workers workers, MatMul matMul) {
    this.config = config;
    this.weights = weights;
    this.kernels = kernels;
    this.workers = workers;
    this.matMul = matMul;
  }

  /**
   * Computes the vectors of all layers for the tokens of a batch: {@code (rms(P·e/√H, norm) + row ·
   * √width) / √2}.
   *
   * @param e token embeddings [tokens][embedding], scaled by √H
   */
  void compute(Batch batch, float[] e) {
    int n = batch.size();
    int h = config.embedding();
    int width = config.perLayerInput();
    int total = config.layers() * width;
    embedding.reset(n, h);
    float[] input = embedding.values();
    float down = (float) (1 / Math.sqrt(h));
    for (int i = 0; i < n * h; i++) {
      input[i] = e[i] * down;
    }
    inputs = GemmaModel.grown(inputs, n * total);
    rows = GemmaModel.grown(rows, n * total);
    matMul.multiply(weights.perLayerModelProj(), embedding, inputs, total);
    float rowScale = (float) Math.sqrt(width);
    float half = (float) Math.sqrt(0.5);
    workers.run(
        n,
        (from, to) -> {
          for (int t = from; t < to; t++) {
            weights.perLayerEmbedding().decodeRow(batch.token(t), rows, t * total);
            for (int o = t * total; o < (t + 1) * total; o += width) {
              kernels.rmsNorm(
                  inputs, o, weights.perLayerProjNorm(), config.epsilon(), inputs, o, width);
            }
            for (int i = t * total; i < (t + 1) * total; i++) {
              inputs[i] = (inputs[i] + rows[i] * rowScale) * half;
            }
          }
        });
  }

  /** Makes one token's vectors those of another. */
  void move(int from, int to) {
    int total = config.layers() * config.perLayerInput();
    System.arraycopy(inputs, from * total, inputs, to * total, total);
  }

  /** {@code x += rms(proj · (gelu(gate · x) ⊙ input), norm)} with the vectors of one layer. */
  void addTo(float[] x, LayerWeights w, int layer, int n) {
    int h = config.embedding();
    int width = config.perLayerInput();
    int total = config.layers() * width;
    residual.reset(n, h);
    System.arraycopy(x, 0, residual.values(), 0, n * h);
    gate.reset(n, width);
    matMul.multiply(w.inpGate(), residual, gate.values(), width);
    for (int t = 0; t < n; t++) {
      kernels.geluMultiply(gate.values(), t * width, inputs, t * total + layer * width, width);
    }
    gate.changed();
    projected = GemmaModel.grown(projected, n * h);
    matMul.multiply(w.proj(), gate, projected, h);
    workers.run(
        n,
        16,
        (from, to) -> {
          for (int t = from; t < to; t++) {
            kernels.rmsNorm(projected, t * h, w.postNorm(), config.epsilon(), projected, t * h, h);
            kernels.add(x, t * h, projected, t * h, h);
          }
        });
  }
}
