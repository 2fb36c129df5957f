package pelican.server.inference;

import java.util.List;
import pelican.chat.ToolCall;

/**
 * A whole answer.
 *
 * @param content text for the user
 * @param thinking thoughts
 * @param toolCalls calls, each with an id
 * @param logprobs of all tokens, if asked for
 * @param reason why it ended
 * @param metrics what it took
 * @param context tokens of prompt and answer
 */
public record Completion(
    String content,
    String thinking,
    List<ToolCall> toolCalls,
    List<TokenLogprob> logprobs,
    DoneReason reason,
    Metrics metrics,
    int[] context) {}
