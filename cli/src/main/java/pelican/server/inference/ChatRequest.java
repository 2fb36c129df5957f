package pelican.server.inference;

import java.util.List;
import java.util.Optional;
import pelican.chat.Message;
import pelican.chat.Tool;

/**
 * A conversation whose next message is wanted. Made from {@link #of}, changed by {@code with…}.
 *
 * @param model a model's name as the client wrote it
 * @param messages the conversation; empty to load the model, or with {@link KeepAlive#ZERO} to
 *     unload it
 * @param tools what the model may call
 * @param think whether to think first; empty for the model's way: yes if it can
 * @param format what the answer has to be
 * @param options generation options by Ollama's names
 * @param keepAlive how long the model stays loaded afterwards; empty for what holds already
 * @param truncate whether the oldest messages are left out if the prompt is too long
 * @param topLogprobs how many alternatives to report with each token; -1 for no probabilities
 */
public record ChatRequest(
    String model,
    List<Message> messages,
    List<Tool> tools,
    Optional<Boolean> think,
    Format format,
    Options options,
    Optional<KeepAlive> keepAlive,
    boolean truncate,
    int topLogprobs)
    implements AnswerRequest {
  public static ChatRequest of(String model, List<Message> messages) {
    return new ChatRequest(
        model,
        messages,
        List.of(),
        Optional.empty(),
        Format.NONE,
        Options.NONE,
        Optional.empty(),
        true,
        -1);
  }

  public ChatRequest withTools(List<Tool> value) {
    return new ChatRequest(
        model, messages, value, think, format, options, keepAlive, truncate, topLogprobs);
  }

  public ChatRequest withThink(Optional<Boolean> value) {
    return new ChatRequest(
        model, messages, tools, value, format, options, keepAlive, truncate, topLogprobs);
  }

  public ChatRequest withFormat(Format value) {
    return new ChatRequest(
        model, messages, tools, think, value, options, keepAlive, truncate, topLogprobs);
  }

  public ChatRequest withOptions(Options value) {
    return new ChatRequest(
        model, messages, tools, think, format, value, keepAlive, truncate, topLogprobs);
  }

  public ChatRequest withKeepAlive(Optional<KeepAlive> value) {
    return new ChatRequest(
        model, messages, tools, think, format, options, value, truncate, topLogprobs);
  }

  public ChatRequest withTruncate(boolean value) {
    return new ChatRequest(
        model, messages, tools, think, format, options, keepAlive, value, topLogprobs);
  }

  public ChatRequest withTopLogprobs(int value) {
    return new ChatRequest(
        model, messages, tools, think, format, options, keepAlive, truncate, value);
  }
}
