package pelican.eval;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import pelican.chat.Message;
import pelican.engine.Answer;
import pelican.engine.Chat;
import pelican.engine.FinishReason;
import pelican.engine.GenerationOptions;
import pelican.engine.Model;
import pelican.engine.PelicanException;
import pelican.engine.Session;

/**
 * Has a model answer prompts, several at a time: what sessions compute at the same time reads each
 * weight once. {@link #cancel} may be called by any thread.
 */
public final class Evaluation {
  /**
   * How to ask.
   *
   * @param contextLength tokens of context; 0 for what sessions have by default
   * @param think whether the model is to think first
   * @param system what the model is to be where the prompt does not say; empty for nothing
   * @param parallel how many prompts are answered at a time, at least 1
   */
  public record Settings(int contextLength, boolean think, String system, int parallel) {}

  private final Model model;
  private final String label;
  private final Map<Item, GenerationOptions> items;
  private final Settings settings;
  private final List<Session> sessions = new ArrayList<>();
  private volatile boolean cancelled;

  /**
   * Prepares an evaluation.
   *
   * @param label what the model is called in results
   * @param items the prompts, each with how its answer is generated
   * @throws PelicanException if a prompt does not fit the context, naming its line
   */
  public Evaluation(
      Model model, String label, Map<Item, GenerationOptions> items, Settings settings) {
    this.model = model;
    this.label = label;
    this.items = items;
    this.settings = settings;
    int count = Math.clamp(items.size(), 1, settings.parallel);
    for (int i = 0; i < count; i++) {
      sessions.add(
          settings.contextLength == 0
              ? model.newSession()
              : model.newSession(settings.contextLength));
    }
    items.keySet().forEach(this::check);
  }

  private void check(Item item) {
    int length =
        model.encode(model.promptRenderer().render(messages(item), List.of(), settings.think))
            .length;
    int context = sessions.getFirst().contextLength();
    if (length >= context) {
      throw new PelicanException(
          "line %d: the prompt has %d tokens, but the context of %s holds %d (num_ctx), expected"
                  .formatted(item.line(), length, label, context)
              + " room for an answer");
    }
  }

  private List<Message> messages(Item item) {
    List<Message> messages = new ArrayList<>(item.messages());
    if (!settings.system.isEmpty() && !item.hasSystem()) {
      messages.addFirst(Message.system(settings.system));
    }
    return messages;
  }

  /**
   * Asks all prompts.
   *
   * @param listener told of each result as it comes, by one thread at a time
   * @throws CancellationException if it was cancelled
   * @throws PelicanException if a prompt cannot be answered; others were
   */
  public void run(Consumer<Result> listener) {
    List<Item> order = List.copyOf(items.keySet());
    AtomicInteger next = new AtomicInteger();
    try (ExecutorService threads =
        Executors.newFixedThreadPool(
            sessions.size(), Thread.ofPlatform().daemon().name("pelican-eval-", 0).factory())) {
      List<Future<?>> running = new ArrayList<>();
      for (Session session : sessions) {
        running.add(
            threads.submit(() -> {
              for (int i = next.getAndIncrement();
                  i < order.size() && !cancelled;
                  i = next.getAndIncrement()) {
                Optional<Result> result = ask(session, order.get(i));
                synchronized (this) {
                  result.ifPresent(listener);
                }
              }
            }));
      }
      await(running);
    }
    if (cancelled) {
      throw new CancellationException("cancelled");
    }
  }

  private void await(List<Future<?>> running) {
    Throwable failure = null;
    for (Future<?> one : running) {
      try {
        one.get();
      } catch (ExecutionException e) {
        failure = failure == null ? e.getCause() : failure;
        cancel();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        cancel();
      }
    }
    switch (failure) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case null, default -> {}
    }
  }

  /** Empty if it was cut short. */
  private Optional<Result> ask(Session session, Item item) {
    long start = System.nanoTime();
    Chat chat = model.chat(session).options(items.get(item)).think(settings.think);
    chat.messages().addAll(messages(item));
    try {
      Answer answer =
          chat.answer(event -> {
            // A cancellation before the answer began is forgotten by the session.
            if (cancelled) {
              chat.cancel();
            }
          });
      FinishReason reason = answer.generation().reason();
      if (cancelled || reason == FinishReason.CANCELLED) {
        return Optional.empty();
      }
      return Optional.of(
          new Result(
              label,
              item.id(),
              item.expected().isMetBy(answer.content()),
              answer.content(),
              answer.generation().tokens().length,
              reason == FinishReason.STOP,
              Math.rint((System.nanoTime() - start) / 1e6) / 1e3));
    } catch (PelicanException e) {
      if (cancelled) {
        return Optional.empty();
      }
      throw new PelicanException("line " + item.line() + ": " + e.getMessage(), e);
    }
  }

  /** Ends {@link #run} soon; answers that are not whole are dropped. */
  public void cancel() {
    cancelled = true;
    sessions.forEach(Session::cancel);
  }
}
