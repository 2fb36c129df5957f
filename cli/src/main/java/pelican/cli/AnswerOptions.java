package pelican.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import pelican.chat.Message;
import pelican.engine.Chat;
import pelican.engine.Model;
import pelican.engine.PelicanException;
import pelican.engine.Session;
import pelican.models.ModelResolver;
import pelican.models.StoredModel;
import pelican.sampling.SamplingOptions;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of commands that talk with a model, and what those have in common. */
final class AnswerOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

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
    // What is wrong with them is said before a large file is opened.
    settings(resolved, SamplingOptions.GEMMA);
    boolean interactive = Terminals.isInteractive();
    String prompt = prompt(words);
    if (prompt.isEmpty() && !interactive) {
      throw new PelicanException("the input is empty, expected a prompt");
    }
    String system = systemMessage(resolved);
    List<Message> first = resolved.stored().map(StoredModel::messages).orElse(List.of());
    try (Model model = Model.load(resolved.file(), choice.options())) {
      Parameters settings = settings(resolved, model.recommendedSampling());
      if (verbose) {
        System.err.println("kernels: " + model.kernels());
      }
      if (prompt.isEmpty()) {
        return new Conversation(model, settings, system, think, hideThinking, verbose)
            .beginWith(first)
            .run();
      }
      List<Message> messages = new ArrayList<>();
      if (system != null) {
        messages.add(Message.system(system));
      }
      messages.addAll(first);
      messages.add(Message.user(prompt));
      return once(model, settings, messages, interactive);
    }
  }

  /** What comes by a pipe, then what stands in the command line. */
  private static String prompt(List<String> words) throws IOException {
    String prompt = String.join(" ", words);
    if (!Terminals.isInputPiped()) {
      return prompt;
    }
    String input = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).strip();
    return (input + " " + prompt).strip();
  }

  /** What the file recommends, then the store's parameters, then those of the command line. */
  private Parameters settings(ModelResolver.Resolved resolved, SamplingOptions recommended) {
    Parameters settings = new Parameters(recommended);
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
    try {
      parameters.applyTo(settings);
    } catch (PelicanException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
    return settings;
  }

  private String systemMessage(ModelResolver.Resolved resolved) {
    return system != null ? system : resolved.stored().flatMap(StoredModel::system).orElse(null);
  }

  private int once(Model model, Parameters settings, List<Message> messages, boolean interactive) {
    Session session =
        settings.contextLength().isPresent()
            ? model.newSession(settings.contextLength().getAsInt())
            : model.newSession();
    Chat chat = model.chat(session).options(settings.options()).think(think);
    chat.messages().addAll(messages);
    PrintStream out = System.out;
    AnswerPrinter printer = new AnswerPrinter(out, interactive, hideThinking);
    printer.answer(chat, verbose ? System.err : null, model.loadTime());
    return out.checkError() ? Failures.FAILURE : 0;
  }
}
