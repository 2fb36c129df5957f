package pelican.cli;

import java.io.PrintStream;
import java.time.Duration;
import pelican.chat.OutputEvent;
import pelican.chat.ToolCall;
import pelican.engine.Answer;
import pelican.engine.Chat;

/** Shows an answer while it comes. */
final class AnswerPrinter {
  private static final String GREY = "\u001b[90m";
  private static final String RESET = "\u001b[0m";

  private final PrintStream out;
  private final boolean colours;
  private final boolean hideThinking;
  private boolean thinking;
  private Chat chat;

  AnswerPrinter(PrintStream out, boolean colours, boolean hideThinking) {
    this.out = out;
    this.colours = colours;
    this.hideThinking = hideThinking;
  }

  /**
   * Asks for the next message and prints it; stops when nobody reads on, as when a pipe is closed.
   *
   * @param statistics gets times and rates, or null
   */
  Answer answer(Chat from, PrintStream statistics, Duration loadTime) {
    chat = from;
    long start = System.nanoTime();
    Answer answer = chat.answer(this::show);
    endThinking();
    out.println();
    out.flush();
    if (statistics != null && !out.checkError()) {
      statistics.println();
      Duration total = loadTime.plus(Duration.ofNanos(System.nanoTime() - start));
      Statistics.print(statistics, answer.generation(), loadTime, total);
    }
    return answer;
  }

  private void show(OutputEvent event) {
    switch (event) {
      case OutputEvent.Thinking part -> {
        if (!hideThinking) {
          if (!thinking) {
            out.println("Thinking...");
            out.print(colours ? GREY : "");
            thinking = true;
          }
          out.print(part.text());
        }
      }
      case OutputEvent.Content part -> {
        endThinking();
        out.print(part.text());
      }
      case OutputEvent.Call part -> {
        endThinking();
        ToolCall call = part.call();
        out.println("Calls " + call.name() + " with " + call.arguments());
      }
      case OutputEvent.UnreadableCall part -> {
        endThinking();
        out.println("Calls a tool in a way that cannot be read: " + part.text());
      }
    }
    if (out.checkError()) {
      chat.cancel();
    }
  }

  private void endThinking() {
    if (thinking) {
      thinking = false;
      out.println(colours ? RESET : "");
      out.println("...done thinking.");
      out.println();
    }
  }
}
