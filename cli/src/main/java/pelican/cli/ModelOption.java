package pelican.cli;

import java.nio.file.Path;
import pelican.engine.Model;
import pelican.engine.ModelOptions;
import picocli.CommandLine.Option;

/** The options that choose a model and how it is run. */
final class ModelOption {
  @Option(
      names = {"--model", "-m"},
      required = true,
      paramLabel = "MODEL",
      description = "Path of a GGUF file.")
  private String name;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute; default: the number of cores.")
  private Integer threads;

  ModelOption() {}

  ModelOption(String name) {
    this.name = name;
  }

  String name() {
    return name;
  }

  Model load() {
    return load(options());
  }

  Model load(ModelOptions options) {
    return Model.load(Path.of(name), options);
  }

  ModelOptions options() {
    return threads == null ? ModelOptions.DEFAULT : ModelOptions.DEFAULT.withThreads(threads);
  }
}
