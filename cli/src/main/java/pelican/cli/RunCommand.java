package pelican.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "run",
    description = "Talks with a model, as 'chat' does, spelled as Ollama spells it.",
    mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "MODEL", description = "Name, alias or path of a model.")
  private String model;

  @Mixin private AnswerOptions answers;

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "PROMPT",
      description = "What to say to the model.")
  private List<String> prompt = List.of();

  @Override
  public Integer call() throws IOException {
    return answers.talk(new ModelOption(model), prompt);
  }
}
