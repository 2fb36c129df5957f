package pelican.server.inference;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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

  /**
   * What was generated since the start; times in nanoseconds.
   *
   * @param firstToken times from requests to their first tokens, added up
   */
  public record Totals(
      long answers,
      long promptTokens,
      long cachedTokens,
      long tokens,
      long prompt,
      long generation,
      long firstToken) {
    Totals plus(Metrics m) {
      return new Totals(
          answers + 1,
          promptTokens + m.promptTokens(),
          cachedTokens + m.cachedTokens(),
          tokens + m.tokens(),
          prompt + m.prompt(),
          generation + m.generation(),
          firstToken + m.load() + m.prompt());
    }
  }

  private final AtomicReference<Totals> totals =
      new AtomicReference<>(new Totals(0, 0, 0, 0, 0, 0, 0));

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
      return loadOnly(entry, request.keepAlive(), caller, start);
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
      return loadOnly(entry, request.keepAlive(), caller, start);
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
    try (Scheduler.Lease lease = scheduler.acquire(entry, request.keepAlive(), caller)) {
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
    try (Scheduler.Lease lease = scheduler.acquire(entry, request.keepAlive(), caller)) {
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
    try (Scheduler.Lease lease = scheduler.acquire(entry, keepAlive, caller)) {
      Model model = lease.model.model;
      int context = contextLength(resolved, model);
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
        vectors.add(embed(lease.model, tokens, context, caller));
      }
      return new Embeddings(vectors, count, System.nanoTime() - start, load);
    }
  }

  private float[] embed(LoadedModel loaded, int[] tokens, int context, Caller caller) {
    // A session of its own: those of conversations are worth more.
    Session session = loaded.model.newSession(context);
    watch.add(session, caller);
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

  private static List<Message> withModelMessages(CatalogEntry entry, List<Message> messages) {
    if (messages.isEmpty() || messages.getFirst().role().equals(Message.SYSTEM)) {
      return messages;
    }
    return entry
        .stored()
        .flatMap(StoredModel::system)
        .filter(system -> !system.isEmpty())
        .map(system -> Stream.concat(Stream.of(Message.system(system)), messages.stream()).toList())
        .orElse(messages);
  }

  private static List<Message> generateMessages(CatalogEntry entry, GenerateRequest request) {
    List<Message> user = List.of(Message.user(request.prompt()));
    if (!request.system().isEmpty()) {
      return List.of(Message.system(request.system()), user.getFirst());
    }
    return withModelMessages(entry, user);
  }

  private Completion loadOnly(
      CatalogEntry entry, Optional<KeepAlive> keepAlive, Caller caller, long start) {
    DoneReason reason = DoneReason.LOAD;
    if (keepAlive.isPresent() && keepAlive.get().isZero()) {
      scheduler.unload(entry.file());
      reason = DoneReason.UNLOAD;
    } else {
      scheduler.acquire(entry, keepAlive, caller).close();
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
    try (Scheduler.Lease lease = scheduler.acquire(job.entry(), job.keepAlive(), caller)) {
      Model model = lease.model.model;
      int context = contextLength(job.options(), model);
      int[] tokens = prompt.tokens(model, context);
      Session session = lease.model.takeSession(tokens, context);
      long loaded = System.nanoTime();
      watch.add(session, caller);
      try {
        return generate(job, caller, model, session, tokens, start, loaded - start);
      } finally {
        watch.remove(session);
        lease.model.giveBack(session);
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
    AnswerEvent event = new AnswerEvent();
    event.begin();
    Generation generation = session.generate(tokens, options, collector::token);
    event.model = job.entry().display();
    event.promptTokens = generation.promptTokens();
    event.cachedTokens = generation.cachedTokens();
    event.prefill = generation.promptTime().toNanos();
    event.tokens = generation.tokens().length;
    event.decode = generation.generationTime().toNanos();
    event.commit();
    if (generation.reason() == FinishReason.CANCELLED) {
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

  private int contextLength(Options.Resolved options, Model model) {
    int wanted =
        options.contextLength() == 0 ? scheduler.limits().contextLength() : options.contextLength();
    return Math.min(Math.max(wanted, 4), model.contextLength());
  }

  @Override
  public void close() {
    watch.close();
  }
}
