package pelican.chat;

import java.util.List;
import pelican.tokenizer.TextSegment;

/**
 * Renders a conversation as the prompt that Gemma 4 was trained on. Only the format's own marks may
 * become control tokens; names and texts are passed on as text, whatever they contain.
 */
public final class PromptRenderer {
  private final boolean large;

  /**
   * @param large whether the model is one of the large ones (12B and up), which begin an answer
   *     without thoughts by an empty thought
   */
  public PromptRenderer(boolean large) {
    this.large = large;
  }

  /**
   * The prompt that asks for the next message of the assistant.
   *
   * @param messages the conversation
   * @param tools what the model may call
   * @param think whether the model is to think before it answers
   */
  public List<TextSegment> render(List<Message> messages, List<Tool> tools, boolean think) {
    Segments out = new Segments().markup("<bos>");
    int first = 0;
    boolean system = !messages.isEmpty() && messages.getFirst().isSystem();
    if (system || !tools.isEmpty() || think) {
      out.markup("<|turn>system\n").markup(think ? "<|think|>\n" : "");
      if (system) {
        out.text(messages.getFirst().content().strip());
        first = 1;
      }
      tools.forEach(tool -> ToolDeclarations.render(out, tool));
      out.markup("<turn|>\n");
    }
    boolean open = false;
    for (int i = first; i < messages.size(); i++) {
      Message message = messages.get(i);
      if (message.is(Message.TOOL)) {
        continue;
      }
      if (message.is(Message.ASSISTANT)) {
        open = assistant(out, messages, i, first);
      } else {
        out.markup("<|turn>").text(message.role()).markup("\n");
        out.text(message.content().strip()).markup("<turn|>\n");
        open = false;
      }
    }
    if (!open) {
      out.markup("<|turn>model\n").markup(large && !think ? "<|channel>thought\n<channel|>" : "");
    } else if (think && endsWithResponses(messages, first)) {
      out.markup("<|channel>thought\n");
    }
    return out.toList();
  }

  /**
   * One message of the assistant with the results of its calls.
   *
   * @return whether the model goes on without a new turn: after calls, and after their results
   */
  private static boolean assistant(Segments out, List<Message> messages, int index, int first) {
    Message message = messages.get(index);
    int end = index + 1;
    while (end < messages.size() && messages.get(end).is(Message.TOOL)) {
      end++;
    }
    List<Message> results =
        message.toolCalls().isEmpty() ? List.of() : messages.subList(index + 1, end);
    if (!continues(messages, index, first)) {
      out.markup("<|turn>model\n");
    }
    if (!message.thinking().isEmpty() && index > lastUser(messages)) {
      out.markup("<|channel>thought\n").text(message.thinking()).markup("\n<channel|>");
    }
    for (ToolCall call : message.toolCalls()) {
      out.markup("<|tool_call>call:").text(call.name()).markup("{");
      ValueFormat.entries(out, call.arguments(), false);
      out.markup("}<tool_call|>");
    }
    for (Message result : results) {
      out.markup("<|tool_response>response:").text(responseName(message, result));
      out.markup("{value:").quoted(result.content()).markup("}<tool_response|>");
    }
    String text = withoutThoughts(message.content()).strip();
    out.text(text);
    boolean pending = !message.toolCalls().isEmpty() && results.isEmpty();
    if (pending) {
      out.markup("<|tool_response>");
      return true;
    }
    boolean last = end == messages.size();
    boolean answersResults = last && !results.isEmpty();
    boolean goesOn =
        answersResults ? text.isEmpty() : !last && messages.get(end).is(Message.ASSISTANT);
    if (!goesOn) {
      out.markup("<turn|>\n");
    }
    return answersResults;
  }

  /** A thought ends where the next one could end; without an end it is all that follows. */
  private static String withoutThoughts(String content) {
    StringBuilder result = new StringBuilder();
    int from = 0;
    while (from <= content.length()) {
      int close = content.indexOf("<channel|>", from);
      int end = close < 0 ? content.length() : close;
      int open = content.indexOf("<|channel>", from);
      result.append(content, from, open < 0 ? end : Math.min(open, end));
      from = end + "<channel|>".length();
    }
    return result.toString();
  }

  /** Whether the message before, but for results, is the assistant's too. */
  private static boolean continues(List<Message> messages, int index, int first) {
    int before = index - 1;
    while (before >= first && messages.get(before).is(Message.TOOL)) {
      before--;
    }
    return before >= first && messages.get(before).is(Message.ASSISTANT);
  }

  private static int lastUser(List<Message> messages) {
    int index = messages.size() - 1;
    while (index >= 0 && !messages.get(index).is(Message.USER)) {
      index--;
    }
    return index;
  }

  private static boolean endsWithResponses(List<Message> messages, int first) {
    return messages.size() > first && messages.getLast().is(Message.TOOL);
  }

  /** The template's rule: the last call with the result's id, where having none is an id too. */
  private static String responseName(Message calls, Message result) {
    String name = result.toolName().isEmpty() ? "unknown" : result.toolName();
    for (ToolCall call : calls.toolCalls()) {
      if (call.id().equals(result.toolCallId())) {
        name = call.name();
      }
    }
    return name;
  }
}
