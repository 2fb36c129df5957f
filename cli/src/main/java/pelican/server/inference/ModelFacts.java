package pelican.server.inference;

import java.nio.file.Path;
import pelican.gguf.FileType;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufMetadata;

/**
 * What a model file says about itself.
 *
 * @param name what the file calls the model; may be empty
 * @param architecture {@code gemma4}
 * @param parameters number of weights
 * @param contextLength tokens that it was trained for; 0 if not stated
 * @param embeddingLength width of the residual stream; 0 if not stated
 * @param quantization label of the quantization mix
 * @param embeddingOnly whether it pools its outputs: it makes embeddings, not text
 * @param bytes size of the file
 */
public record ModelFacts(
    String name,
    String architecture,
    long parameters,
    int contextLength,
    int embeddingLength,
    String quantization,
    boolean embeddingOnly,
    long bytes) {
  static ModelFacts read(Path path) {
    try (GgufFile file = GgufFile.open(path)) {
      GgufMetadata metadata = file.metadata();
      String architecture = metadata.string("general.architecture");
      return new ModelFacts(
          metadata.string("general.name", ""),
          architecture,
          file.tensors().values().stream().mapToLong(t -> t.columns() * t.rows()).sum(),
          metadata.integer(architecture + ".context_length", 0),
          metadata.integer(architecture + ".embedding_length", 0),
          FileType.label(metadata),
          metadata.has(architecture + ".pooling_type"),
          file.size());
    }
  }

  /** {@code 8.2M}: as Ollama writes numbers of weights. */
  public static String count(long weights) {
    if (weights >= 1_000_000_000) {
      return scaled(weights, 1e9, 1) + "B";
    }
    if (weights >= 1_000_000) {
      return scaled(weights, 1e6, 2) + "M";
    }
    return weights >= 1000 ? weights / 1000 + "K" : Long.toString(weights);
  }

  private static String scaled(long weights, double unit, int digits) {
    double value = weights / unit;
    return value == Math.rint(value)
        ? Long.toString((long) value)
        : String.format(java.util.Locale.ROOT, "%." + digits + "f", value);
  }
}
