package pelican.server.inference;

import java.util.Optional;

/**
 * A text that is to be gone on with, or answered.
 *
 * @param model a model's name as the client wrote it
 * @param prompt the text; empty to load or unload the model
 * @param system replaces the model's own system message; may be empty
 * @param raw whether the prompt is used as it is, control tokens included
 * @param context tokens of an earlier exchange, which come first; may be empty
 * @param think as in {@link ChatRequest}, and so are the others
 */
public record GenerateRequest(
    String model,
    String prompt,
    String system,
    boolean raw,
    int[] context,
    Optional<Boolean> think,
    Format format,
    Options options,
    Optional<KeepAlive> keepAlive,
    boolean truncate,
    int topLogprobs)
    implements AnswerRequest {}
