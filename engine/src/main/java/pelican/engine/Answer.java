package pelican.engine;

import java.util.List;
import pelican.chat.ToolCall;

/**
 * What the assistant answered.
 *
 * @param content the text for the user
 * @param thinking what the model thought first; empty unless it was to think
 * @param toolCalls the tools that it calls; their results are to be added to the conversation
 * @param generation tokens, times, and why the answer ended
 */
public record Answer(
    String content, String thinking, List<ToolCall> toolCalls, Generation generation) {}
