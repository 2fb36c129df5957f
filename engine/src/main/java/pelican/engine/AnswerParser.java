package pelican.engine;

import java.util.ArrayList;
import java.util.List;
import pelican.chat.OutputEvent;
import pelican.chat.OutputParser;
import pelican.chat.Tool;
import pelican.tokenizer.Tokenizer;

/** Divides the tokens of an answer, as they are generated, into text, thoughts and tool calls. */
public final class AnswerParser {
  private final Tokenizer tokenizer;
  private final OutputParser parser;
  private final boolean stopStrings;

  /**
   * @param think whether thoughts are passed on; otherwise they are dropped
   * @param startsInThought whether the prompt ended within a thought
   * @param tools what the model may call
   * @param stopStrings whether the generation has strings to stop at, so that text may come later
   *     than its token
   */
  public AnswerParser(
      Tokenizer tokenizer,
      boolean think,
      boolean startsInThought,
      List<Tool> tools,
      boolean stopStrings) {
    this.tokenizer = tokenizer;
    this.stopStrings = stopStrings;
    parser = new OutputParser(think, startsInThought, tools);
  }

  /** What is certain once the next token has come. */
  public List<OutputEvent> accept(GeneratedToken token) {
    boolean control = token.id() >= 0 && tokenizer.isControl(token.id());
    String mark = control ? tokenizer.text(token.id()) : "";
    String text = token.text();
    boolean marked = control && text.endsWith(mark);
    if (marked) {
      text = text.substring(0, text.length() - mark.length());
    }
    // While a mark could begin a stop string its text comes later than its token, and has to be
    // looked for.
    List<OutputEvent> events =
        new ArrayList<>(stopStrings ? parser.accept(text) : parser.accept(text, false));
    if (marked && OutputParser.MARKS.contains(mark)) {
      events.addAll(parser.accept(mark, true));
    }
    return events;
  }

  /** What is left when the answer has ended. */
  public List<OutputEvent> finish() {
    return parser.finish();
  }
}
