package pelican.chat;

import java.util.List;

/**
 * A message of a conversation.
 *
 * @param role who speaks: {@code system} (or {@code developer}), {@code user}, {@code assistant},
 *     or {@code tool} for the result of a call
 * @param content the text; may be empty
 * @param thinking what an assistant thought before it spoke; may be empty
 * @param toolCalls the tools that an assistant called
 * @param toolName for a result: the tool's name; may be empty
 * @param toolCallId for a result: the id of the call; may be empty
 */
public record Message(
    String role,
    String content,
    String thinking,
    List<ToolCall> toolCalls,
    String toolName,
    String toolCallId) {
  public static final String SYSTEM = "system";
  public static final String USER = "user";
  public static final String ASSISTANT = "assistant";
  public static final String TOOL = "tool";

  /** Absent parts may be null; they become empty. */
  public Message {
    content = orEmpty(content);
    thinking = orEmpty(thinking);
    toolCalls = toolCalls == null ? List.of() : List.copyOf(toolCalls);
    toolName = orEmpty(toolName);
    toolCallId = orEmpty(toolCallId);
  }

  private static String orEmpty(String text) {
    return text == null ? "" : text;
  }

  /** What sets the model's behaviour for the whole conversation. */
  public static Message system(String content) {
    return new Message(SYSTEM, content, "", List.of(), "", "");
  }

  public static Message user(String content) {
    return new Message(USER, content, "", List.of(), "", "");
  }

  public static Message assistant(String content) {
    return new Message(ASSISTANT, content, "", List.of(), "", "");
  }

  public static Message assistant(String content, String thinking, List<ToolCall> toolCalls) {
    return new Message(ASSISTANT, content, thinking, toolCalls, "", "");
  }

  /** The result of a call. */
  public static Message toolResult(String toolName, String toolCallId, String content) {
    return new Message(TOOL, content, "", List.of(), toolName, toolCallId);
  }

  boolean isSystem() {
    return role.equals(SYSTEM) || role.equals("developer");
  }

  boolean is(String wanted) {
    return role.equals(wanted);
  }
}
