package pelican.models.quantize;

import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pelican.gguf.GgmlType;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufMetadata;
import pelican.gguf.TensorInfo;

/**
 * Which type each tensor of a file gets in a mix: the choices of llama.cpp's quantizer, so that
 * files have the same sizes and much the same quality.
 *
 * <p>Matrices are quantized; norms, scales, routers and the projection of the per-layer embeddings
 * stay as they are. The matrix that makes the logits gets 6 bits. In the mixes named M the values'
 * projection and the second matrix of the feed-forward part get 6 bits in the first and last eighth
 * of the layers and in every third between. Models of eight experts get more bits for attention.
 */
final class TypeChoice {
  private static final Pattern LAYER = Pattern.compile("blk\\.(\\d{1,6})\\..*");
  private static final String OUTPUT = "output.weight";
  private static final List<String> EMBEDDINGS =
      List.of("token_embd.weight", "per_layer_token_embd.weight");

  /** Parts of the names of matrices that are not quantized. */
  private static final List<String> KEPT =
      List.of("_norm.weight", "ffn_gate_inp.weight", "per_layer_model_proj.weight");

  private final QuantizationMix mix;
  private final boolean ownOutput;
  private final int layers;
  private final int experts;
  private final Map<String, Integer> valueIndex;
  private final Map<String, Integer> downIndex;

  TypeChoice(GgufFile file, QuantizationMix mix) {
    this.mix = mix;
    GgufMetadata metadata = file.metadata();
    String architecture = metadata.string("general.architecture");
    this.layers = metadata.integer(architecture + ".block_count");
    this.experts = metadata.integer(architecture + ".expert_count", 0);
    this.ownOutput = file.find(OUTPUT).isPresent();
    Collection<TensorInfo> tensors = file.tensors().values();
    this.valueIndex = indexed(tensors, TypeChoice::isValue);
    this.downIndex = indexed(tensors, TypeChoice::isDown);
  }

  /** The tensors of a kind, numbered by layer. */
  private static Map<String, Integer> indexed(
      Collection<TensorInfo> tensors, Predicate<String> kind) {
    Map<String, Integer> index = new HashMap<>();
    tensors.stream()
        .map(TensorInfo::name)
        .filter(kind)
        .sorted(Comparator.comparingInt(TypeChoice::layer))
        .forEach(name -> index.put(name, index.size()));
    return index;
  }

  /** The type of a tensor in the mix; its own where it is not touched. */
  GgmlType of(TensorInfo tensor) {
    String name = tensor.name();
    if (tensor.dims().size() < 2
        || !name.endsWith("weight")
        || KEPT.stream().anyMatch(name::contains)) {
      return tensor.type();
    }
    return mix == QuantizationMix.F16 ? GgmlType.F16 : fitting(tensor, wanted(tensor));
  }

  private GgmlType wanted(TensorInfo tensor) {
    String name = tensor.name();
    GgmlType base = mix.base();
    boolean medium = mix == QuantizationMix.Q4_K_M || mix == QuantizationMix.Q5_K_M;
    boolean eightExperts = experts == 8;
    if (ownOutput ? name.equals(OUTPUT) : EMBEDDINGS.contains(name)) {
      boolean blocksFit = tensor.columns() % base.blockSize() == 0;
      return base == GgmlType.Q8_0 || !blocksFit ? GgmlType.Q8_0 : GgmlType.Q6_K;
    }
    if (eightExperts && (isValue(name) || name.contains("attn_k.weight"))) {
      return GgmlType.Q8_0;
    }
    if (eightExperts && name.contains("attn_output.weight") && mix == QuantizationMix.Q4_K_M) {
      return GgmlType.Q5_K;
    }
    if (medium && isValue(name)) {
      return moreBits(valueIndex.get(name), valueIndex.size()) ? GgmlType.Q6_K : base;
    }
    if (medium && isDown(name)) {
      int index = experts > 1 ? layer(name) : downIndex.get(name);
      return moreBits(index, layers) ? GgmlType.Q6_K : base;
    }
    if (medium && name.contains("attn_qkv.weight")) {
      return mix == QuantizationMix.Q4_K_M ? GgmlType.Q5_K : GgmlType.Q6_K;
    }
    return base;
  }

  private static boolean isValue(String name) {
    return name.contains("attn_v.weight");
  }

  private static boolean isDown(String name) {
    return name.contains("ffn_down") && name.endsWith("weight");
  }

  private static int layer(String name) {
    Matcher matcher = LAYER.matcher(name);
    return matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
  }

  private static boolean moreBits(int index, int count) {
    return index < count / 8 || index >= 7 * count / 8 || (index - count / 8) % 3 == 2;
  }

  /** The type, or one of smaller blocks where rows are no whole number of blocks. */
  private static GgmlType fitting(TensorInfo tensor, GgmlType type) {
    if (tensor.columns() % type.blockSize() == 0) {
      return type;
    }
    GgmlType smaller =
        switch (type) {
          case Q4_K -> GgmlType.Q5_0;
          case Q5_K -> GgmlType.Q5_1;
          case Q6_K -> GgmlType.Q8_0;
          default -> GgmlType.F16;
        };
    return tensor.columns() % smaller.blockSize() == 0 ? smaller : GgmlType.F16;
  }
}
