package pelican.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import pelican.chat.Message;
import pelican.engine.Chat;
import pelican.engine.Model;
import pelican.engine.PelicanException;
import pelican.engine.Session;
import pelican.models.ModelResolver;
import pelican.models.StoredModel;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The options of commands that talk with a model, and what those have in common. */
final class AnswerOptions {
  @ArgGroup(validate = false, heading = "%nGeneration:%n")
  private ParameterOptions parameters = new ParameterOptions();

  @Option(names = "--system", description = "What the model is to be, for the conversation.")
  private String system;

  @Option(
      names = "--think",
      arity = "0..1",
      fallbackValue = "true",
      defaultValue = "false",
      paramLabel = "true|false",
      description = "Let the model think before it answers.")
  private boolean think;

  @Option(names = "--hidethinking", description = "Do not show thoughts.")
  private boolean hideThinking;

  @Option(names = "--verbose", description = "Print times, rates and the kernels in use.")
  private boolean verbose;

  int talk(ModelOption choice, List<String> words) throws IOException {
    ModelResolver.Resolved resolved = choice.resolve();
    Parameters settings = settings(resolved);
    boolean piped = !Terminals.isInteractive();
    String prompt = String.join(" ", words);
    if (piped && words.isEmpty()) {
      prompt = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).strip();
      if (prompt.isEmpty()) {
        throw new PelicanException("the input is empty, expected a prompt");
      }
    }
    String system = systemMessage(resolved);
    try (Model model = Model.load(resolved.file(), choice.options())) {
      if (verbose) {
        System.err.println("kernels: " + model.kernels());
      }
      if (prompt.isEmpty()) {
        return new Conversation(model, settings, system, think, hideThinking, verbose).run();
      }
      return once(model, settings, system, prompt, piped);
    }
  }

  /** The model's own parameters, then those of the command line. */
  private Parameters settings(ModelResolver.Resolved resolved) {
    Parameters settings = new Parameters();
    resolved
        .stored()
        .ifPresent(stored ->
            stored
                .parameters()
                .forEach((name, values) -> {
                  // Stores hold parameters of engines that have others too.
                  if (Parameters.NAMES.contains(name)) {
                    settings.set(name, values);
                  }
                }));
    parameters.applyTo(settings);
    return settings;
  }

  private String systemMessage(ModelResolver.Resolved resolved) {
    return system != null ? system : resolved.stored().flatMap(StoredModel::system).orElse(null);
  }

  private int once(Model model, Parameters settings, String system, String prompt, boolean piped) {
    Session session =
        settings.contextLength().isPresent()
            ? model.newSession(settings.contextLength().getAsInt())
            : model.newSession();
    Chat chat = model.chat(session).options(settings.options()).think(think);
    if (system != null) {
      chat.messages().add(Message.system(system));
    }
    chat.messages().add(Message.user(prompt));
    PrintStream out = System.out;
    AnswerPrinter printer = new AnswerPrinter(out, !piped, hideThinking);
    printer.answer(chat, verbose ? System.err : null, model.loadTime());
    return out.checkError() ? Failures.FAILURE : 0;
  }
}
