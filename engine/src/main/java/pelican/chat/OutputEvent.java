package pelican.chat;

/** A part of a model's answer. */
public sealed interface OutputEvent {
  /** Text for the user. */
  record Content(String text) implements OutputEvent {}

  /** Text of the model's thoughts. */
  record Thinking(String text) implements OutputEvent {}

  /** A call of a tool, complete. */
  record Call(ToolCall call) implements OutputEvent {}
}
