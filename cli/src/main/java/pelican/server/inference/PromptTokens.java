package pelican.server.inference;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import pelican.chat.Message;
import pelican.chat.Tool;
import pelican.engine.Model;
import pelican.server.http.ApiException;
import pelican.tokenizer.TextSegment;

/** The tokens of prompts, and what is left out of those that are longer than the context. */
final class PromptTokens {
  private PromptTokens() {}

  static int[] rawPrompt(Model model, String text) {
    return model.encode(List.of(new TextSegment(text, true)));
  }

  static int[] continued(Model model, int[] context, List<Message> messages, boolean think) {
    int[] prompt = model.encode(model.promptRenderer().render(messages, List.of(), think));
    for (int token : context) {
      if (token < 0 || token >= model.vocabulary()) {
        throw ApiException.badRequest(
            "context has token " + token + ", expected 0 to " + (model.vocabulary() - 1));
      }
    }
    if (context.length == 0) {
      return prompt;
    }
    boolean begins = prompt.length > 0 && prompt[0] == model.tokenizer().bos();
    return IntStream.concat(Arrays.stream(context), Arrays.stream(prompt).skip(begins ? 1 : 0))
        .toArray();
  }

  /** Keeps the beginning token and the end of a prompt that is too long. */
  static int[] cut(int[] prompt, int context, boolean truncate) {
    if (prompt.length < context) {
      return prompt;
    }
    if (!truncate) {
      throw tooLong(prompt.length, context);
    }
    int[] kept = new int[context - 1];
    kept[0] = prompt[0];
    System.arraycopy(prompt, prompt.length - kept.length + 1, kept, 1, kept.length - 1);
    return kept;
  }

  private static ApiException tooLong(int tokens, int context) {
    return ApiException.badRequest(
        "the prompt has "
            + tokens
            + " tokens: the prompt is longer than the available context length of "
            + context);
  }

  /**
   * Leaves out the oldest messages until the prompt fits; system messages and the last one stay.
   */
  static int[] fit(
      Model model,
      List<Message> messages,
      List<Tool> tools,
      boolean think,
      boolean truncate,
      int context) {
    int[] all = model.encode(model.promptRenderer().render(messages, tools, think));
    if (all.length < context) {
      return all;
    }
    if (!truncate) {
      throw tooLong(all.length, context);
    }
    int low = 1;
    int high = messages.size() - 1;
    int[] best = null;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int[] tokens =
          model.encode(model.promptRenderer().render(without(messages, middle), tools, think));
      if (tokens.length < context) {
        best = tokens;
        high = middle - 1;
      } else {
        low = middle + 1;
      }
    }
    if (best != null) {
      return best;
    }
    List<Message> last = without(messages, messages.size() - 1);
    return cut(model.encode(model.promptRenderer().render(last, tools, think)), context, true);
  }

  private static List<Message> without(List<Message> messages, int dropped) {
    List<Message> kept = new ArrayList<>();
    for (int i = 0; i < messages.size(); i++) {
      if (i >= dropped || messages.get(i).role().equals(Message.SYSTEM)) {
        kept.add(messages.get(i));
      }
    }
    return kept;
  }
}
