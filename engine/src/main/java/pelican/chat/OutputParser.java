package pelican.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Divides what a Gemma 4 model generates into text, thoughts and tool calls, while it is being
 * generated. The text may come in pieces of any size; what could be the beginning of a mark is held
 * back until it is known.
 */
public final class OutputParser {
  private static final String CHANNEL = "<|channel>";
  private static final String CHANNEL_END = "<channel|>";
  private static final String CALL = "<|tool_call>";
  private static final String CALL_END = "<tool_call|>";
  private static final String RESPONSE = "<|tool_response>";

  /** What the format writes before a thought. */
  private static final String LABEL = "thought\n";

  private enum State {
    CONTENT,
    LABEL,
    THINKING,
    CALL,
    AFTER_CALL
  }

  private final boolean think;
  private final StringBuilder pending = new StringBuilder();
  private List<OutputEvent> events = new ArrayList<>();
  private State state;
  private boolean trimStart;
  private int calls;

  /**
   * @param think whether thoughts are passed on; otherwise they are dropped
   * @param startsInThought whether the prompt ended within a thought, as it does after the results
   *     of calls when the model is to think
   */
  public OutputParser(boolean think, boolean startsInThought) {
    this.think = think;
    state = startsInThought ? State.THINKING : State.CONTENT;
  }

  /** What is certain once the next piece of text has come. */
  public List<OutputEvent> accept(String piece) {
    pending.append(piece);
    return drain(false);
  }

  /** What is left when the model has ended; a call that it did not close still counts. */
  public List<OutputEvent> finish() {
    return drain(true);
  }

  private List<OutputEvent> drain(boolean end) {
    while (step(end)) {
      // each step takes something from pending or changes the state
    }
    List<OutputEvent> result = events;
    events = new ArrayList<>();
    return result;
  }

  private boolean step(boolean end) {
    return switch (state) {
      case CONTENT -> content(end);
      case LABEL -> label(end);
      case THINKING -> thinking(end);
      case CALL -> call(end);
      case AFTER_CALL -> afterCall(end);
    };
  }

  private boolean content(boolean end) {
    dropLeadingSpace();
    int channel = pending.indexOf(CHANNEL);
    int call = pending.indexOf(CALL);
    if (channel >= 0 && (call < 0 || channel < call)) {
      emitContent(pending.substring(0, channel).stripTrailing());
      pending.delete(0, channel + CHANNEL.length());
      state = State.LABEL;
      return true;
    }
    if (call >= 0) {
      emitContent(pending.substring(0, call).stripTrailing());
      pending.delete(0, call + CALL.length());
      state = State.CALL;
      return true;
    }
    emitContent(take(end ? pending.length() : certain(CHANNEL, CALL)));
    return false;
  }

  private boolean label(boolean end) {
    String text = pending.toString();
    boolean undecided = LABEL.startsWith(text) || (LABEL.strip() + CHANNEL_END).startsWith(text);
    if (undecided && !end) {
      return false;
    }
    if (text.startsWith(LABEL)) {
      pending.delete(0, LABEL.length());
    } else if (text.startsWith(LABEL.strip() + CHANNEL_END) || (end && undecided)) {
      pending.delete(0, Math.min(pending.length(), LABEL.strip().length()));
    }
    state = State.THINKING;
    return true;
  }

  private boolean thinking(boolean end) {
    int close = pending.indexOf(CHANNEL_END);
    if (close >= 0) {
      emitThinking(pending.substring(0, close).stripTrailing());
      pending.delete(0, close + CHANNEL_END.length());
      state = State.CONTENT;
      trimStart = true;
      return true;
    }
    emitThinking(take(end ? pending.length() : certain(CHANNEL_END)));
    return false;
  }

  private boolean call(boolean end) {
    int close = pending.indexOf(CALL_END);
    if (close < 0 && !end) {
      return false;
    }
    String text = take(close < 0 ? pending.length() : close);
    pending.delete(0, Math.min(pending.length(), CALL_END.length()));
    Optional<ToolCall> call = ToolCallSyntax.parse(text, calls);
    call.ifPresent(parsed -> {
      events.add(new OutputEvent.Call(parsed));
      calls++;
    });
    state = State.AFTER_CALL;
    return true;
  }

  private boolean afterCall(boolean end) {
    trimStart = true;
    dropLeadingSpace();
    trimStart = true;
    for (String stray : List.of(CALL_END, RESPONSE)) {
      if (pending.indexOf(stray) == 0) {
        pending.delete(0, stray.length());
        return true;
      }
    }
    String text = pending.toString();
    if (!end && (CALL_END.startsWith(text) || RESPONSE.startsWith(text))) {
      return false;
    }
    state = State.CONTENT;
    return true;
  }

  private void dropLeadingSpace() {
    if (trimStart) {
      int at = 0;
      while (at < pending.length() && Character.isWhitespace(pending.charAt(at))) {
        at++;
      }
      pending.delete(0, at);
      trimStart = pending.isEmpty();
    }
  }

  /** How much of what is pending cannot belong to a mark, nor to the space before one. */
  private int certain(String... marks) {
    int length = pending.length();
    int keep = length;
    for (String mark : marks) {
      for (int size = Math.min(mark.length() - 1, length); size > 0; size--) {
        if (pending.substring(length - size).equals(mark.substring(0, size))) {
          keep = Math.min(keep, length - size);
          break;
        }
      }
    }
    while (keep > 0 && Character.isWhitespace(pending.charAt(keep - 1))) {
      keep--;
    }
    return keep;
  }

  private String take(int length) {
    String text = pending.substring(0, length);
    pending.delete(0, length);
    return text;
  }

  private void emitContent(String text) {
    if (!text.isEmpty()) {
      events.add(new OutputEvent.Content(text));
    }
  }

  private void emitThinking(String text) {
    if (think && !text.isEmpty()) {
      events.add(new OutputEvent.Thinking(text));
    }
  }
}
