package pelican.cli;

import pelican.engine.Model;
import pelican.engine.ModelOptions;
import pelican.engine.PelicanException;
import pelican.models.ModelResolver;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that choose a model and how it is run. */
final class ModelOption {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = {"--model", "-m"},
      defaultValue = "demo",
      paramLabel = "MODEL",
      description = "Name, alias (q4, q6, demo) or path of a model; default: ${DEFAULT-VALUE}.")
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

  /** The model that the user means. */
  ModelResolver.Resolved resolve() {
    return ModelResolver.ofUser().resolve(name);
  }

  Model load() {
    return load(options());
  }

  Model load(ModelOptions options) {
    return Model.load(resolve().file(), options);
  }

  ModelOptions options() {
    try {
      return threads == null ? ModelOptions.DEFAULT : ModelOptions.DEFAULT.withThreads(threads);
    } catch (PelicanException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }
}
