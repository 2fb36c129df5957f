package pelican.gemma;

import java.nio.file.Path;
import pelican.engine.PelicanException;
import pelican.kernel.Activations;
import pelican.kernel.Kernels;
import pelican.kernel.MatMul;
import pelican.kernel.Matrix;
import pelican.kernel.Workers;

/**
 * The queries, keys and values of a layer: projected from the tokens' hidden states, normed and
 * rotated. Keys and values go to the tokens' caches.
 */
final class AttentionInputs {
  private final Path file;
  private final GemmaConfig config;
  private final GemmaWeights weights;
  private final Kernels kernels;
  private final Workers workers;
  private final MatMul matMul;
  private final Rope ropeGlobal;
  private final Rope ropeSliding;
  private float[] q = new float[0];
  private float[] k = new float[0];
  private float[] v = new float[0];
  private float[] cosGlobal = new float[0];
  private float[] sinGlobal = new float[0];
  private float[] cosSliding = new float[0];
  private float[] sinSliding = new float[0];

  AttentionInputs(
      Path file,
      GemmaConfig config,
      GemmaWeights weights,
      Kernels kernels,
      Workers workers,
      MatMul matMul) {
    this.file = file;
    this.config = config;
    this.weights = weights;
    this.kernels = kernels;
    this.workers = workers;
    this.matMul = matMul;
    ropeGlobal = new Rope(config.keyLength(), config.ropeBase(), weights.ropeFactors());
    ropeSliding = new Rope(config.keyLengthSliding(), config.ropeBaseSliding(), null);
  }

  /** Computes the angles that the tokens of a batch are rotated by, for all layers. */
  void angles(Batch batch) {
    int n = batch.size();
    int g = ropeGlobal.pairs();
    int s = ropeSliding.pairs();
    cosGlobal = GemmaModel.grown(cosGlobal, n * g);
    sinGlobal = GemmaModel.grown(sinGlobal, n * g);
    cosSliding = GemmaModel.grown(cosSliding, n * s);
    sinSliding = GemmaModel.grown(sinSliding, n * s);
    workers.run(
        n,
        8,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            ropeGlobal.angles(batch.position(i), cosGlobal, sinGlobal, i * g);
            ropeSliding.angles(batch.position(i), cosSliding, sinSliding, i * s);
          }
        });
  }

  /** The queries of the last call that computed any, [tokens][heads · head size]. */
  float[] queries() {
    return q;
  }

  /**
   * Computes a layer's queries for the tokens of a batch, and stores its keys and values if it has
   * any of its own.
   *
   * @param normed their normed hidden states
   */
  void computeAll(Batch batch, int layer, Activations normed) {
    compute(batch, layer, normed, true, config.ownsKv(layer));
  }

  /** Computes and stores only the keys and values, of a layer that has its own. */
  void storeKeysAndValues(Batch batch, int layer, Activations normed) {
    compute(batch, layer, normed, false, true);
  }

  /** Computes only the queries. */
  void computeQueries(Batch batch, int layer, Activations normed) {
    compute(batch, layer, normed, true, false);
  }

  private void compute(
      Batch batch, int layer, Activations normed, boolean withQueries, boolean withKeys) {
    LayerWeights w = weights.layers()[layer];
    int n = batch.size();
    int head = config.headSize(layer);
    int qSize = config.heads() * head;
    int kvSize = config.kvHeads()[layer] * head;
    boolean withValues = withKeys && w.attnV() != null;
    int count = (withQueries ? 1 : 0) + (withKeys ? 1 : 0) + (withValues ? 1 : 0);
    Matrix[] matrices = new Matrix[count];
    float[][] outs = new float[count][];
    int[] sizes = new int[count];
    int i = 0;
    if (withQueries) {
      q = GemmaModel.grown(q, n * qSize);
      matrices[i] = w.attnQ();
      outs[i] = q;
      sizes[i++] = qSize;
    }
    if (withKeys) {
      k = GemmaModel.grown(k, n * kvSize);
      v = GemmaModel.grown(v, n * kvSize);
      matrices[i] = w.attnK();
      outs[i] = k;
      sizes[i++] = kvSize;
    }
    if (withValues) {
      matrices[i] = w.attnV();
      outs[i] = v;
      sizes[i] = kvSize;
    }
    matMul.multiply(normed, matrices, outs, sizes);
    if (withKeys && !withValues) {
      System.arraycopy(k, 0, v, 0, n * kvSize);
    }
    workers.run(
        n,
        8,
        (from, to) -> {
          for (int t = from; t < to; t++) {
            if (withQueries) {
              normAndRotate(q, w.attnQNorm(), t, config.heads(), layer);
            }
            if (withKeys) {
              normAndRotate(k, w.attnKNorm(), t, config.kvHeads()[layer], layer);
              store(batch, layer, t);
            }
          }
        });
  }

  private void normAndRotate(float[] x, float[] norm, int token, int heads, int layer) {
    boolean sliding = config.sliding()[layer];
    int head = config.headSize(layer);
    float[] cos = sliding ? cosSliding : cosGlobal;
    float[] sin = sliding ? sinSliding : sinGlobal;
    for (int i = 0; i < heads; i++) {
      int o = (token * heads + i) * head;
      kernels.rmsNorm(x, o, norm, config.epsilon(), x, o, head);
      kernels.rotate(x, o, head, cos, sin, token * (head / 2));
    }
  }

  /** Norms a token's values and stores them with its keys. */
  private void store(Batch batch, int layer, int token) {
    int head = config.headSize(layer);
    int kvHeads = config.kvHeads()[layer];
    KvLayer cache = batch.cache(token).layer(layer);
    int position = batch.position(token);
    for (int i = 0; i < kvHeads; i++) {
      int o = (token * kvHeads + i) * head;
      kernels.rmsNorm(v, o, null, config.epsilon(), v, o, head);
      requireNumbers(k, o, head, layer);
      requireNumbers(v, o, head, layer);
      cache.store(kernels, position, i, k, v, o);
    }
  }

  /**
   * Half precision may be widened by means that make large numbers of what is none, so that damaged
   * weights would go unnoticed from here on.
   */
  private void requireNumbers(float[] values, int offset, int size, int layer) {
    for (int i = offset; i < offset + size; i++) {
      if (!(Math.abs(values[i]) <= Float.MAX_VALUE)) {
        throw new PelicanException(
            file
                + ": blk."
                + layer
                + ": a key or value is no number ("
                + values[i]
                + "), expected finite ones: is the model file damaged?");
      }
    }
  }
}
