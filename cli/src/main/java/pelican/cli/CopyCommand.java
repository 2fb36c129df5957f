package pelican.cli;

import java.util.concurrent.Callable;
import pelican.models.Aliases;
import pelican.models.ModelName;
import pelican.models.OllamaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "cp",
    description = "Gives a model in Ollama's store another name.",
    mixinStandardHelpOptions = true)
final class CopyCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "SOURCE", description = "Name of a model.")
  private String source;

  @Parameters(index = "1", paramLabel = "DESTINATION", description = "Its other name.")
  private String destination;

  @Override
  public Integer call() {
    String from = Aliases.ofUser().target(source).orElse(source);
    OllamaStore.locate().copy(ModelName.parse(from), ModelName.parse(destination));
    System.out.println("copied '" + source + "' to '" + destination + "'");
    return 0;
  }
}
