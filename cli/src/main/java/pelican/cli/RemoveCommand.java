package pelican.cli;

import java.util.List;
import java.util.concurrent.Callable;
import pelican.models.ModelName;
import pelican.models.OllamaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "rm",
    description = "Removes models from Ollama's store.",
    mixinStandardHelpOptions = true)
final class RemoveCommand implements Callable<Integer> {
  @Parameters(arity = "1..*", paramLabel = "MODEL", description = "Names of models.")
  private List<String> models;

  @Override
  public Integer call() {
    OllamaStore store = OllamaStore.locate();
    for (String model : models) {
      store.remove(ModelName.parse(model));
      System.out.println("deleted '" + model + "'");
    }
    return 0;
  }
}
