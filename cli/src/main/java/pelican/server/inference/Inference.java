package pelican.server.inference;

import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import pelican.chat.Message;
import pelican.chat.Tool;
import pelican.engine.FinishReason;
import pelican.engine.Generation;
import pelican.engine.GenerationOptions;
import pelican.engine.Model;
import pelican.engine.PelicanException;
import pelican.engine.Session;
import pelican.models.StoredModel;
import pelican.sampling.TokenConstraint;
import pelican.server.http.ApiException;
import pelican.tokenizer.TextSegment;
import pelican.tokenizer.Tokenizer;

/**
 * Answers requests with models: what every HTTP interface of the server is made of. Knows nothing
 * of HTTP but the status of an {@link ApiException}.
 */
public final class Inference implements AutoCloseable {
  private final Catalog catalog;
  private final Scheduler scheduler;
  private final FormatCompiler formats;
  private final Watch watch = new Watch();
  private final AtomicReference<Totals> totals = new AtomicReference<>(Totals.NONE);

  public Inference(Catalog catalog, Scheduler scheduler, FormatCompiler formats) {
    this.catalog = catalog;
    this.scheduler = scheduler;
    this.formats = formats;
  }

  public Catalog catalog() {
    return catalog;
  }

  public Scheduler scheduler() {
    return scheduler;
  }

  /** The number of answers that are being generated. */
  public int generating() {
    return watch.size();
  }

  /** Ends all answers with an error, and those that would begin. */
  public void stop() {
    watch.stop();
  }

  /** What was generated since the start. */
  public Totals totals() {
    return totals.get();
  }

  /** What is to be computed once the model's turn has come. */
  private record Job(
      CatalogEntry entry,
      Options.Resolved options,
      AnswerRequest request,
      boolean think,
      boolean startsInThought,
      List<Tool> tools,
      boolean raw) {
    Optional<KeepAlive> keepAlive() {
      return request.keepAlive();
    }

    Format format() {
      return request.format();
    }

    int topLogprobs() {
      return request.topLogprobs();
    }
  }

  /**
   * The next message of a conversation. Parts go to the caller as they come; all of them are in the
   * result too.
   *
   * @throws ApiException with the status and text of Ollama's errors
   */
  public Completion chat(ChatRequest request, Caller caller) {
    long start = System.nanoTime();
    CatalogEntry entry = catalog.require(request.model());
    Options.Resolved options = request.options().over(entry.options());
    checkLogprobs(request.topLogprobs());
    if (request.messages().isEmpty()) {
      return loadOnly(entry, "chat", options, request.keepAlive(), caller, start);
    }
    boolean think = check(entry, "chat", request.tools(), request.think());
    List<Message> messages = withModelMessages(entry, request.messages());
    boolean inThought = think && messages.getLast().role().equals(Message.TOOL);
    Job job = new Job(entry, options, request, think, inThought, request.tools(), false);
    return run(
        job,
        caller,
        start,
        (model, context) ->
            PromptTokens.fit(model, messages, request.tools(), think, request.truncate(), context));
  }

  /** What follows a prompt; as {@link #chat} otherwise. */
  public Completion generate(GenerateRequest request, Caller caller) {
    long start = System.nanoTime();
    CatalogEntry entry = catalog.require(request.model());
    Options.Resolved options = request.options().over(entry.options());
    checkLogprobs(request.topLogprobs());
    if (request.prompt().isEmpty()) {
      return loadOnly(entry, "generate", options, request.keepAlive(), caller, start);
    }
    boolean wanted = check(entry, "generate", List.of(), request.think());
    boolean think = wanted && !request.raw();
    Job job = new Job(entry, options, request, think, false, List.of(), request.raw());
    return run(
        job,
        caller,
        start,
        (model, context) -> {
          int[] prompt =
              request.raw()
                  ? PromptTokens.rawPrompt(model, request.prompt())
                  : PromptTokens.continued(
                      model, request.context(), generateMessages(entry, request), think);
          return PromptTokens.cut(prompt, context, request.truncate());
        });
  }

  /** The prompt that a chat request amounts to, as text; the model is loaded for it. */
  public String render(ChatRequest request, Caller caller) {
    CatalogEntry entry = catalog.require(request.model());
    boolean think = check(entry, "chat", request.tools(), request.think());
    List<Message> messages = withModelMessages(entry, request.messages());
    try (Scheduler.Lease lease = scheduler.acquire(entry, 0, request.keepAlive(), caller)) {
      return text(lease.model.model.promptRenderer().render(messages, request.tools(), think));
    }
  }

  /** The prompt that a generate request amounts to, as text; the model is loaded for it. */
  public String render(GenerateRequest request, Caller caller) {
    CatalogEntry entry = catalog.require(request.model());
    boolean think = check(entry, "generate", List.of(), request.think());
    if (request.raw()) {
      return request.prompt();
    }
    try (Scheduler.Lease lease = scheduler.acquire(entry, 0, request.keepAlive(), caller)) {
      Model model = lease.model.model;
      return text(
          model.promptRenderer().render(generateMessages(entry, request), List.of(), think));
    }
  }

  /**
   * What texts mean, as vectors.
   *
   * @param vectors one for each text, [width of the residual stream], not normalized
   * @param promptTokens tokens of all texts
   */
  public record Embeddings(List<float[]> vectors, int promptTokens, long total, long load) {}

  /**
   * Embeds texts one after the other; without any, the model is loaded.
   *
   * @param truncate whether a text that is too long is cut off; otherwise it is refused
   */
  public Embeddings embed(
      CatalogEntry entry,
      List<String> texts,
      boolean truncate,
      Options options,
      Optional<KeepAlive> keepAlive,
      Caller caller) {
    long start = System.nanoTime();
    Options.Resolved resolved = options.over(entry.options());
    int context = contextLength(resolved, entry);
    try (Scheduler.Lease lease = scheduler.acquire(entry, context, keepAlive, caller)) {
      Model model = lease.model.model;
      long load = System.nanoTime() - start;
      List<float[]> vectors = new ArrayList<>();
      int count = 0;
      for (String text : texts) {
        int[] tokens = model.encodeText(text);
        if (tokens.length > context) {
          if (!truncate) {
            throw ApiException.badRequest("the input length exceeds the context length");
          }
          tokens = Arrays.copyOf(tokens, context);
        }
        count += tokens.length;
        vectors.add(embed(lease, tokens, context, caller));
      }
      return new Embeddings(vectors, count, System.nanoTime() - start, load);
    }
  }

  private float[] embed(Scheduler.Lease lease, int[] tokens, int context, Caller caller) {
    Session session = lease.newSession(context);
    watch.add(session, caller);
    PrefillEvent event = new PrefillEvent();
    event.begin();
    try {
      float[] vector = session.embed(tokens);
      for (float value : vector) {
        if (!Float.isFinite(value)) {
          throw ApiException.badRequest("the embedding has values that are no finite numbers");
        }
      }
      return vector;
    } catch (ApiException e) {
      throw e;
    } catch (PelicanException e) {
      if (caller.gone() || watch.stopped()) {
        throw new ApiException(ApiException.CLIENT_CLOSED_REQUEST, "request canceled");
      }
      throw e;
    } finally {
      event.report(lease.model.entry, tokens.length, 0);
      watch.remove(session);
    }
  }

  private static String text(List<TextSegment> segments) {
    return segments.stream().map(TextSegment::text).collect(Collectors.joining());
  }

  private static void checkLogprobs(int top) {
    if (top > 20) {
      throw ApiException.badRequest("top_logprobs must be between 0 and 20");
    }
  }

  /** Whether to think; refuses what the model cannot do. */
  private static boolean check(
      CatalogEntry entry, String use, List<Tool> tools, Optional<Boolean> think) {
    Set<Capability> can = entry.capabilities();
    if (!can.contains(Capability.COMPLETION)) {
      throw ApiException.badRequest("\"" + entry.display() + "\" does not support " + use);
    }
    if (!tools.isEmpty() && !can.contains(Capability.TOOLS)) {
      throw ApiException.badRequest(entry.fullName() + " does not support tools");
    }
    if (think.orElse(false) && !can.contains(Capability.THINKING)) {
      throw ApiException.badRequest("\"" + entry.display() + "\" does not support thinking");
    }
    return think.orElse(can.contains(Capability.THINKING));
  }

  /** The model's own messages, then the request's; its system message unless they begin so. */
  private static List<Message> withModelMessages(CatalogEntry entry, List<Message> messages) {
    if (messages.isEmpty() || entry.stored().isEmpty()) {
      return messages;
    }
    StoredModel stored = entry.stored().get();
    List<Message> all = new ArrayList<>();
    String system = stored.system().orElse("");
    if (!system.isEmpty() && !messages.getFirst().role().equals(Message.SYSTEM)) {
      all.add(Message.system(system));
    }
    all.addAll(stored.messages());
    all.addAll(messages);
    return all;
  }

  /** The model's messages are not for what goes on from a context. */
  private static List<Message> generateMessages(CatalogEntry entry, GenerateRequest request) {
    Optional<StoredModel> stored = entry.stored();
    List<Message> messages = new ArrayList<>();
    String system =
        request.system().isEmpty()
            ? stored.flatMap(StoredModel::system).orElse("")
            : request.system();
    if (!system.isEmpty()) {
      messages.add(Message.system(system));
    }
    if (request.context().length == 0) {
      messages.addAll(stored.map(StoredModel::messages).orElse(List.of()));
    }
    messages.add(Message.user(request.prompt()));
    return messages;
  }

  private Completion loadOnly(
      CatalogEntry entry,
      String use,
      Options.Resolved options,
      Optional<KeepAlive> keepAlive,
      Caller caller,
      long start) {
    DoneReason reason = DoneReason.LOAD;
    if (keepAlive.isPresent() && keepAlive.get().isZero()) {
      scheduler.unload(entry.file());
      reason = DoneReason.UNLOAD;
    } else {
      check(entry, use, List.of(), Optional.empty());
      scheduler.acquire(entry, contextLength(options, entry), keepAlive, caller).close();
    }
    long total = System.nanoTime() - start;
    Metrics metrics = new Metrics(total, total, 0, 0, 0, 0, 0);
    return new Completion("", "", List.of(), List.of(), reason, metrics, new int[0]);
  }

  /** Makes the tokens of a prompt that fits a context of so many. */
  private interface Prompt {
    int[] tokens(Model model, int context);
  }

  private Completion run(Job job, Caller caller, long start, Prompt prompt) {
    int context = contextLength(job.options(), job.entry());
    try (Scheduler.Lease lease = scheduler.acquire(job.entry(), context, job.keepAlive(), caller)) {
      Model model = lease.model.model;
      int[] tokens = prompt.tokens(model, context);
      Session session = lease.takeSession(tokens, context);
      long loaded = System.nanoTime();
      watch.add(session, caller);
      try {
        return generate(job, caller, model, session, tokens, start, loaded - start);
      } finally {
        watch.remove(session);
        lease.giveBack(session);
      }
    }
  }

  private Completion generate(
      Job job, Caller caller, Model model, Session session, int[] tokens, long start, long load) {
    Tokenizer tokenizer = model.tokenizer();
    GenerationOptions options =
        job.options().generation().withTopLogProbabilities(job.topLogprobs());
    Map<String, Object> schema =
        switch (job.format()) {
          case Format.None none -> null;
          case Format.AnyJson any -> Map.of();
          case Format.Schema given -> given.schema();
        };
    if (schema != null) {
      // The last token need not fit the context, as nothing is computed after it.
      long room = session.contextLength() - tokens.length + 1L;
      long most = options.maxTokens() < 0 ? room : Math.min(room, options.maxTokens());
      TokenConstraint constraint = formats.compile(schema, tokenizer, most);
      options =
          options.withConstraint(
              job.think()
                  ? new AfterThought(constraint, tokenizer, job.startsInThought())
                  : constraint);
    }
    AnswerCollector collector = new AnswerCollector(tokenizer, caller, job.topLogprobs() >= 0);
    collector.begin(
        job.raw(), job.think(), job.startsInThought(), job.tools(), !options.stop().isEmpty());
    Listening listening = new Listening(collector, caller, session);
    Generation generation;
    try {
      generation = session.generate(tokens, options, listening);
    } catch (UncheckedIOException e) {
      // Nobody takes the answer any more.
      totals.updateAndGet(sum -> sum.plusCancelled(listening.tokens));
      throw e;
    }
    listening.report(job.entry(), generation);
    if (generation.reason() == FinishReason.CANCELLED) {
      totals.updateAndGet(sum -> sum.plusCancelled(listening.tokens));
      throw watch.stopped()
          ? new ApiException(503, "the server is shutting down")
          : new ApiException(ApiException.CLIENT_CLOSED_REQUEST, "request canceled");
    }
    collector.finish();
    Metrics metrics =
        new Metrics(
            System.nanoTime() - start,
            load,
            generation.promptTokens(),
            generation.cachedTokens(),
            generation.promptTime().toNanos(),
            generation.tokens().length,
            generation.generationTime().toNanos());
    totals.updateAndGet(sum -> sum.plus(metrics));
    return collector.completion(
        generation.reason() == FinishReason.LENGTH ? DoneReason.LENGTH : DoneReason.STOP,
        metrics,
        IntStream.concat(Arrays.stream(tokens), Arrays.stream(generation.tokens())).toArray());
  }

  private int contextLength(Options.Resolved options, CatalogEntry entry) {
    int wanted =
        options.contextLength() == 0 ? scheduler.limits().contextLength() : options.contextLength();
    int trained = entry.facts().contextLength();
    return trained == 0 ? Math.max(wanted, 4) : Math.min(Math.max(wanted, 4), trained);
  }

  @Override
  public void close() {
    watch.close();
  }
}
