package pelican.summary;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import pelican.gguf.FileType;
import pelican.gguf.GgmlType;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufMetadata;
import pelican.gguf.TensorInfo;

/**
 * What a model file holds, in numbers.
 *
 * @param architecture general.architecture
 * @param parameters number of weights
 * @param contextLength tokens that the model was trained for; 0 if not stated
 * @param embeddingLength width of the residual stream; 0 if not stated
 * @param quantization label of the quantization mix
 * @param fileBytes size of the file
 * @param types tensors by type
 */
public record ModelSummary(
    String architecture,
    long parameters,
    int contextLength,
    int embeddingLength,
    String quantization,
    long fileBytes,
    Map<GgmlType, TypeCount> types) {
  /** How many tensors are of a type, with their weights and bytes. */
  public record TypeCount(int tensors, long weights, long bytes) {
    TypeCount plus(TensorInfo tensor) {
      return new TypeCount(
          tensors + 1, weights + tensor.columns() * tensor.rows(), bytes + tensor.byteSize());
    }
  }

  /** Sums up a file. */
  public static ModelSummary of(GgufFile file) {
    GgufMetadata metadata = file.metadata();
    String architecture = metadata.string("general.architecture");
    Map<GgmlType, TypeCount> types = new TreeMap<>();
    for (TensorInfo tensor : file.tensors().values()) {
      types.merge(
          tensor.type(), new TypeCount(0, 0, 0).plus(tensor), (count, one) -> count.plus(tensor));
    }
    return new ModelSummary(
        architecture,
        types.values().stream().mapToLong(TypeCount::weights).sum(),
        metadata.integer(architecture + ".context_length", 0),
        metadata.integer(architecture + ".embedding_length", 0),
        FileType.label(metadata),
        file.size(),
        types);
  }

  /** Bits that a weight takes in the file, on average. */
  public double bitsPerWeight() {
    long bytes = types.values().stream().mapToLong(TypeCount::bytes).sum();
    return parameters == 0 ? 0 : 8.0 * bytes / parameters;
  }

  /** Prints what a file holds. */
  public static void print(PrintStream out, Path path) {
    try (GgufFile file = GgufFile.open(path)) {
      of(file).print(out);
    }
  }

  /** Prints the numbers. */
  public void print(PrintStream out) {
    out.println("  Model");
    Map<String, String> rows = new LinkedHashMap<>();
    rows.put("architecture", architecture);
    rows.put("parameters", count(parameters));
    rows.put("context length", Integer.toString(contextLength));
    rows.put("embedding length", Integer.toString(embeddingLength));
    rows.put("quantization", quantization);
    rows.put("bits per weight", String.format(Locale.ROOT, "%.2f", bitsPerWeight()));
    rows.put("file size", size(fileBytes));
    rows.forEach((name, value) -> out.printf("    %-20s%s%n", name, value));
    out.println();
    out.println("  Tensors");
    types.forEach((type, count) ->
        out.printf(
            "    %-8s%6d tensors  %10s weights  %10s%n",
            type, count.tensors(), count(count.weights()), size(count.bytes())));
    out.println();
  }

  /** {@code 8.0B}, {@code 268.10M}: as Ollama writes numbers of weights. */
  public static String count(long weights) {
    if (weights >= 1_000_000_000) {
      return String.format(Locale.ROOT, "%.1fB", weights / 1e9);
    }
    if (weights >= 1_000_000) {
      return String.format(Locale.ROOT, "%.2fM", weights / 1e6);
    }
    return weights >= 1000
        ? String.format(Locale.ROOT, "%.2fK", weights / 1e3)
        : Long.toString(weights);
  }

  /** Powers of 1000; a whole number from 10 on, one decimal below. */
  public static String size(long bytes) {
    String[] units = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
    int unit = 0;
    double value = bytes;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    if (value >= 10 || value == Math.rint(value)) {
      return (long) value + " " + units[unit];
    }
    return String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
  }
}
