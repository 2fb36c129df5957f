package pelican.chat;

/** A part of a model's answer. */
public sealed interface OutputEvent {
  /** Text for the user. */
  record Content(String text) implements OutputEvent {}

  /** Text of the model's thoughts. */
  record Thinking(String text) implements OutputEvent {}

  /** A call of a tool, complete, with an id of its own. */
  record Call(ToolCall call) implements OutputEvent {}

  /**
   * What stood where a call was to stand but is none. Not meant for the user; a log should have it.
   *
   * @param text all of it, without the marks around it
   */
  record UnreadableCall(String text) implements OutputEvent {}
}
