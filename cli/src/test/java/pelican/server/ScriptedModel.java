package pelican.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import pelican.gguf.GgmlType;
import pelican.gguf.GgufWriter;

/**
 * A model that calls a tool. Its one layer adds nothing (every projection is zero), each token's
 * embedding is a unit vector of its own, and the output matrix maps each to its successor: the next
 * token follows from the last one alone, at any temperature. After the start of an answer it calls
 * {@code add} with 3 and 4; after a tool's result it says that the sum is 7.
 *
 * <p>It has to be asked without thinking: the marker that opens a thought ends as the start of an
 * answer does.
 */
final class ScriptedModel {
  /** The name under which it is installed. */
  static final String NAME = "scripted:latest";

  private static final int VOCABULARY = 512;
  private static final int WIDTH = VOCABULARY;
  private static final int HEAD = 256;
  private static final int FEED_FORWARD = 256;
  private static final int FIRST_BYTE_TOKEN = 238;
  private static final int FIRST_TEXT_TOKEN = FIRST_BYTE_TOKEN + 256;
  private static final int TURN_END = 106;
  private static final int CALL = FIRST_TEXT_TOKEN;
  private static final int ANSWER = FIRST_TEXT_TOKEN + 1;

  private static final Map<Integer, String> TOKENS =
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
          Map.entry(TURN_END, "<turn|>"),
          Map.entry(CALL, "call:add{a:3,b:4}"),
          Map.entry(ANSWER, "The"),
          Map.entry(ANSWER + 1, "\u2581sum"),
          Map.entry(ANSWER + 2, "\u2581is"),
          Map.entry(ANSWER + 3, "\u25817."),
          Map.entry(ANSWER + 4, "x"),
          Map.entry(ANSWER + 5, "y"),
          Map.entry(ANSWER + 6, "xy"));

  private static final Map<Integer, Integer> SUCCESSORS =
      Map.of(
          FIRST_BYTE_TOKEN + '\n',
          48,
          48,
          CALL,
          CALL,
          49,
          51,
          ANSWER,
          ANSWER,
          ANSWER + 1,
          ANSWER + 1,
          ANSWER + 2,
          ANSWER + 2,
          ANSWER + 3);

  private ScriptedModel() {}

  /** Puts the model into a store, as Ollama lays it out. */
  static void install(Path store) throws IOException {
    install(store, "scripted", false);
  }

  /** Puts a model into a store that says of itself that it makes embeddings alone. */
  static void installEmbedder(Path store, String name) throws IOException {
    install(store, name, true);
  }

  private static void install(Path store, String name, boolean embedder) throws IOException {
    Path blobs = Files.createDirectories(store.resolve("blobs"));
    Path written = blobs.resolve("model");
    write(written, embedder);
    byte[] model = Files.readAllBytes(written);
    byte[] config =
        utf8(
            "{\"model_format\":\"gguf\",\"model_family\":\"gemma4\",\"model_families\":[\"gemma4\"],"
                + "\"model_type\":\"1M\",\"file_type\":\"F32\",\"renderer\":\"gemma4\","
                + "\"parser\":\"gemma4\",\"architecture\":\"amd64\",\"os\":\"linux\"}");
    Files.move(written, blob(blobs, model));
    Files.write(blob(blobs, config), config);
    Path manifest = store.resolve("manifests/registry.ollama.ai/library/" + name + "/latest");
    Files.createDirectories(manifest.getParent());
    Files.write(
        manifest,
        utf8(
            "{\"schemaVersion\":2,"
                + "\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\",\"config\":"
                + layer("application/vnd.docker.container.image.v1+json", config)
                + ",\"layers\":["
                + layer("application/vnd.ollama.image.model", model)
                + "]}"));
  }

  private static String layer(String type, byte[] content) {
    return String.format(
        "{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":%d}",
        type, sha256(content), content.length);
  }

  private static Path blob(Path blobs, byte[] content) {
    return blobs.resolve("sha256-" + sha256(content));
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** Writes the model file. */
  static void write(Path path) throws IOException {
    write(path, false);
  }

  private static void write(Path path, boolean embedder) throws IOException {
    GgufWriter writer = new GgufWriter();
    hyperparameters(writer);
    if (embedder) {
      writer.putUint32("gemma4.pooling_type", 1);
    }
    vocabulary(writer);
    tensors(writer);
    writer.write(path);
  }

  private static void hyperparameters(GgufWriter writer) {
    String p = "gemma4.";
    writer.put("general.architecture", "gemma4").put("general.name", "scripted");
    writer.putUint32("general.file_type", 0);
    writer.putUint32(p + "block_count", 1);
    writer.putUint32(p + "context_length", 4096);
    writer.putUint32(p + "embedding_length", WIDTH);
    writer.put(p + "feed_forward_length", new int[] {FEED_FORWARD});
    writer.putUint32(p + "attention.head_count", 1);
    writer.putUint32(p + "attention.head_count_kv", 1);
    writer.put(p + "attention.layer_norm_rms_epsilon", 1e-6f);
    writer.putUint32(p + "attention.key_length", HEAD);
    writer.putUint32(p + "attention.value_length", HEAD);
    writer.putUint32(p + "attention.key_length_swa", HEAD);
    writer.putUint32(p + "attention.value_length_swa", HEAD);
    writer.putUint32(p + "attention.sliding_window", 512);
    writer.put(p + "attention.sliding_window_pattern", new boolean[] {false});
    writer.putUint32(p + "attention.shared_kv_layers", 0);
    writer.putUint32(p + "embedding_length_per_layer_input", 0);
    writer.put(p + "rope.freq_base", 1e6f).put(p + "rope.freq_base_swa", 1e4f);
    writer.putUint32(p + "rope.dimension_count", HEAD);
    writer.putUint32(p + "rope.dimension_count_swa", HEAD);
    writer.put(p + "final_logit_softcapping", 1000f);
  }

  private static void vocabulary(GgufWriter writer) {
    List<byte[]> tokens = new ArrayList<>(VOCABULARY);
    int[] types = new int[VOCABULARY];
    for (int id = 0; id < VOCABULARY; id++) {
      String text = TOKENS.get(id);
      types[id] = id < FIRST_TEXT_TOKEN ? 3 : 1;
      if (text == null && id >= FIRST_BYTE_TOKEN && id < FIRST_TEXT_TOKEN) {
        text = String.format("<0x%02X>", id - FIRST_BYTE_TOKEN);
        types[id] = 6;
      } else if (text == null) {
        text = "<unused" + id + ">";
        types[id] = 5;
      }
      tokens.add(utf8(text));
    }
    String p = "tokenizer.ggml.";
    writer.put(p + "model", "gemma4").put(p + "tokens", tokens);
    writer.put(p + "scores", new float[VOCABULARY]).put(p + "token_type", types);
    // there has to be a merge
    writer.put(p + "merges", List.of(utf8("x y")));
    writer.putUint32(p + "bos_token_id", 2).putUint32(p + "eos_token_id", TURN_END);
    writer.putUint32(p + "unknown_token_id", 3).putUint32(p + "padding_token_id", 0);
    writer.put(p + "add_bos_token", true).put(p + "add_space_prefix", false);
  }

  private static void tensors(GgufWriter writer) {
    float[] identity = new float[VOCABULARY * WIDTH];
    float[] successors = new float[VOCABULARY * WIDTH];
    for (int id = 0; id < VOCABULARY; id++) {
      identity[id * WIDTH + id] = 1;
      successors[SUCCESSORS.getOrDefault(id, TURN_END) * WIDTH + id] = 10;
    }
    tensor(writer, "token_embd.weight", identity, WIDTH, VOCABULARY);
    tensor(writer, "output.weight", successors, WIDTH, VOCABULARY);
    ones(writer, "output_norm.weight", WIDTH);
    String p = "blk.0.";
    for (String norm : List.of("attn", "post_attention", "ffn", "post_ffw")) {
      ones(writer, p + norm + "_norm.weight", WIDTH);
    }
    ones(writer, p + "attn_q_norm.weight", HEAD);
    ones(writer, p + "attn_k_norm.weight", HEAD);
    for (String projection : List.of("attn_q", "attn_k", "attn_v")) {
      zeros(writer, p + projection + ".weight", WIDTH, HEAD);
    }
    zeros(writer, p + "attn_output.weight", HEAD, WIDTH);
    zeros(writer, p + "ffn_gate.weight", WIDTH, FEED_FORWARD);
    zeros(writer, p + "ffn_up.weight", WIDTH, FEED_FORWARD);
    zeros(writer, p + "ffn_down.weight", FEED_FORWARD, WIDTH);
  }

  private static void ones(GgufWriter writer, String name, int size) {
    float[] values = new float[size];
    Arrays.fill(values, 1);
    tensor(writer, name, values, size);
  }

  private static void zeros(GgufWriter writer, String name, int columns, int rows) {
    tensor(writer, name, new float[columns * rows], columns, rows);
  }

  private static void tensor(GgufWriter writer, String name, float[] values, long... dims) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    writer.tensor(name, GgmlType.F32, dims, out -> out.write(bytes.array()));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
