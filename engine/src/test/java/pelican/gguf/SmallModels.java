package pelican.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Makes GGUF files of a few kilobytes that are complete Gemma 4 models. */
public final class SmallModels {
  private static final int H = 32;
  private static final int LAYERS = 2;
  private static final int VOCABULARY = 300;

  private SmallModels() {}

  /** A model with one sliding and one global layer. */
  public static byte[] gemma4() {
    return bytes(gemma4Writer());
  }

  /** The same, to be changed before it is written. */
  public static GgufWriter gemma4Writer() {
    GgufWriter w = new GgufWriter();
    w.put("general.architecture", "gemma4").put("general.name", "small");
    w.putUint32("gemma4.block_count", LAYERS).putUint32("gemma4.context_length", 64);
    w.putUint32("gemma4.embedding_length", H).putUint32("gemma4.feed_forward_length", 64);
    w.putUint32("gemma4.attention.head_count", 2).putUint32("gemma4.attention.head_count_kv", 1);
    w.putUint32("gemma4.attention.key_length", 32).putUint32("gemma4.attention.value_length", 32);
    w.putUint32("gemma4.attention.key_length_swa", 32);
    w.putUint32("gemma4.attention.value_length_swa", 32);
    w.putUint32("gemma4.attention.sliding_window", 8);
    w.put("gemma4.attention.sliding_window_pattern", new boolean[] {true, false});
    w.putUint32("gemma4.attention.shared_kv_layers", 0);
    w.put("gemma4.attention.layer_norm_rms_epsilon", 1e-6f);
    w.putUint32("gemma4.embedding_length_per_layer_input", 0);
    w.put("gemma4.rope.freq_base", 1e6f).put("gemma4.rope.freq_base_swa", 1e4f);
    w.putUint32("gemma4.rope.dimension_count", 32).putUint32("gemma4.rope.dimension_count_swa", 32);
    w.put("gemma4.final_logit_softcapping", 30f);
    vocabulary(w);
    tensor(w, "token_embd.weight", GgmlType.Q8_0, H, VOCABULARY);
    tensor(w, "output_norm.weight", GgmlType.F32, H);
    tensor(w, "rope_freqs.weight", GgmlType.F32, 16);
    for (int i = 0; i < LAYERS; i++) {
      String p = "blk." + i + ".";
      for (String norm : List.of("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")) {
        tensor(w, p + norm + ".weight", GgmlType.F32, H);
      }
      tensor(w, p + "attn_q_norm.weight", GgmlType.F32, 32);
      tensor(w, p + "attn_k_norm.weight", GgmlType.F32, 32);
      tensor(w, p + "attn_q.weight", GgmlType.Q4_0, H, 64);
      tensor(w, p + "attn_k.weight", GgmlType.Q4_0, H, 32);
      tensor(w, p + "attn_v.weight", GgmlType.F16, H, 32);
      tensor(w, p + "attn_output.weight", GgmlType.Q4_0, 64, H);
      tensor(w, p + "ffn_gate.weight", GgmlType.Q4_0, H, 64);
      tensor(w, p + "ffn_up.weight", GgmlType.Q4_0, H, 64);
      tensor(w, p + "ffn_down.weight", GgmlType.Q8_0, 64, H);
      tensor(w, p + "layer_output_scale.weight", GgmlType.F32, 1);
    }
    return w;
  }

  /** A file with a value of every type and no model. */
  public static byte[] everyType() {
    GgufWriter w = new GgufWriter();
    w.put("general.architecture", "none").put("a.text", "x").put("a.flag", true);
    w.put("a.float", 1.5f).putUint32("a.uint32", 7);
    for (ValueType type : ValueType.values()) {
      if (type.bytes() > 0 && type != ValueType.BOOL) {
        w.put("b." + type, type, new byte[type.bytes()]);
      }
    }
    w.put("a.ints", new int[] {1, 2, 3}).put("a.floats", new float[] {1, 2});
    w.put("a.flags", new boolean[] {true, false});
    w.put("a.texts", List.of(new byte[] {65}, new byte[0], new byte[] {66, 67}));
    tensor(w, "t", GgmlType.F32, 3, 2, 2);
    return bytes(w);
  }

  private static void vocabulary(GgufWriter w) {
    List<byte[]> tokens = new ArrayList<>();
    int[] types = new int[VOCABULARY];
    for (int id = 0; id < VOCABULARY; id++) {
      String text =
          switch (id) {
            case 0 -> "<pad>";
            case 1 -> "<eos>";
            case 2 -> "<bos>";
            case 3 -> "<unk>";
            default ->
                id < 260
                    ? String.format("<0x%02X>", id - 4)
                    : String.valueOf((char) ('a' + id - 260));
          };
      tokens.add(text.getBytes(StandardCharsets.UTF_8));
      types[id] = id < 4 ? 3 : id < 260 ? 6 : 1;
    }
    w.put("tokenizer.ggml.model", "gemma4").put("tokenizer.ggml.tokens", tokens);
    w.put("tokenizer.ggml.token_type", types).put("tokenizer.ggml.merges", List.of());
    w.putUint32("tokenizer.ggml.bos_token_id", 2).putUint32("tokenizer.ggml.eos_token_id", 1);
  }

  private static void tensor(GgufWriter w, String name, GgmlType type, long... dims) {
    long elements = 1;
    for (long dim : dims) {
      elements *= dim;
    }
    byte[] data = new byte[(int) type.bytes(elements)];
    new Random(name.hashCode()).nextBytes(data);
    w.tensor(name, type, dims, out -> out.write(data));
  }

  static byte[] bytes(GgufWriter w) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      w.writeTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }
}
