package pelican.gemma;

import java.util.Arrays;
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
   * After a prompt of so many tokens their kernels also compute what is wanted of its last one, the
   * first time: that token's own kernels are still to be compiled in a fresh JVM, for half a second
   * in which the first answer would wait.
   */
  private static final int MANY = 5;

  /** Short, so that a fresh JVM meets the compiled method within the first logits. */
  private static final int SOFTCAP_PIECE = 1 << 10;

  private final GemmaConfig config;
  private final GemmaWeights weights;
  private final Kernels kernels;
  private final Workers workers;
  private final MatMul matMul;
  private final Attention attention;
  private final MixtureOfExperts experts;
  private final AttentionInputs attentionInputs;
  private final PerLayerInputs perLayerInputs;

  // Buffers of a pass, [tokens][width].
  private final Activations normed = new Activations();
  private final Activations attended = new Activations();
  private final Activations gated = new Activations();
  private float[] x = new float[0];
  private float[] up = new float[0];
  private float[] projected = new float[0];
  private float[] expertSum = new float[0];
  private float[] logits = new float[0];
  private boolean gaveOutputs;

  /**
   * Finds the weights in the file.
   *
   * @throws pelican.gguf.GgufException if the file is not a complete Gemma 4 model
   */
  public GemmaModel(GgufFile file, Kernels kernels, Workers workers) {
    this.config = GemmaConfig.from(file);
    this.weights = GemmaWeights.load(file, config);
    this.kernels = kernels;
    this.workers = workers;
    matMul = new MatMul(kernels, workers);
    attention = new Attention(config, kernels, workers);
    attentionInputs = new AttentionInputs(file.path(), config, weights, kernels, workers, matMul);
    experts = config.experts() > 0 ? new MixtureOfExperts(config, kernels, matMul) : null;
    perLayerInputs =
        config.perLayerInput() > 0
            ? new PerLayerInputs(config, weights, kernels, workers, matMul)
            : null;
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
    matMul.setAsBatch(n >= MANY && !gaveOutputs);
    embed(batch);
    if (perLayerInputs != null) {
      perLayerInputs.compute(batch, x);
    }
    attentionInputs.angles(batch);
    Batch left = batch;
    for (int layer = 0; layer < config.layers(); layer++) {
      boolean narrows = layer == config.lastKvOwner() && batch.outputs() < batch.size();
      if (narrows) {
        left = storeLastKeysAndNarrow(batch, layer);
        if (left.size() == 0) {
          break;
        }
      }
      attentionBlock(left, layer, narrows);
      feedForwardBlock(layer, left.size());
      if (perLayerInputs != null) {
        perLayerInputs.addTo(x, weights.layers()[layer], layer, left.size());
      }
      scale(weights.layers()[layer].outputScale(), left.size());
    }
    for (int i = 0; i < n; i++) {
      batch.cache(i).advance(batch.position(i) + 1);
    }
    gaveOutputs |= left.size() > 0;
    return outputs(left, withLogits);
  }

  /**
   * Stores the last keys and values of all tokens, and goes on with those alone whose outputs are
   * wanted: nothing else reads what the layers from here on would make of the others. Where many
   * layers share their keys and values with earlier ones, most of a prompt's work is left out.
   *
   * @return those tokens
   */
  private Batch storeLastKeysAndNarrow(Batch batch, int layer) {
    int h = config.embedding();
    norm(x, weights.layers()[layer].attnNorm(), normed.reset(batch.size(), h));
    attentionInputs.storeKeysAndValues(batch, layer, normed);
    for (int i = 0; i < batch.size(); i++) {
      int row = batch.outputRow(i);
      if (row >= 0) {
        System.arraycopy(x, i * h, x, row * h, h);
        if (perLayerInputs != null) {
          perLayerInputs.move(i, row);
        }
      }
    }
    Batch left = batch.onlyOutputs();
    attentionInputs.angles(left);
    return left;
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

  /**
   * @param keysAreStored whether the layer's own keys and values are in the caches already
   */
  private void attentionBlock(Batch batch, int layer, boolean keysAreStored) {
    LayerWeights w = weights.layers()[layer];
    int n = batch.size();
    int h = config.embedding();
    norm(x, w.attnNorm(), normed.reset(n, h));
    if (keysAreStored) {
      attentionInputs.computeQueries(batch, layer, normed);
    } else {
      attentionInputs.computeAll(batch, layer, normed);
    }
    attended.reset(n, config.heads() * config.headSize(layer));
    attention.run(batch, layer, attentionInputs.queries(), attended.values());
    projected = grown(projected, n * h);
    matMul.multiply(w.attnOutput(), attended, projected, h);
    addNormed(projected, w.postAttentionNorm(), n);
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
    int outputs = batch.size();
    if (outputs == 0) {
      return logits;
    }
    normed.reset(outputs, h);
    for (int i = 0; i < outputs; i++) {
      kernels.rmsNorm(x, i * h, weights.outputNorm(), config.epsilon(), normed.values(), i * h, h);
    }
    if (!withLogits) {
      return logits;
    }
    int vocabulary = vocabulary();
    logits = grown(logits, Math.multiplyExact(outputs, vocabulary));
    matMul.multiply(weights.output(), normed, logits, vocabulary);
    if (config.logitSoftcap() > 0) {
      int total = outputs * vocabulary;
      workers.run(
          (total + SOFTCAP_PIECE - 1) / SOFTCAP_PIECE,
          (from, to) -> {
            for (int i = from; i < to; i++) {
              int o = i * SOFTCAP_PIECE;
              int size = Math.min(SOFTCAP_PIECE, total - o);
              kernels.softcap(logits, o, size, config.logitSoftcap());
            }
          });
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
