package pelican.eval;

import java.util.List;
import java.util.Map;
import pelican.chat.Message;

/**
 * A prompt with what its answer has to be.
 *
 * @param line where it stands in its file, from 1 on
 * @param id its name, which no other has
 * @param category what it is counted under; empty if none
 * @param messages the conversation that is to be answered; a user's or a tool's message is the last
 * @param expected what the answer has to be
 * @param options generation parameters for this prompt alone, by Ollama's names
 */
public record Item(
    int line,
    String id,
    String category,
    List<Message> messages,
    Expectation expected,
    Map<String, List<String>> options) {
  /** The last message. */
  String prompt() {
    return messages.getLast().content();
  }

  /** Whether it brings a system message of its own. */
  boolean hasSystem() {
    return messages.getFirst().role().equals(Message.SYSTEM);
  }
}
