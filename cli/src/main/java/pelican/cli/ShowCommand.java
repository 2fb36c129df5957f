package pelican.cli;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufMetadata;
import pelican.gguf.StringArray;
import pelican.gguf.TensorInfo;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

@Command(
    name = "show",
    description = "Shows what a model file is and holds.",
    mixinStandardHelpOptions = true)
final class ShowCommand implements Callable<Integer> {
  /** Longer arrays are shown by their beginning. */
  private static final int SHOWN = 8;

  @Parameters(paramLabel = "FILE", description = "Path of a GGUF file.")
  private String file;

  @Option(names = "--tensors", description = "List the tensors.")
  private boolean tensors;

  @Option(names = "--metadata", description = "List the metadata.")
  private boolean metadata;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() {
    try (GgufFile gguf = GgufFile.open(Path.of(file))) {
      ModelSummary summary = ModelSummary.of(gguf);
      if (json) {
        System.out.println(
            JsonMapper.builder()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .build()
                .writeValueAsString(asMap(gguf, summary)));
        return 0;
      }
      summary.print(System.out);
      if (metadata) {
        printMetadata(System.out, gguf.metadata());
      }
      if (tensors) {
        printTensors(System.out, gguf);
      }
      return 0;
    }
  }

  private static void printMetadata(PrintStream out, GgufMetadata metadata) {
    out.println("  Metadata");
    for (String key : metadata.keys()) {
      out.printf("    %-48s %s%n", key, shortened(metadata.get(key)));
    }
    out.println();
  }

  private static void printTensors(PrintStream out, GgufFile file) {
    out.println("  Tensors by name");
    for (TensorInfo tensor : file.tensors().values()) {
      out.printf(
          "    %-36s %-7s %-20s %s%n",
          tensor.name(), tensor.type(), tensor.dims(), ModelSummary.size(tensor.byteSize()));
    }
    out.println();
  }

  private static String shortened(Object value) {
    if (value instanceof List<?> list && !(value instanceof StringArray && list.isEmpty())) {
      String begin =
          list.stream().limit(SHOWN).map(ShowCommand::shortened).collect(Collectors.joining(", "));
      return "[" + begin + (list.size() > SHOWN ? ", … " + list.size() + " in all" : "") + "]";
    }
    String text = String.valueOf(value).replace("\n", "\\n");
    return text.length() > 80 ? text.substring(0, 80) + "…" : text;
  }

  private Map<String, Object> asMap(GgufFile gguf, ModelSummary summary) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("architecture", summary.architecture());
    map.put("parameters", summary.parameters());
    map.put("context_length", summary.contextLength());
    map.put("embedding_length", summary.embeddingLength());
    map.put("quantization", summary.quantization());
    map.put(
        "bits_per_weight",
        Double.parseDouble(String.format(Locale.ROOT, "%.4f", summary.bitsPerWeight())));
    map.put("file_size", summary.fileBytes());
    Map<String, Object> types = new LinkedHashMap<>();
    summary
        .types()
        .forEach((type, count) ->
            types.put(
                type.toString(),
                Map.of(
                    "tensors", count.tensors(),
                    "weights", count.weights(),
                    "bytes", count.bytes())));
    map.put("tensor_types", types);
    if (metadata) {
      Map<String, Object> values = new LinkedHashMap<>();
      for (String key : gguf.metadata().keys()) {
        values.put(key, gguf.metadata().get(key));
      }
      map.put("metadata", values);
    }
    if (tensors) {
      map.put(
          "tensors",
          gguf.tensors().values().stream()
              .map(tensor ->
                  Map.of(
                      "name", tensor.name(),
                      "type", tensor.type().toString(),
                      "shape", tensor.dims(),
                      "bytes", tensor.byteSize()))
              .toList());
    }
    return map;
  }
}
