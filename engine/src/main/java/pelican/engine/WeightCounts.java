package pelican.engine;

import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pelican.gemma.GemmaConfig;
import pelican.gguf.GgufFile;
import pelican.gguf.TensorInfo;

/** How many of a model's weights the computation of a token takes. */
record WeightCounts(GgufFile file, GemmaConfig config) {
  private static final Pattern LAYER_TENSOR = Pattern.compile("blk\\.(\\d+)\\.(.*)");

  private static final Set<String> KEY_AND_VALUE_TENSORS =
      Set.of("attn_norm.weight", "attn_k.weight", "attn_k_norm.weight", "attn_v.weight");

  /** Bytes that one token reads: all but rows that are looked up. */
  long bytesPerToken() {
    return sum(TensorInfo::byteSize, this::isMultiplied);
  }

  /** Weights that take part in one token. */
  long perToken() {
    return sum(WeightCounts::weights, this::isMultiplied);
  }

  /** Those that take part in a token whose logits nobody wants, up to the last keys and values. */
  long perPromptToken() {
    return sum(WeightCounts::weights, name -> isMultiplied(name) && isBeforeLastKeys(name));
  }

  private static long weights(TensorInfo tensor) {
    return tensor.columns() * tensor.rows();
  }

  private boolean isMultiplied(String tensor) {
    boolean ownOutput = file.find("output.weight").isPresent();
    return !tensor.equals("per_layer_token_embd.weight")
        && !(ownOutput && tensor.equals("token_embd.weight"));
  }

  private boolean isBeforeLastKeys(String tensor) {
    Matcher matcher = LAYER_TENSOR.matcher(tensor);
    if (!matcher.matches()) {
      return tensor.startsWith("per_layer_");
    }
    int layer = Integer.parseInt(matcher.group(1));
    int last = config.lastKvOwner();
    return layer < last || layer == last && KEY_AND_VALUE_TENSORS.contains(matcher.group(2));
  }

  private long sum(ToLongFunction<TensorInfo> size, Predicate<String> counts) {
    long sum = 0;
    for (TensorInfo tensor : file.tensors().values()) {
      if (counts.test(tensor.name())) {
        long all = size.applyAsLong(tensor);
        boolean expert = tensor.name().contains("_exps.");
        sum += expert ? all / config.experts() * config.expertsUsed() : all;
      }
    }
    return sum;
  }
}
