package pelican.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "chat",
    description = {
      "Talks with a model.",
      "With a prompt, or input from a pipe, answers once; otherwise begins a conversation."
    },
    mixinStandardHelpOptions = true)
final class ChatCommand implements Callable<Integer> {
  @Mixin private ModelOption model;
  @Mixin private AnswerOptions answers;

  @Parameters(arity = "0..*", paramLabel = "PROMPT", description = "What to say to the model.")
  private List<String> prompt = List.of();

  @Override
  public Integer call() throws IOException {
    return answers.talk(model, prompt);
  }
}
