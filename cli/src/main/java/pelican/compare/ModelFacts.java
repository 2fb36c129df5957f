package pelican.compare;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import pelican.gguf.GgmlType;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufMetadata;
import pelican.gguf.TensorInfo;
import pelican.summary.ModelSummary;

/**
 * What a file holds and takes.
 *
 * @param model what the model is called here
 * @param file the name of its file
 * @param name general.name
 * @param architecture general.architecture
 * @param layers number of layers; 0 if not stated
 * @param contextLength tokens that it was trained for; 0 if not stated
 * @param quantization label of the quantization mix
 * @param parameters number of weights
 * @param fileBytes size of the file
 * @param bitsPerWeight bits of a weight, on average
 * @param saving by which share the file is smaller than the reference's; negative if it is larger
 * @param types bytes by tensor type
 * @param tokenizer fingerprint of the tokenizer
 * @param template fingerprint of the chat template; empty if there is none
 * @param fingerprint fingerprint of the tensors
 */
record ModelFacts(
    String model,
    String file,
    String name,
    String architecture,
    int layers,
    int contextLength,
    String quantization,
    long parameters,
    long fileBytes,
    double bitsPerWeight,
    double saving,
    List<TypeBytes> types,
    String tokenizer,
    String template,
    String fingerprint) {
  /** Metadata that states how weights are stored, and so may differ. */
  private static final Set<String> STORAGE =
      Set.of("general.file_type", "general.quantization_version", "general.size_label");

  /** What the tensors of a type take. */
  record TypeBytes(String type, int tensors, long weights, long bytes) {}

  /**
   * A metadata key in all files.
   *
   * @param values its value in each file; long ones are shortened, with a fingerprint
   * @param differs whether they are not all equal
   * @param storage whether it only states how weights are stored
   */
  record MetadataRow(String key, List<String> values, boolean differs, boolean storage) {}

  static ModelFacts of(String label, GgufFile file, long referenceBytes) {
    ModelSummary summary = ModelSummary.of(file);
    GgufMetadata metadata = file.metadata();
    List<TypeBytes> types = new ArrayList<>();
    for (Map.Entry<GgmlType, ModelSummary.TypeCount> entry : summary.types().entrySet()) {
      ModelSummary.TypeCount count = entry.getValue();
      types.add(
          new TypeBytes(
              entry.getKey().toString(), count.tensors(), count.weights(), count.bytes()));
    }
    String template = metadata.string("tokenizer.chat_template", "");
    return new ModelFacts(
        label,
        file.path().getFileName().toString(),
        metadata.string("general.name", ""),
        summary.architecture(),
        metadata.integer(summary.architecture() + ".block_count", 0),
        summary.contextLength(),
        summary.quantization(),
        summary.parameters(),
        summary.fileBytes(),
        summary.bitsPerWeight(),
        1 - (double) summary.fileBytes() / referenceBytes,
        types,
        Fingerprint.ofTokenizer(metadata),
        template.isEmpty() ? "" : Fingerprint.of(template),
        Fingerprint.of(file));
  }

  /** All metadata side by side. */
  static List<MetadataRow> metadata(List<GgufFile> files) {
    Set<String> keys = new LinkedHashSet<>();
    files.forEach(file -> keys.addAll(file.metadata().keys()));
    List<MetadataRow> rows = new ArrayList<>();
    for (String key : keys) {
      List<String> values = files.stream().map(file -> value(file.metadata(), key)).toList();
      boolean storage = STORAGE.contains(key) || key.startsWith("quantize.");
      rows.add(new MetadataRow(key, values, Set.copyOf(values).size() > 1, storage));
    }
    return rows;
  }

  private static String value(GgufMetadata metadata, String key) {
    if (!metadata.has(key)) {
      return "—";
    }
    Object value = metadata.get(key);
    if (value instanceof List<?> list && list.size() > 8) {
      String all = list.stream().map(String::valueOf).collect(Collectors.joining("\n"));
      return list.size() + " values, " + Fingerprint.of(all);
    }
    String text = String.valueOf(value);
    return text.length() > 80
        ? text.substring(0, 40) + "… " + text.length() + " characters, " + Fingerprint.of(text)
        : text;
  }

  /**
   * What keeps two files from being the same model in different storage, one sentence each; empty
   * if nothing does. Whether the weights are the same, but for rounding, only their comparison
   * shows.
   */
  static List<String> differences(ModelFacts a, GgufFile fileA, ModelFacts b, GgufFile fileB) {
    List<String> found = new ArrayList<>();
    differ(found, "architecture", a.architecture, b.architecture);
    differ(found, "number of layers", a.layers, b.layers);
    differ(found, "context length", a.contextLength, b.contextLength);
    differ(found, "tokenizer", a.tokenizer, b.tokenizer);
    differ(found, "chat template", orNone(a.template), orNone(b.template));
    Set<String> names = new TreeSet<>(fileA.tensors().keySet());
    names.addAll(fileB.tensors().keySet());
    List<String> tensors =
        names.stream()
            .filter(name ->
                !Objects.equals(
                    fileA.find(name).map(TensorInfo::dims), fileB.find(name).map(TensorInfo::dims)))
            .toList();
    if (!tensors.isEmpty()) {
      found.add(
          "%d of %d tensors are missing on one side or have another shape, %s first"
              .formatted(tensors.size(), names.size(), tensors.getFirst()));
    }
    return found;
  }

  private static void differ(List<String> found, String what, Object a, Object b) {
    if (!a.equals(b)) {
      found.add("the " + what + " differs: " + a + " and " + b);
    }
  }

  private static String orNone(String template) {
    return template.isEmpty() ? "none" : template;
  }
}
