package pelican.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import pelican.gguf.GgmlType;
import pelican.gguf.GgufWriter;

/**
 * Writes models of full size with random weights: what speed and memory depend on is as in the real
 * file, the text that comes out is noise. Other engines can load them.
 */
public final class SyntheticModel {
  /** The mixes of block types, named as llama.cpp names them. */
  public enum Mix {
    Q4_K_M(15, GgmlType.Q4_K),
    Q6_K(18, GgmlType.Q6_K);

    private final int fileType;
    private final GgmlType base;

    Mix(int fileType, GgmlType base) {
      this.fileType = fileType;
      this.base = base;
    }
  }

  /**
   * The dimensions of a model of the E2B kind.
   *
   * @param layers block_count
   * @param own layers that compute their own keys and values; their feed-forward part is half as
   *     wide
   * @param embedding width of the residual stream
   * @param feedForward width of the feed-forward part of layers with their own keys and values
   * @param heads query heads; there is one head of keys and values
   * @param headSize of global layers; half of it in sliding ones
   * @param perLayer width of the per-layer embeddings
   * @param window of sliding layers
   * @param vocabulary number of tokens
   */
  public record Shape(
      int layers,
      int own,
      int embedding,
      int feedForward,
      int heads,
      int headSize,
      int perLayer,
      int window,
      int vocabulary) {
    /** Gemma 4 E2B. */
    public static final Shape E2B = new Shape(35, 15, 1536, 6144, 8, 512, 256, 512, 262_144);

    /** Small enough for a test. */
    public static final Shape SMALL = new Shape(5, 5, 256, 512, 4, 128, 256, 64, 2048);

    boolean sliding(int layer) {
      return layer % 5 != 4;
    }

    int feedForwardOf(int layer) {
      return layer < own ? feedForward : 2 * feedForward;
    }
  }

  private static final Map<Integer, String> CONTROL =
      Map.ofEntries(
          Map.entry(0, "<pad>"),
          Map.entry(1, "<eos>"),
          Map.entry(2, "<bos>"),
          Map.entry(3, "<unk>"),
          Map.entry(46, "<|tool>"),
          Map.entry(47, "<tool|>"),
          Map.entry(48, "<|tool_call>"),
          Map.entry(49, "<tool_call|>"),
          Map.entry(50, "<|tool_response>"),
          Map.entry(51, "<tool_response|>"),
          Map.entry(52, "<|\"|>"),
          Map.entry(98, "<|think|>"),
          Map.entry(100, "<|channel>"),
          Map.entry(101, "<channel|>"),
          Map.entry(105, "<|turn>"),
          Map.entry(106, "<turn|>"));

  private static final int FIRST_BYTE_TOKEN = 238;
  private static final int FIRST_TEXT_TOKEN = FIRST_BYTE_TOKEN + 256;

  private final Shape shape;
  private final Mix mix;
  private final GgufWriter writer = new GgufWriter();
  private final SplittableRandom random = new SplittableRandom(4);

  private SyntheticModel(Shape shape, Mix mix) {
    this.shape = shape;
    this.mix = mix;
  }

  /** Writes a model file. */
  public static void write(Path path, Shape shape, Mix mix) throws IOException {
    SyntheticModel model = new SyntheticModel(shape, mix);
    model.hyperparameters();
    model.vocabulary();
    model.tensors();
    model.writer.write(path);
  }

  private void hyperparameters() {
    writer.put("general.architecture", "gemma4").put("general.name", "synthetic E2B shape");
    writer.putUint32("general.quantization_version", 2);
    writer.putUint32("general.file_type", mix.fileType);
    String p = "gemma4.";
    writer.putUint32(p + "block_count", shape.layers);
    writer.putUint32(p + "context_length", 131_072);
    writer.putUint32(p + "embedding_length", shape.embedding);
    int[] feedForward = new int[shape.layers];
    boolean[] sliding = new boolean[shape.layers];
    for (int i = 0; i < shape.layers; i++) {
      feedForward[i] = shape.feedForwardOf(i);
      sliding[i] = shape.sliding(i);
    }
    writer.put(p + "feed_forward_length", feedForward);
    writer.putUint32(p + "attention.head_count", shape.heads);
    writer.putUint32(p + "attention.head_count_kv", 1);
    writer.put(p + "attention.layer_norm_rms_epsilon", 1e-6f);
    writer.putUint32(p + "attention.key_length", shape.headSize);
    writer.putUint32(p + "attention.value_length", shape.headSize);
    writer.putUint32(p + "attention.key_length_swa", shape.headSize / 2);
    writer.putUint32(p + "attention.value_length_swa", shape.headSize / 2);
    writer.putUint32(p + "attention.sliding_window", shape.window);
    writer.put(p + "attention.sliding_window_pattern", sliding);
    writer.putUint32(p + "attention.shared_kv_layers", shape.layers - shape.own);
    writer.putUint32(p + "embedding_length_per_layer_input", shape.perLayer);
    writer.put(p + "rope.freq_base", 1e6f).put(p + "rope.freq_base_swa", 1e4f);
    writer.putUint32(p + "rope.dimension_count", shape.headSize);
    writer.putUint32(p + "rope.dimension_count_swa", shape.headSize / 2);
    writer.put(p + "final_logit_softcapping", 30f);
  }

  private void vocabulary() {
    List<byte[]> tokens = new ArrayList<>(shape.vocabulary);
    int[] types = new int[shape.vocabulary];
    float[] scores = new float[shape.vocabulary];
    for (int id = 0; id < shape.vocabulary; id++) {
      String text;
      if (CONTROL.containsKey(id)) {
        text = CONTROL.get(id);
        types[id] = 3;
      } else if (id < FIRST_BYTE_TOKEN) {
        text = "<unused" + id + ">";
        types[id] = 5;
      } else if (id < FIRST_TEXT_TOKEN) {
        text = String.format("<0x%02X>", id - FIRST_BYTE_TOKEN);
        types[id] = 6;
      } else if (id < FIRST_TEXT_TOKEN + 26) {
        text = String.valueOf((char) ('a' + id - FIRST_TEXT_TOKEN));
        types[id] = 1;
      } else {
        text = "\u2581w" + Integer.toString(id, Character.MAX_RADIX);
        types[id] = 1;
      }
      tokens.add(text.getBytes(StandardCharsets.UTF_8));
    }
    writer.put("tokenizer.ggml.model", "gemma4").put("tokenizer.ggml.tokens", tokens);
    writer.put("tokenizer.ggml.scores", scores).put("tokenizer.ggml.token_type", types);
    // Not one of these makes a token, but a loader wants to see some.
    writer.put("tokenizer.ggml.merges", List.of("a b".getBytes(StandardCharsets.US_ASCII)));
    writer
        .putUint32("tokenizer.ggml.bos_token_id", 2)
        .putUint32("tokenizer.ggml.eos_token_id", 106);
    writer.putUint32("tokenizer.ggml.unknown_token_id", 3);
    writer.putUint32("tokenizer.ggml.padding_token_id", 0);
    writer.put("tokenizer.ggml.add_bos_token", true);
    writer.put("tokenizer.ggml.add_space_prefix", false);
  }

  private void tensors() {
    int h = shape.embedding;
    int p = shape.perLayer;
    vector("output_norm.weight", h);
    floats("per_layer_model_proj.weight", h, (long) p * shape.layers, 0, 1 / Math.sqrt(h));
    vector("per_layer_proj_norm.weight", p);
    matrix("per_layer_token_embd.weight", p * shape.layers, shape.vocabulary, GgmlType.Q6_K, p);
    ropeFrequencies();
    matrix("token_embd.weight", h, shape.vocabulary, GgmlType.Q6_K, h);
    for (int i = 0; i < shape.layers; i++) {
      layer(i);
    }
  }

  private void layer(int i) {
    String p = "blk." + i + ".";
    int h = shape.embedding;
    int head = shape.sliding(i) ? shape.headSize / 2 : shape.headSize;
    int ff = shape.feedForwardOf(i);
    boolean own = i < shape.own;
    GgmlType base = mix.base;
    // The mix gives some layers' values and down projections more bits; only own values count.
    GgmlType down = mix == Mix.Q4_K_M && usesMoreBits(i, shape.layers) ? GgmlType.Q6_K : base;
    GgmlType values = mix == Mix.Q4_K_M && usesMoreBits(i, shape.own) ? GgmlType.Q6_K : base;
    if (own) {
      matrix(p + "attn_k.weight", h, head, base, h);
      vector(p + "attn_k_norm.weight", head);
    }
    vector(p + "attn_norm.weight", h);
    matrix(p + "attn_output.weight", shape.heads * head, h, base, shape.heads * head);
    matrix(p + "attn_q.weight", h, shape.heads * head, base, h);
    vector(p + "attn_q_norm.weight", head);
    if (own) {
      matrix(p + "attn_v.weight", h, head, values, h);
    }
    matrix(p + "ffn_down.weight", ff, h, down, ff);
    matrix(p + "ffn_gate.weight", h, ff, base, h);
    vector(p + "ffn_norm.weight", h);
    matrix(p + "ffn_up.weight", h, ff, base, h);
    matrix(p + "inp_gate.weight", h, shape.perLayer, base, h);
    writer.tensor(p + "layer_output_scale.weight", GgmlType.F32, new long[] {1}, bytes(1f));
    vector(p + "post_attention_norm.weight", h);
    vector(p + "post_ffw_norm.weight", h);
    vector(p + "post_norm.weight", h);
    matrix(p + "proj.weight", shape.perLayer, h, base, shape.perLayer);
  }

  /**
   * llama.cpp's rule for Q4_K_M: the first and last eighth of the layers, and every third between.
   */
  static boolean usesMoreBits(int layer, int layers) {
    return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
  }

  private void vector(String name, int size) {
    floats(name, size, 1, 1, 0.1);
  }

  private void floats(String name, int columns, long rows, double mean, double deviation) {
    long[] dims = rows == 1 ? new long[] {columns} : new long[] {columns, rows};
    SplittableRandom own = random.split();
    writer.tensor(
        name,
        GgmlType.F32,
        dims,
        out -> {
          ByteBuffer row = ByteBuffer.allocate(4 * columns).order(ByteOrder.LITTLE_ENDIAN);
          for (long r = 0; r < rows; r++) {
            row.clear();
            for (int i = 0; i < columns; i++) {
              row.putFloat((float) (mean + deviation * (own.nextDouble() * 2 - 1) * Math.sqrt(3)));
            }
            out.write(row.array());
          }
        });
  }

  private static GgufWriter.Source bytes(float value) {
    return out ->
        out.write(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).array());
  }

  /** Global layers rotate a quarter of their pairs. */
  private void ropeFrequencies() {
    int pairs = shape.headSize / 2;
    ByteBuffer factors = ByteBuffer.allocate(4 * pairs).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < pairs; i++) {
      factors.putFloat(i < pairs / 4 ? 1 : 1e30f);
    }
    writer.tensor(
        "rope_freqs.weight", GgmlType.F32, new long[] {pairs}, out -> out.write(factors.array()));
  }

  /** Random blocks, scaled so that a row keeps the size of what it is multiplied with. */
  private void matrix(String name, int columns, int rows, GgmlType type, int fanIn) {
    SplittableRandom own = random.split();
    double deviation = 1 / Math.sqrt(fanIn);
    writer.tensor(
        name,
        type,
        new long[] {columns, rows},
        out -> writeBlocks(out, own, type, columns / 256, rows, deviation));
  }

  private static void writeBlocks(
      OutputStream out,
      SplittableRandom random,
      GgmlType type,
      int blocksPerRow,
      int rows,
      double deviation)
      throws IOException {
    int size = type.blockBytes();
    byte[] row = new byte[blocksPerRow * size];
    ByteBuffer buffer = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
    for (int r = 0; r < rows; r++) {
      random.nextBytes(row);
      for (int at = 0; at < row.length; at += size) {
        if (type == GgmlType.Q4_K) {
          // Nibbles deviate by 4.6 around 7.5, scales lie between 24 and 63: weights around 0.
          double d = deviation / (45 * 4.61);
          buffer.putShort(at, Float.floatToFloat16((float) d));
          buffer.putShort(at + 2, Float.floatToFloat16((float) (7.5 * d)));
          for (int j = 0; j < 4; j++) {
            int low = 24 + random.nextInt(40);
            int high = 24 + random.nextInt(40);
            byte first = (byte) (low | high >> 4 << 6);
            row[at + 4 + j] = first;
            row[at + 8 + j] = first;
            row[at + 12 + j] = (byte) (high & 15 | (high & 15) << 4);
          }
        } else {
          double d = deviation / (84.2 * 18.5);
          for (int j = 0; j < 16; j++) {
            int scale = 32 + random.nextInt(96);
            row[at + 192 + j] = (byte) (random.nextBoolean() ? scale : -scale);
          }
          buffer.putShort(at + 208, Float.floatToFloat16((float) d));
        }
      }
      out.write(row);
    }
  }
}
