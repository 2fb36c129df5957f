package pelican.gemma;

import java.util.Arrays;
import java.util.Set;
import pelican.gguf.GgufException;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufMetadata;

/**
 * The hyperparameters of a Gemma 4 model, as its GGUF metadata states them (prefix {@code
 * gemma4.}).
 *
 * @param layers block_count
 * @param embedding embedding_length, the width of the residual stream
 * @param feedForward feed_forward_length of each layer
 * @param heads query heads
 * @param kvHeads key and value heads of each layer
 * @param keyLength head size of global layers
 * @param keyLengthSliding head size of sliding-window layers
 * @param slidingWindow how many positions a sliding layer sees, its own included
 * @param sliding whether each layer has a sliding window
 * @param sharedKvLayers how many of the last layers use the keys and values of an earlier layer
 * @param epsilon of the RMS norms
 * @param perLayerInput width of the per-layer embeddings, 0 if there are none
 * @param ropeBase frequency base of global layers
 * @param ropeBaseSliding frequency base of sliding-window layers
 * @param logitSoftcap the logits are {@code cap · tanh(logit / cap)}; 0 means uncapped
 * @param contextLength the context that the model was trained for
 * @param experts number of experts, 0 if the model has none
 * @param expertsUsed experts that a token is routed to
 * @param expertFeedForward inner width of an expert
 */
public record GemmaConfig(
    int layers,
    int embedding,
    int[] feedForward,
    int heads,
    int[] kvHeads,
    int keyLength,
    int keyLengthSliding,
    int slidingWindow,
    boolean[] sliding,
    int sharedKvLayers,
    float epsilon,
    int perLayerInput,
    float ropeBase,
    float ropeBaseSliding,
    float logitSoftcap,
    int contextLength,
    int experts,
    int expertsUsed,
    int expertFeedForward) {

  public static final String ARCHITECTURE = "gemma4";

  /** Limits that no real model comes near; they keep buffer sizes within int arithmetic. */
  private static final int MAX_LAYERS = 1024;

  private static final int MAX_WIDTH = 1 << 20;

  /**
   * What every width is a multiple of: kernels read two vectors at a time, of 16 floats at most,
   * and would read beyond the end of others.
   */
  private static final int WIDTH_UNIT = 32;

  /**
   * Reads and checks the hyperparameters.
   *
   * @throws GgufException if the architecture is another one, a key is missing or a value
   *     impossible
   */
  public static GemmaConfig from(GgufFile file) {
    GgufMetadata metadata = file.metadata();
    String architecture = metadata.string("general.architecture");
    if (!architecture.equals(ARCHITECTURE)) {
      throw new GgufException(
          file.path()
              + ": general.architecture is \""
              + architecture
              + "\", expected one of "
              + Set.of(ARCHITECTURE));
    }
    return new Reader(file).read();
  }

  /** The head size of a layer. */
  public int headSize(int layer) {
    return sliding[layer] ? keyLengthSliding : keyLength;
  }

  /** Whether a layer computes its own keys and values. */
  public boolean ownsKv(int layer) {
    return layer <= lastKvOwner();
  }

  /** The last layer that computes its own keys and values. */
  public int lastKvOwner() {
    return layers - sharedKvLayers - 1;
  }

  /** The layer whose keys and values a layer attends to: itself, or the last owner of its kind. */
  public int kvLayer(int layer) {
    if (ownsKv(layer)) {
      return layer;
    }
    for (int owner = lastKvOwner(); owner >= 0; owner--) {
      if (sliding[owner] == sliding[layer]) {
        return owner;
      }
    }
    return -1;
  }

  private static final class Reader {
    private final GgufFile file;
    private final GgufMetadata metadata;

    Reader(GgufFile file) {
      this.file = file;
      this.metadata = file.metadata();
    }

    GemmaConfig read() {
      int layers = positive("block_count", MAX_LAYERS);
      int embedding = positive("embedding_length", MAX_WIDTH);
      int heads = positive("attention.head_count", MAX_WIDTH);
      int keyLength = positive("attention.key_length", MAX_WIDTH);
      int keyLengthSliding = width("attention.key_length_swa", keyLength);
      checkEqual("attention.value_length", keyLength, width("attention.value_length", keyLength));
      checkEqual(
          "attention.value_length_swa",
          keyLengthSliding,
          width("attention.value_length_swa", keyLengthSliding));
      boolean[] sliding =
          metadata.booleansPerLayer(key("attention.sliding_window_pattern"), layers);
      boolean anySliding = false;
      for (boolean s : sliding) {
        anySliding |= s;
      }
      int window = anySliding ? positive("attention.sliding_window", Integer.MAX_VALUE / 2) : 1;
      int[] kvHeads = positives("attention.head_count_kv", layers);
      for (int i = 0; i < layers; i++) {
        if (heads % kvHeads[i] != 0) {
          throw bad(
              "attention.head_count_kv",
              Arrays.toString(kvHeads),
              "divisors of head_count " + heads);
        }
      }
      int shared = bounded("attention.shared_kv_layers", 0, 0, layers - 1);
      float epsilon = metadata.floating(key("attention.layer_norm_rms_epsilon"));
      if (!(epsilon > 0 && epsilon < 1)) {
        throw bad("attention.layer_norm_rms_epsilon", epsilon, "a number between 0 and 1");
      }
      float softcap = metadata.floating(key("final_logit_softcapping"), 0f);
      if (!(softcap >= 0 && Float.isFinite(softcap))) {
        throw bad("final_logit_softcapping", softcap, "0 or a positive number");
      }
      int experts = bounded("expert_count", 0, 0, 1 << 16);
      GemmaConfig config =
          new GemmaConfig(
              layers,
              embedding,
              positives("feed_forward_length", layers),
              heads,
              kvHeads,
              keyLength,
              keyLengthSliding,
              window,
              sliding,
              shared,
              epsilon,
              bounded("embedding_length_per_layer_input", 0, 0, MAX_WIDTH),
              ropeBase("rope.freq_base", 1e6f),
              ropeBase("rope.freq_base_swa", 1e4f),
              softcap,
              positive("context_length", Integer.MAX_VALUE / 2),
              experts,
              experts == 0 ? 0 : bounded("expert_used_count", -1, 1, experts),
              experts == 0 ? 0 : positive("expert_feed_forward_length", MAX_WIDTH));
      check(config);
      return config;
    }

    private void check(GemmaConfig config) {
      for (int i = 0; i < config.layers; i++) {
        int owner = config.kvLayer(i);
        if (owner < 0) {
          throw bad(
              "attention.shared_kv_layers",
              config.sharedKvLayers,
              "an earlier layer of the kind of layer " + i + " that owns keys and values");
        }
        if (config.kvHeads[owner] != config.kvHeads[i]) {
          throw bad(
              "attention.head_count_kv",
              config.kvHeads[i],
              config.kvHeads[owner] + " in layer " + i + ", as in layer " + owner + " it shares");
        }
        checkWidth("feed_forward_length", config.feedForward[i]);
      }
      checkWidth("embedding_length", config.embedding);
      checkWidth("attention.key_length", config.keyLength);
      checkWidth("attention.key_length_swa", config.keyLengthSliding);
      checkWidth("embedding_length_per_layer_input", config.perLayerInput);
      checkWidth("expert_feed_forward_length", config.expertFeedForward);
      // The last dimension of every buffer of a batch is at most this wide.
      long widest = (long) config.heads * Math.max(config.keyLength, config.keyLengthSliding);
      if (widest > MAX_WIDTH) {
        throw bad("attention.head_count", config.heads, "at most " + MAX_WIDTH + " values a layer");
      }
    }

    private float ropeBase(String name, float fallback) {
      float base = metadata.floating(key(name), fallback);
      if (!(base > 0 && Float.isFinite(base))) {
        throw bad(name, base, "a positive number");
      }
      return base;
    }

    private int positive(String name, int max) {
      int value = metadata.integer(key(name));
      if (value < 1 || value > max) {
        throw bad(name, value, "1 to " + max);
      }
      return value;
    }

    private int width(String name, int fallback) {
      return metadata.has(key(name)) ? positive(name, MAX_WIDTH) : fallback;
    }

    private int[] positives(String name, int layers) {
      int[] values = metadata.integersPerLayer(key(name), layers);
      for (int value : values) {
        if (value < 1 || value > MAX_WIDTH) {
          throw bad(name, value, "1 to " + MAX_WIDTH);
        }
      }
      return values;
    }

    private int bounded(String name, int fallback, int min, int max) {
      int value =
          fallback < min ? metadata.integer(key(name)) : metadata.integer(key(name), fallback);
      if (value < min || value > max) {
        throw bad(name, value, min + " to " + max);
      }
      return value;
    }

    private void checkWidth(String name, int value) {
      if (value % WIDTH_UNIT != 0) {
        throw bad(name, value, "a multiple of " + WIDTH_UNIT);
      }
    }

    private void checkEqual(String name, int expected, int value) {
      if (value != expected) {
        throw bad(name, value, "" + expected);
      }
    }

    private static String key(String name) {
      return ARCHITECTURE + "." + name;
    }

    private GgufException bad(String name, Object value, String expected) {
      return new GgufException(
          file.path() + ": " + key(name) + " is " + value + ", expected " + expected);
    }
  }
}
