package pelican.cli;

import java.util.List;
import java.util.concurrent.Callable;
import pelican.models.Aliases;
import pelican.models.ModelName;
import pelican.models.OllamaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "rm",
    description = "Removes models from Ollama's store.",
    mixinStandardHelpOptions = true)
final class RemoveCommand implements Callable<Integer> {
  @Parameters(arity = "1..*", paramLabel = "MODEL", description = "Names or aliases of models.")
  private List<String> models;

  @Override
  public Integer call() {
    OllamaStore store = OllamaStore.locate();
    Aliases aliases = Aliases.ofUser();
    for (String model : models) {
      store.remove(ModelName.parse(aliases.target(model).orElse(model)));
      System.out.println("deleted '" + model + "'");
    }
    return 0;
  }
}
