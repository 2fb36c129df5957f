package pelican.gemma;

import java.nio.file.Path;
import java.util.Arrays;
import pelican.engine.PelicanException;
import pelican.gguf.GgufFile;
import pelican.kernel.Activations;
import pelican.kernel.Kernels;
import pelican.kernel.MatMul;
import pelican.kernel.Matrix;
import pelican.kernel.Workers;

/**
 * The forward pass of Gemma 4 over a batch of tokens. Holds the buffers of a pass, so one pass runs
 * at a time; sequences keep their state in their {@link KvCache}.
 */
public final class GemmaModel {
  /** The most tokens of one pass; longer prompts go in several. */
  public static final int MAX_BATCH = 512;

  /**
   * After so many tokens their kernels compute the logits too, also where those of one token are
   * wanted: in a fresh JVM that token's own kernels are still to be compiled, for half a second in
   * which the first answer would wait.
   */
  private static final int MANY = 5;

  private final Path file;
  private final GemmaConfig config;
  private final GemmaWeights weights;
  private final Kernels kernels;
  private final Workers workers;
  private final MatMul matMul;
  private final Attention attention;
  private final MixtureOfExperts experts;
  private final PerLayerInputs perLayerInputs;
  private final Rope ropeGlobal;
  private final Rope ropeSliding;

  // Buffers of a pass, [tokens][width].
  private final Activations normed = new Activations();
  private final Activations attended = new Activations();
  private final Activations gated = new Activations();
  private float[] x = new float[0];
  private float[] q = new float[0];
  private float[] k = new float[0];
  private float[] v = new float[0];
  private float[] up = new float[0];
  private float[] projected = new float[0];
  private float[] expertSum = new float[0];
  private float[] cosGlobal = new float[0];
  private float[] sinGlobal = new float[0];
  private float[] cosSliding = new float[0];
  private float[] sinSliding = new float[0];
  private float[] logits = new float[0];

  /**
   * Finds the weights in the file.
   *
   * @throws pelican.gguf.GgufException if the file is not a complete Gemma 4 model
   */
  public GemmaModel(GgufFile file, Kernels kernels, Workers workers) {
    this.file = file.path();
    this.config = GemmaConfig.from(file);
    this.weights = GemmaWeights.load(file, config);
    this.kernels = kernels;
    this.workers = workers;
    matMul = new MatMul(kernels, workers);
    attention = new Attention(config, kernels, workers);
    experts = config.experts() > 0 ? new MixtureOfExperts(config, kernels, matMul) : null;
    perLayerInputs =
        config.perLayerInput() > 0
            ? new PerLayerInputs(config, weights, kernels, workers, matMul)
            : null;
    ropeGlobal = new Rope(config.keyLength(), config.ropeBase(), weights.ropeFactors());
    ropeSliding = new Rope(config.keyLengthSliding(), config.ropeBaseSliding(), null);
  }

  public GemmaConfig config() {
    return config;
  }

  /** The number of tokens in the vocabulary, the length of a row of logits. */
  public int vocabulary() {
    return weights.vocabulary();
  }

  /**
   * A cache for a new sequence.
   *
   * @param maxLength the most tokens that the sequence may have
   * @param half whether keys and values are kept in half precision, else in single
   */
  public KvCache newCache(int maxLength, boolean half) {
    return new KvCache(config, MAX_BATCH, maxLength, half);
  }

  /** The most bytes that a cache of {@link #newCache} takes. */
  public long cacheBytes(int maxLength, boolean half) {
    return cacheBytes(config, maxLength, half);
  }

  /** The same, before a model of such hyperparameters is loaded. */
  public static long cacheBytes(GemmaConfig config, int maxLength, boolean half) {
    return KvCache.mostBytes(config, MAX_BATCH, maxLength, half);
  }

  /** The most bytes of the buffers of a pass over so many tokens, without its logits. */
  public static long bufferBytes(GemmaConfig config, int tokens) {
    long h = config.embedding();
    long widest = 0;
    for (int i = 0; i < config.layers(); i++) {
      long heads = 2L * (config.heads() + config.kvHeads()[i]) * config.headSize(i);
      widest = Math.max(widest, heads + 2L * config.feedForward()[i]);
    }
    // Residual stream, its norm, and what is added to it. What products multiply is there twice,
    // the second time in the order of their kernels: the norm, the attended values, the gated ones.
    long perToken = 4 * h + widest + (widest + 1) / 2;
    if (config.perLayerInput() > 0) {
      perToken += 5 * h + (2L * config.layers() + 2) * config.perLayerInput();
    }
    if (config.experts() > 0) {
      perToken += 5 * h + config.experts() + 3L * config.expertsUsed() * config.expertFeedForward();
    }
    // Small batches have a copy of their own, which stays when larger ones come.
    long small = Math.min(tokens, Activations.SMALL_BATCH) * (h + (widest + 1) / 2);
    return Float.BYTES * (perToken * tokens + small);
  }

  /**
   * Runs the tokens of a batch, appends their keys and values to their caches, and returns the
   * logits that the batch asks for.
   *
   * @return [outputs][vocabulary]; valid until the next pass
   */
  public float[] forward(Batch batch) {
    return forward(batch, true);
  }

  /**
   * As {@link #forward(Batch)}, but without the logits unless they are wanted; {@link #states} are
   * there in any case.
   */
  public float[] forward(Batch batch, boolean withLogits) {
    int n = batch.size();
    if (n > MAX_BATCH) {
      throw new IllegalArgumentException("a batch has at most " + MAX_BATCH + " tokens, not " + n);
    }
    reserveCaches(batch);
    embed(batch);
    if (perLayerInputs != null) {
      perLayerInputs.compute(batch, x);
    }
    angles(batch);
    for (int layer = 0; layer < config.layers(); layer++) {
      attentionBlock(batch, layer);
      feedForwardBlock(layer, n);
      if (perLayerInputs != null) {
        perLayerInputs.addTo(x, weights.layers()[layer], layer, n);
      }
      scale(weights.layers()[layer].outputScale(), n);
    }
    for (int i = 0; i < n; i++) {
      batch.cache(i).advance(batch.position(i) + 1);
    }
    return outputs(batch, withLogits);
  }

  private void reserveCaches(Batch batch) {
    int n = batch.size();
    for (int i = 0; i < n; i++) {
      KvCache cache = batch.cache(i);
      if (batch.position(i) >= cache.maxLength()) {
        throw new IllegalArgumentException(
            "the context holds " + cache.maxLength() + " tokens, position " + batch.position(i));
      }
      if (batch.token(i) < 0 || batch.token(i) >= vocabulary()) {
        throw new IllegalArgumentException(
            "token " + batch.token(i) + ", expected 0 to " + (vocabulary() - 1));
      }
      if (i + 1 == n || batch.cache(i + 1) != cache) {
        cache.reserve(batch.position(i) + 1);
      }
    }
  }

  private void embed(Batch batch) {
    int h = config.embedding();
    int n = batch.size();
    x = grown(x, n * h);
    float scale = (float) Math.sqrt(h);
    workers.run(
        n,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            weights.tokenEmbedding().decodeRow(batch.token(i), x, i * h);
            for (int j = i * h; j < (i + 1) * h; j++) {
              x[j] *= scale;
            }
          }
        });
  }

  private void angles(Batch batch) {
    int n = batch.size();
    int g = ropeGlobal.pairs();
    int s = ropeSliding.pairs();
    cosGlobal = grown(cosGlobal, n * g);
    sinGlobal = grown(sinGlobal, n * g);
    cosSliding = grown(cosSliding, n * s);
    sinSliding = grown(sinSliding, n * s);
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

  private void attentionBlock(Batch batch, int layer) {
    LayerWeights w = weights.layers()[layer];
    int n = batch.size();
    int h = config.embedding();
    int head = config.headSize(layer);
    int qSize = config.heads() * head;
    int kvSize = config.kvHeads()[layer] * head;
    norm(x, w.attnNorm(), normed.reset(n, h));
    q = grown(q, n * qSize);
    if (config.ownsKv(layer)) {
      k = grown(k, n * kvSize);
      v = grown(v, n * kvSize);
      if (w.attnV() != null) {
        matMul.multiply(
            normed,
            new Matrix[] {w.attnQ(), w.attnK(), w.attnV()},
            new float[][] {q, k, v},
            new int[] {qSize, kvSize, kvSize});
      } else {
        matMul.multiply(
            normed,
            new Matrix[] {w.attnQ(), w.attnK()},
            new float[][] {q, k},
            new int[] {qSize, kvSize});
        System.arraycopy(k, 0, v, 0, n * kvSize);
      }
    } else {
      matMul.multiply(w.attnQ(), normed, q, qSize);
    }
    workers.run(n, 8, (from, to) -> normAndRotate(batch, layer, w, from, to));
    attended.reset(n, qSize);
    attention.run(batch, layer, q, attended.values());
    projected = grown(projected, n * h);
    matMul.multiply(w.attnOutput(), attended, projected, h);
    addNormed(projected, w.postAttentionNorm(), n);
  }

  /** Norms and rotates the heads of tokens [from, to) and stores their keys and values. */
  private void normAndRotate(Batch batch, int layer, LayerWeights w, int from, int to) {
    boolean sliding = config.sliding()[layer];
    int head = config.headSize(layer);
    int heads = config.heads();
    int kvHeads = config.kvHeads()[layer];
    float[] cos = sliding ? cosSliding : cosGlobal;
    float[] sin = sliding ? sinSliding : sinGlobal;
    for (int t = from; t < to; t++) {
      int angle = t * (head / 2);
      for (int i = 0; i < heads; i++) {
        int o = (t * heads + i) * head;
        kernels.rmsNorm(q, o, w.attnQNorm(), config.epsilon(), q, o, head);
        kernels.rotate(q, o, head, cos, sin, angle);
      }
      if (!config.ownsKv(layer)) {
        continue;
      }
      KvLayer cache = batch.cache(t).layer(layer);
      int position = batch.position(t);
      for (int i = 0; i < kvHeads; i++) {
        int o = (t * kvHeads + i) * head;
        kernels.rmsNorm(k, o, w.attnKNorm(), config.epsilon(), k, o, head);
        kernels.rotate(k, o, head, cos, sin, angle);
        kernels.rmsNorm(v, o, null, config.epsilon(), v, o, head);
        requireNumbers(k, o, head, layer);
        requireNumbers(v, o, head, layer);
        cache.store(kernels, position, i, k, v, o);
      }
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

  private void feedForwardBlock(int layer, int n) {
    LayerWeights w = weights.layers()[layer];
    int h = config.embedding();
    int ff = config.feedForward()[layer];
    norm(x, w.ffnNorm(), normed.reset(n, h));
    gated.reset(n, ff);
    up = grown(up, n * ff);
    float[] gate = gated.values();
    matMul.multiply(
        normed,
        new Matrix[] {w.ffnGate(), w.ffnUp()},
        new float[][] {gate, up},
        new int[] {ff, ff});
    int piece = Math.min(ff, 2048);
    int pieces = (ff + piece - 1) / piece;
    workers.run(
        n * pieces,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            int begin = i % pieces * piece;
            int o = i / pieces * ff + begin;
            kernels.geluMultiply(gate, o, up, o, Math.min(piece, ff - begin));
          }
        });
    gated.changed();
    projected = grown(projected, n * h);
    matMul.multiply(w.ffnDown(), gated, projected, h);
    if (w.experts() != null) {
      expertSum = grown(expertSum, n * h);
      experts.run(w.experts(), x, n, expertSum);
      for (int t = 0; t < n; t++) {
        int o = t * h;
        kernels.rmsNorm(
            projected, o, w.experts().densePostNorm(), config.epsilon(), projected, o, h);
        kernels.rmsNorm(expertSum, o, w.experts().postNorm(), config.epsilon(), expertSum, o, h);
        kernels.add(projected, o, expertSum, o, h);
      }
    }
    addNormed(projected, w.postFfwNorm(), n);
  }

  /**
   * The final hidden states after output_norm of the last pass, for the tokens whose outputs the
   * batch asked for.
   *
   * @return [outputs][embedding]; valid until the next pass
   */
  public float[] states() {
    return normed.values();
  }

  private float[] outputs(Batch batch, boolean withLogits) {
    int h = config.embedding();
    int outputs = batch.outputs();
    if (outputs == 0) {
      return logits;
    }
    normed.reset(outputs, h);
    if (batch.size() >= MANY) {
      normed.asBatch();
    }
    for (int i = 0; i < batch.size(); i++) {
      int row = batch.outputRow(i);
      if (row >= 0) {
        kernels.rmsNorm(
            x, i * h, weights.outputNorm(), config.epsilon(), normed.values(), row * h, h);
      }
    }
    if (!withLogits) {
      return logits;
    }
    int vocabulary = vocabulary();
    logits = grown(logits, Math.multiplyExact(outputs, vocabulary));
    matMul.multiply(weights.output(), normed, logits, vocabulary);
    if (config.logitSoftcap() > 0) {
      int piece = 1 << 11; // short, so that the compiled method is met within the first logits
      workers.run(
          outputs * vocabulary,
          piece,
          (from, to) -> kernels.softcap(logits, from, to - from, config.logitSoftcap()));
    }
    return logits;
  }

  private void norm(float[] from, float[] weight, Activations to) {
    int h = to.columns();
    float[] out = to.values();
    workers.run(
        to.tokens(),
        16,
        (first, end) -> {
          for (int t = first; t < end; t++) {
            kernels.rmsNorm(from, t * h, weight, config.epsilon(), out, t * h, h);
          }
        });
    to.changed();
  }

  private void addNormed(float[] y, float[] weight, int n) {
    int h = config.embedding();
    workers.run(
        n,
        16,
        (from, to) -> {
          for (int t = from; t < to; t++) {
            kernels.rmsNorm(y, t * h, weight, config.epsilon(), y, t * h, h);
            kernels.add(x, t * h, y, t * h, h);
          }
        });
  }

  private void scale(float factor, int n) {
    if (factor != 1f) {
      int end = n * config.embedding();
      for (int i = 0; i < end; i++) {
        x[i] *= factor;
      }
    }
  }

  static float[] grown(float[] array, int size) {
    return array.length < size ? Arrays.copyOf(array, size) : array;
  }
}
