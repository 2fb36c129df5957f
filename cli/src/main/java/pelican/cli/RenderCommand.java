package pelican.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import pelican.chat.Tool;
import pelican.engine.Model;
import pelican.tokenizer.TextSegment;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "render",
    description = "Prints the prompt that a conversation becomes.",
    mixinStandardHelpOptions = true)
final class RenderCommand implements Callable<Integer> {
  @Mixin private ModelOption model;

  @Option(
      names = "--messages",
      required = true,
      paramLabel = "FILE",
      description = "JSON: a list of messages with role, content and so on, as in Ollama's API.")
  private Path messages;

  @Option(names = "--tools", paramLabel = "FILE", description = "JSON: a list of tools.")
  private Path tools;

  @Option(
      names = "--think",
      arity = "1",
      defaultValue = "false",
      paramLabel = "true|false",
      description = "Whether the model is to think.")
  private boolean think;

  @Override
  public Integer call() throws IOException {
    List<Tool> declared = tools == null ? List.of() : ConversationJson.tools(tools);
    try (Model loaded = model.load()) {
      System.out.print(
          loaded
              .promptRenderer()
              .render(ConversationJson.messages(messages), declared, think)
              .stream()
              .map(TextSegment::text)
              .collect(Collectors.joining()));
      System.out.flush();
      return 0;
    }
  }
}
