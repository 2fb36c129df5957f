package pelican.cli;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufMetadata;
import pelican.gguf.StringArray;
import pelican.gguf.TensorInfo;
import pelican.models.ModelResolver;
import pelican.models.ModelfileText;
import pelican.models.StoredModel;
import pelican.summary.ModelSummary;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

@Command(
    name = "show",
    description = "Shows what a model is and holds.",
    mixinStandardHelpOptions = true)
final class ShowCommand implements Callable<Integer> {
  /** Longer arrays are shown by their beginning. */
  private static final int SHOWN = 8;

  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

  @Parameters(paramLabel = "MODEL", description = "Name, alias or path of a model.")
  private String model;

  @ArgGroup private Part part = new Part();

  /** At most one of these. */
  private static final class Part {
    @Option(names = "--modelfile", description = "Print a Modelfile that makes it again.")
    private boolean modelfile;

    @Option(names = "--parameters", description = "Print only the parameters.")
    private boolean parameters;

    @Option(names = "--template", description = "Print only the template.")
    private boolean template;

    @Option(names = "--license", description = "Print only the licence.")
    private boolean license;

    @Option(names = "--system", description = "Print only the system message.")
    private boolean system;
  }

  @Option(names = "--tensors", description = "List the tensors.")
  private boolean tensors;

  @Option(names = "--metadata", description = "List the metadata.")
  private boolean metadata;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() {
    ModelResolver.Resolved resolved = ModelResolver.ofUser().resolve(model);
    Optional<StoredModel> stored = resolved.stored();
    try (GgufFile gguf = GgufFile.open(resolved.file())) {
      if (part.modelfile) {
        System.out.print(modelfile(resolved));
        return 0;
      }
      if (part.parameters || part.template || part.license || part.system) {
        System.out.println(partText(stored, gguf.metadata()));
        return 0;
      }
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
      stored.ifPresent(entry -> printStored(System.out, entry));
      if (metadata) {
        printMetadata(System.out, gguf.metadata());
      }
      if (tensors) {
        printTensors(System.out, gguf);
      }
      return 0;
    }
  }

  private String partText(Optional<StoredModel> stored, GgufMetadata metadata) {
    if (part.parameters) {
      return stored.map(entry -> ModelfileText.parameters(entry, "")).orElse("").stripTrailing();
    }
    if (part.license) {
      return stored.flatMap(StoredModel::license).orElse(metadata.string("general.license", ""));
    }
    if (part.system) {
      return stored.flatMap(StoredModel::system).orElse("");
    }
    return stored
        .flatMap(StoredModel::template)
        .orElse(metadata.string("tokenizer.chat_template", ""));
  }

  private static String modelfile(ModelResolver.Resolved resolved) {
    Optional<StoredModel> stored = resolved.stored();
    return ModelfileText.of(
        resolved.name(),
        resolved.file(),
        stored,
        stored.flatMap(StoredModel::template).orElse(""),
        stored.flatMap(StoredModel::system).orElse(""));
  }

  private static void printStored(PrintStream out, StoredModel stored) {
    if (!stored.parameters().isEmpty()) {
      out.println("  Parameters");
      out.print(ModelfileText.parameters(stored, "    "));
      out.println();
    }
    stored.system().ifPresent(text -> printBeginning(out, "System", text));
    stored.license().ifPresent(text -> printBeginning(out, "License", text));
  }

  private static void printBeginning(PrintStream out, String title, String text) {
    List<String> lines = text.lines().filter(line -> !line.isBlank()).toList();
    out.println("  " + title);
    lines.stream().limit(2).forEach(line -> out.println("    " + line.strip()));
    if (lines.size() > 2) {
      out.println("    ...");
    }
    out.println();
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
    // Files of strangers: what would steer the terminal is shown, not done.
    String text =
        CONTROL
            .matcher(String.valueOf(value).replace("\n", "\\n"))
            .replaceAll(found -> String.format("\\\\u%04x", (int) found.group().charAt(0)));
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
