package pelican.bench;

import java.nio.file.Path;
import java.util.List;
import pelican.chat.Message;
import pelican.engine.Model;
import pelican.engine.ModelOptions;
import pelican.engine.PelicanException;

/** What users notice beside the rates: memory, the wait for the first token, and warming up. */
final class Figures {
  /** Tokens of the prompt that a first token is waited for. */
  static final int PROMPT_TOKENS = 16;

  /** The context at which memory is measured, and the tokens at its end that are generated. */
  static final int CONTEXT = 4096;

  private static final int LAST_TOKENS = 8;

  /** Tokens that are generated to see when their speed is steady. */
  private static final int WARM_UP_TOKENS = 64;

  /** Tokens whose median has to be near the steady time. */
  private static final int WINDOW = 4;

  private static final double NEAR = 1.1;

  private Figures() {}

  /**
   * Megabytes (10⁶ bytes) that an engine takes at most beyond the mapped file, up to a context of
   * {@value #CONTEXT} tokens.
   */
  static double memory(Contestant engine, Path model, int threads) {
    SpeedCase test = new SpeedCase(threads, 0, LAST_TOKENS, CONTEXT - LAST_TOKENS);
    Programs.Outcome outcome = Programs.run(engine.name(), engine.command(test, 1, false), model);
    return outcome.peakBytes() / 1e6;
  }

  /** A prompt for {@link #firstToken} and what becomes of it. */
  record Prompt(String text, int tokens) {}

  /**
   * The shortest prompt of one message that makes at least so many tokens with all that is put
   * around it.
   */
  static Prompt prompt(Path file, int wanted) {
    try (Model model = Model.load(file, ModelOptions.DEFAULT.withThreads(1))) {
      StringBuilder text = new StringBuilder();
      while (true) {
        // Letters that hardly any vocabulary joins.
        text.append("qxzjvk".charAt(text.length() % 6));
        List<Message> messages = List.of(Message.user(text.toString()));
        int tokens = model.encode(model.promptRenderer().render(messages, List.of(), false)).length;
        if (tokens >= wanted) {
          return new Prompt(text.toString(), tokens);
        }
      }
    }
  }

  /** Seconds from the start of the process to the first token of an answer. */
  static double firstToken(EngineJar engine, int threads, Prompt prompt) {
    List<String> command = engine.answerCommand(threads, prompt.text());
    double seconds = Programs.run(engine.name(), command, null).firstOutput();
    if (Double.isNaN(seconds)) {
      throw new PelicanException(engine.name() + " answered a prompt with nothing");
    }
    return seconds;
  }

  /** The number of the first token from which a fresh JVM is as fast as it becomes. */
  static double steadyFrom(EngineJar engine, int threads) {
    SpeedCase test = new SpeedCase(threads, 0, WARM_UP_TOKENS, PROMPT_TOKENS);
    String output = Programs.output(engine.name(), engine.command(test, 1, false));
    return steadyFrom(engine.tokenSeconds(output));
  }

  /**
   * The number (from 1) of the first token that begins a window of {@value #WINDOW} whose median
   * time is at most {@value #NEAR} times that of the second half of all.
   */
  static int steadyFrom(List<Double> seconds) {
    double steady = Spread.of(seconds.subList(seconds.size() / 2, seconds.size())).median();
    int from = 0;
    while (from + WINDOW < seconds.size()
        && Spread.of(seconds.subList(from, from + WINDOW)).median() > NEAR * steady) {
      from++;
    }
    return from + 1;
  }
}
