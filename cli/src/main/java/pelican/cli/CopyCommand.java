package pelican.cli;

import java.util.concurrent.Callable;
import pelican.models.Aliases;
import pelican.models.DemoModel;
import pelican.models.ModelCreator;
import pelican.models.ModelName;
import pelican.models.ModelResolver;
import pelican.models.OllamaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "cp",
    description = "Gives a model in Ollama's store another name; puts a carried one there.",
    mixinStandardHelpOptions = true)
final class CopyCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "SOURCE", description = "Name or alias of a model.")
  private String source;

  @Parameters(index = "1", paramLabel = "DESTINATION", description = "Its other name.")
  private String destination;

  @Override
  public Integer call() {
    // A word means the same everywhere: a copy under an alias could not be reached by it.
    Aliases aliases = Aliases.ofUser();
    ModelName from = ModelName.parse(aliases.target(source).orElse(source));
    ModelName to = ModelName.parse(aliases.target(destination).orElse(destination));
    OllamaStore store = OllamaStore.locate();
    if (store.find(from).isEmpty() && DemoModel.byName(from.display()).isPresent()) {
      try (WorkBars bars = new WorkBars(Terminals.isInteractive())) {
        new ModelCreator(store, bars)
            .add(to, new ModelResolver(aliases, store).resolve(from.display()));
      }
    } else {
      store.copy(from, to);
    }
    System.out.println("copied '" + source + "' to '" + destination + "'");
    return 0;
  }
}
