package pelican.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import pelican.engine.PelicanException;
import pelican.models.ModelCreator;
import pelican.models.ModelName;
import pelican.models.ModelResolver;
import pelican.models.Modelfile;
import pelican.models.OllamaStore;
import pelican.models.quantize.QuantizationMix;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "create",
    description = "Makes a model in Ollama's store from a Modelfile or a GGUF file.",
    mixinStandardHelpOptions = true)
final class CreateCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "MODEL", description = "Name of the model to make.")
  private String name;

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      defaultValue = "Modelfile",
      description = "The Modelfile, or a GGUF file alone; ${DEFAULT-VALUE} if not given.")
  private Path file;

  @Option(
      names = {"-q", "--quantize"},
      paramLabel = "TYPE",
      description = "Quantize the weights: Q4_K_M, Q6_K, Q8_0…")
  private String mix;

  @Override
  public Integer call() {
    ModelName target = ModelName.parse(name);
    Optional<QuantizationMix> quantization = Optional.ofNullable(mix).map(QuantizationMix::named);
    Path folder = file.toAbsolutePath().getParent();
    Modelfile recipe = recipe();
    ModelResolver.Resolved base = ModelCreator.base(recipe, folder, ModelResolver.ofUser());
    try (WorkBars bars = new WorkBars(Terminals.isInteractive())) {
      new ModelCreator(OllamaStore.locate(), bars).create(target, base, recipe, quantization);
    }
    System.out.println("created '" + target.display() + "'");
    return 0;
  }

  private Modelfile recipe() {
    if (file.toString().endsWith(".gguf")) {
      return Modelfile.parse("FROM " + file.toAbsolutePath(), file.toString());
    }
    try {
      return Modelfile.parse(Files.readString(file), file.toString());
    } catch (IOException e) {
      throw new PelicanException(file + ": cannot read the Modelfile: " + e.getMessage(), e);
    }
  }
}
