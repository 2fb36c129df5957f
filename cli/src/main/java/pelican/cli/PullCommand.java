package pelican.cli;

import java.util.concurrent.Callable;
import pelican.models.Aliases;
import pelican.models.ModelName;
import pelican.models.OllamaStore;
import pelican.models.Puller;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "pull",
    description = "Fetches a model from a registry into Ollama's store.",
    mixinStandardHelpOptions = true)
final class PullCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "Name or alias of a model.")
  private String model;

  @Option(names = "--insecure", description = "Plain http instead of https.")
  private boolean insecure;

  @Override
  public Integer call() {
    ModelName name = ModelName.parse(Aliases.ofUser().target(model).orElse(model));
    try (WorkBars bars = new WorkBars(Terminals.isInteractive())) {
      new Puller(OllamaStore.locate(), bars).pull(model, name, insecure);
    }
    return 0;
  }
}
