package pelican.cli;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import pelican.models.OllamaStore;
import pelican.models.StoredModel;
import pelican.summary.ModelSummary;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "list",
    aliases = "ls",
    description = "Lists the models in Ollama's store.",
    mixinStandardHelpOptions = true)
final class ListCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..1",
      paramLabel = "PREFIX",
      defaultValue = "",
      description = "Only names that begin so.")
  private String prefix;

  @Override
  public Integer call() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("NAME", "ID", "SIZE", "MODIFIED"));
    for (StoredModel model : OllamaStore.locate().list(prefix)) {
      rows.add(
          List.of(
              model.name().display(),
              model.manifest().digest().abbreviated(),
              ModelSummary.size(model.manifest().size()),
              RelativeTime.ago(Duration.between(model.modified(), Instant.now()))));
    }
    Tables.print(System.out, rows);
    return 0;
  }
}
