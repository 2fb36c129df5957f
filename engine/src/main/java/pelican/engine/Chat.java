package pelican.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import pelican.chat.Message;
import pelican.chat.OutputEvent;
import pelican.chat.Tool;
import pelican.chat.ToolCall;

/**
 * A conversation: remembers what was said, asks the model for the next message and divides its
 * answer into text, thoughts and tool calls. Used by one thread at a time; {@link #cancel} by any.
 */
public final class Chat {
  private final Model model;
  private final Session session;
  private final List<Message> messages = new ArrayList<>();
  private List<Tool> tools = List.of();
  private boolean think;
  private GenerationOptions options;

  Chat(Model model, Session session) {
    this.model = model;
    this.session = session;
    options = GenerationOptions.DEFAULT.withSampling(model.recommendedSampling());
  }

  /** The conversation so far; may be changed. */
  public List<Message> messages() {
    return messages;
  }

  /** The tools that the model may call. */
  public Chat tools(List<Tool> value) {
    tools = List.copyOf(value);
    return this;
  }

  /** Whether the model is to think before it answers. */
  public Chat think(boolean value) {
    think = value;
    return this;
  }

  /** How answers are generated; unless set, as the model's file recommends. */
  public Chat options(GenerationOptions value) {
    options = value;
    return this;
  }

  public GenerationOptions options() {
    return options;
  }

  /** Says something to the model and returns what it answers. */
  public String ask(String text) {
    return ask(text, piece -> {}).content();
  }

  /**
   * Says something to the model.
   *
   * @param onText told of the answer's text as it comes
   */
  public Answer ask(String text, Consumer<String> onText) {
    messages.add(Message.user(text));
    return answer(event -> {
      if (event instanceof OutputEvent.Content content) {
        onText.accept(content.text());
      }
    });
  }

  /**
   * Asks for the next message of the assistant and adds it to the conversation.
   *
   * @param onEvent told of the answer's parts as they come
   * @throws PelicanException if the conversation does not fit the context
   */
  public Answer answer(Consumer<OutputEvent> onEvent) {
    int[] prompt = model.encode(model.promptRenderer().render(messages, tools, think));
    boolean inThought =
        think && !messages.isEmpty() && messages.getLast().role().equals(Message.TOOL);
    AnswerParser parser =
        new AnswerParser(model.tokenizer(), think, inThought, tools, !options.stop().isEmpty());
    Collector collector = new Collector(onEvent);
    Generation generation =
        session.generate(prompt, options, token -> parser.accept(token).forEach(collector));
    parser.finish().forEach(collector);
    Answer answer = collector.answer(generation);
    messages.add(Message.assistant(answer.content(), answer.thinking(), answer.toolCalls()));
    return answer;
  }

  /** Ends the answer that is being generated, from any thread; what came so far stays. */
  public void cancel() {
    session.cancel();
  }

  /** Passes events on and remembers them. */
  private static final class Collector implements Consumer<OutputEvent> {
    private final Consumer<OutputEvent> listener;
    private final StringBuilder content = new StringBuilder();
    private final StringBuilder thinking = new StringBuilder();
    private final List<ToolCall> calls = new ArrayList<>();

    Collector(Consumer<OutputEvent> listener) {
      this.listener = listener;
    }

    @Override
    public void accept(OutputEvent event) {
      switch (event) {
        case OutputEvent.Content part -> content.append(part.text());
        case OutputEvent.Thinking part -> thinking.append(part.text());
        case OutputEvent.Call call -> calls.add(call.call());
        case OutputEvent.UnreadableCall call -> {}
      }
      listener.accept(event);
    }

    Answer answer(Generation generation) {
      return new Answer(content.toString(), thinking.toString(), List.copyOf(calls), generation);
    }
  }
}
