package pelican.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Divides what a Gemma 4 model generates into text, thoughts and tool calls, while it is being
 * generated. The text may come in pieces of any size; what may turn out to belong to a mark, or to
 * the space before one, is held back until it is known. Nothing is lost but the marks, the space
 * around them and, if they are not wanted, the thoughts.
 */
public final class OutputParser {
  private static final String CHANNEL = "<|channel>";
  private static final String CHANNEL_END = "<channel|>";
  private static final String CALL = "<|tool_call>";
  private static final String CALL_END = "<tool_call|>";
  private static final String RESPONSE = "<|tool_response>";

  /** The control tokens whose text the parser needs to see; others are to be left out. */
  public static final List<String> MARKS =
      List.of(CHANNEL, CHANNEL_END, CALL, CALL_END, RESPONSE, "<|\"|>");

  /** What the format writes before a thought, and a line's end. */
  private static final String LABEL = "thought";

  private enum State {
    CONTENT,
    LABEL,
    THINKING,
    CALL,
    AFTER_CALL
  }

  private final boolean think;
  private final List<Tool> tools;
  private final MarkScanner scanner =
      new MarkScanner(
          MARKS,
          new MarkScanner.Listener() {
            @Override
            public void text(String text) {
              OutputParser.this.text(text);
            }

            @Override
            public void mark(String mark) {
              OutputParser.this.mark(mark);
            }
          });

  /** Space that may turn out to stand before a mark; a label or a call that is not complete. */
  private final StringBuilder held = new StringBuilder();

  private List<OutputEvent> events = new ArrayList<>();
  private State state;
  private boolean dropSpace;

  /**
   * @param think whether thoughts are passed on; otherwise they are dropped
   * @param startsInThought whether the prompt ended within a thought, as it does after the results
   *     of calls when the model is to think
   * @param tools what the model may call; helps to read calls that are not quite right
   */
  public OutputParser(boolean think, boolean startsInThought, List<Tool> tools) {
    this.think = think;
    this.tools = List.copyOf(tools);
    state = startsInThought ? State.THINKING : State.CONTENT;
  }

  /** What is certain once the next piece of text has come, in which any {@link #MARKS} count. */
  public List<OutputEvent> accept(String piece) {
    scanner.accept(piece, false);
    return takeEvents();
  }

  /**
   * What is certain once the next token has come.
   *
   * @param control whether it is a control token; the text of others is never a mark, even if it
   *     reads like one, as when the model writes about its own format
   */
  public List<OutputEvent> accept(String piece, boolean control) {
    scanner.accept("", true);
    if (control && MARKS.contains(piece)) {
      mark(piece);
    } else if (!piece.isEmpty()) {
      text(piece);
    }
    return takeEvents();
  }

  /** What is left when the model has ended; a call that it did not close still counts. */
  public List<OutputEvent> finish() {
    scanner.accept("", true);
    switch (state) {
      case CONTENT, THINKING -> emit(takeHeld());
      // The beginning of a label is no thought.
      case LABEL -> held.setLength(0);
      case CALL -> call(false);
      case AFTER_CALL -> {}
    }
    return takeEvents();
  }

  private List<OutputEvent> takeEvents() {
    List<OutputEvent> result = events;
    events = new ArrayList<>();
    return result;
  }

  private void text(String text) {
    switch (state) {
      case CONTENT, THINKING -> visible(text);
      case LABEL -> {
        held.append(text);
        String begun = held.toString();
        if (!(LABEL + "\n").startsWith(begun) || begun.endsWith("\n")) {
          held.setLength(0);
          state = State.THINKING;
          visible(begun.startsWith(LABEL + "\n") ? begun.substring(LABEL.length() + 1) : begun);
        }
      }
      case CALL -> held.append(text);
      case AFTER_CALL -> {
        if (!text.isBlank()) {
          state = State.CONTENT;
          dropSpace = true;
          visible(text);
        }
      }
    }
  }

  private void mark(String mark) {
    switch (state) {
      case CONTENT -> {
        if (mark.equals(CHANNEL) || mark.equals(CALL)) {
          held.setLength(0);
          state = mark.equals(CALL) ? State.CALL : State.LABEL;
        } else {
          visible(mark);
        }
      }
      case LABEL -> {
        String begun = takeHeld();
        state = State.THINKING;
        visible(begun.equals(LABEL) ? "" : begun);
        mark(mark);
      }
      case THINKING -> {
        if (mark.equals(CHANNEL_END)) {
          held.setLength(0);
          state = State.CONTENT;
          dropSpace = true;
        } else {
          visible(mark);
        }
      }
      case CALL -> {
        if (mark.equals(CALL_END)) {
          call(true);
        } else {
          held.append(mark);
        }
      }
      case AFTER_CALL -> {
        if (!mark.equals(CALL_END) && !mark.equals(RESPONSE)) {
          state = State.CONTENT;
          dropSpace = true;
          mark(mark);
        }
      }
    }
  }

  /** Text or thoughts: passed on but for space at the end. */
  private void visible(String text) {
    String rest = text;
    if (dropSpace) {
      rest = text.stripLeading();
      dropSpace = rest.isEmpty();
    }
    String inked = rest.stripTrailing();
    if (!inked.isEmpty()) {
      emit(takeHeld() + inked);
    }
    held.append(rest, inked.length(), rest.length());
  }

  private String takeHeld() {
    String text = held.toString();
    held.setLength(0);
    return text;
  }

  private void emit(String text) {
    if (text.isEmpty()) {
      return;
    }
    if (state == State.CONTENT) {
      events.add(new OutputEvent.Content(text));
    } else if (think) {
      events.add(new OutputEvent.Thinking(text));
    }
  }

  private void call(boolean closed) {
    String text = takeHeld();
    Optional<ToolCall> call = ToolCallSyntax.parse(text, newId(), closed, tools);
    events.add(
        call.isPresent() ? new OutputEvent.Call(call.get()) : new OutputEvent.UnreadableCall(text));
    state = State.AFTER_CALL;
  }

  /** An id in Ollama's manner; results refer to their calls by it. */
  private static String newId() {
    StringBuilder id = new StringBuilder("call_");
    for (int i = 0; i < 8; i++) {
      id.append(Character.forDigit(ThreadLocalRandom.current().nextInt(36), 36));
    }
    return id.toString();
  }
}
