package pelican.server.inference;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import pelican.chat.OutputEvent;
import pelican.chat.Tool;
import pelican.chat.ToolCall;
import pelican.engine.AnswerParser;
import pelican.engine.GeneratedToken;
import pelican.server.http.ApiException;
import pelican.tokenizer.Tokenizer;

/** Makes deltas of the tokens of an answer, passes them on and joins them. */
final class AnswerCollector {
  private final Tokenizer tokenizer;
  private final Caller caller;
  private final boolean wantsLogprobs;
  private final StringBuilder content = new StringBuilder();
  private final StringBuilder thinking = new StringBuilder();
  private final List<ToolCall> calls = new ArrayList<>();
  private final List<TokenLogprob> logprobs = new ArrayList<>();
  private AnswerParser parser;

  AnswerCollector(Tokenizer tokenizer, Caller caller, boolean wantsLogprobs) {
    this.tokenizer = tokenizer;
    this.caller = caller;
    this.wantsLogprobs = wantsLogprobs;
  }

  /**
   * @param raw whether the text is passed on as it is, whatever it contains
   */
  void begin(boolean raw, boolean think, boolean inThought, List<Tool> tools, boolean stopStrings) {
    parser = raw ? null : new AnswerParser(tokenizer, think, inThought, tools, stopStrings);
  }

  /**
   * @throws ApiException of status 499 if the caller has gone, so that no further token is computed
   */
  void token(GeneratedToken token) {
    if (caller.gone()) {
      throw new ApiException(ApiException.CLIENT_CLOSED_REQUEST, "request canceled");
    }
    List<TokenLogprob> own = wantsLogprobs && token.id() >= 0 ? List.of(logprob(token)) : List.of();
    pass(
        parser == null ? List.of(new OutputEvent.Content(token.text())) : parser.accept(token),
        own);
  }

  void finish() {
    if (parser != null) {
      pass(parser.finish(), List.of());
    }
  }

  private void pass(List<OutputEvent> events, List<TokenLogprob> own) {
    StringBuilder text = new StringBuilder();
    StringBuilder thought = new StringBuilder();
    List<ToolCall> complete = new ArrayList<>();
    for (OutputEvent event : events) {
      switch (event) {
        case OutputEvent.Content part -> text.append(part.text());
        case OutputEvent.Thinking part -> thought.append(part.text());
        case OutputEvent.Call call -> complete.add(call.call());
        case OutputEvent.UnreadableCall call -> {
          // What cannot be read is no call, and was not meant for the user.
        }
      }
    }
    Delta delta = new Delta(text.toString(), thought.toString(), List.copyOf(complete), own);
    content.append(text);
    thinking.append(thought);
    calls.addAll(complete);
    logprobs.addAll(own);
    if (!delta.isEmpty()) {
      caller.accept(delta);
    }
  }

  private TokenLogprob logprob(GeneratedToken token) {
    List<TokenLogprob> top =
        token.alternatives().stream()
            .map(entry -> entry(entry.token(), entry.logProbability(), List.of()))
            .toList();
    return entry(token.id(), token.logProbability(), top);
  }

  private TokenLogprob entry(int id, double logprob, List<TokenLogprob> top) {
    // A token that rows of logits have but the vocabulary lacks has no text.
    byte[] bytes = id < tokenizer.size() ? tokenizer.bytes(id) : new byte[0];
    List<Integer> values = new ArrayList<>();
    for (byte value : bytes) {
      values.add(Byte.toUnsignedInt(value));
    }
    // JSON has no negative infinity.
    double finite = Math.max(logprob, -Double.MAX_VALUE);
    return new TokenLogprob(new String(bytes, StandardCharsets.UTF_8), finite, values, top);
  }

  Completion completion(DoneReason reason, Metrics metrics, int[] context) {
    return new Completion(
        content.toString(),
        thinking.toString(),
        List.copyOf(calls),
        List.copyOf(logprobs),
        reason,
        metrics,
        context);
  }
}
