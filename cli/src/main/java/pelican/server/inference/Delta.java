package pelican.server.inference;

import java.util.List;
import pelican.chat.ToolCall;

/**
 * A part of an answer as it comes. At least one of the fields is not empty.
 *
 * @param content text for the user
 * @param thinking thoughts
 * @param toolCalls calls that became complete, each with an id
 * @param logprobs of the tokens since the last part, if asked for; they may come before the text
 *     that they make up
 */
public record Delta(
    String content, String thinking, List<ToolCall> toolCalls, List<TokenLogprob> logprobs) {
  boolean isEmpty() {
    return content.isEmpty() && thinking.isEmpty() && toolCalls.isEmpty() && logprobs.isEmpty();
  }
}
