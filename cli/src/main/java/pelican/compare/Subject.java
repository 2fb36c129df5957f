package pelican.compare;

import java.nio.file.Path;
import java.util.List;
import pelican.chat.Message;
import pelican.engine.Answer;
import pelican.engine.Chat;
import pelican.engine.GenerationOptions;
import pelican.engine.Model;
import pelican.engine.ModelOptions;
import pelican.engine.Session;
import pelican.gguf.GgufFile;

/** A model that takes part in a comparison, with its file and a session. */
final class Subject implements AutoCloseable {
  private final String label;
  private final Path path;
  private final ModelOptions options;
  private final GgufFile file;
  private final Model model;
  private final Session session;

  /**
   * Opens a model.
   *
   * @param contextLength tokens of context; 0 for what sessions have by default
   */
  Subject(String label, Path path, ModelOptions options, int contextLength) {
    this.label = label;
    this.path = path;
    this.options = options;
    model = Model.load(path, options);
    try {
      file = GgufFile.open(path);
      session = contextLength == 0 ? model.newSession() : model.newSession(contextLength);
    } catch (RuntimeException e) {
      model.close();
      throw e;
    }
  }

  String label() {
    return label;
  }

  Path path() {
    return path;
  }

  ModelOptions options() {
    return options;
  }

  GgufFile file() {
    return file;
  }

  Model model() {
    return model;
  }

  Session session() {
    return session;
  }

  /** Opens the model once more, as if for the first time. */
  Model reload() {
    return Model.load(path, options);
  }

  /** The tokens of a prompt as the chat template frames it. */
  int[] frame(String prompt) {
    return model.encode(
        model.promptRenderer().render(List.of(Message.user(prompt)), List.of(), false));
  }

  /** Answers a prompt, forgetting what was said before. */
  Answer answer(String prompt, GenerationOptions how) {
    Chat chat = model.chat(session).options(how);
    return chat.ask(prompt, text -> {});
  }

  @Override
  public void close() {
    model.close();
    file.close();
  }
}
