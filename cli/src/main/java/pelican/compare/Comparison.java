package pelican.compare;

import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import pelican.engine.Answer;
import pelican.engine.FinishReason;
import pelican.engine.GenerationOptions;
import pelican.engine.PelicanException;
import pelican.gguf.GgufFile;
import pelican.gguf.TensorInfo;
import pelican.sampling.SamplingOptions;

/**
 * Compares models with the first of them. {@link #report} may be called by any thread at any time
 * and gives what is known so far; {@link #cancel} ends {@link #run} early.
 */
public final class Comparison implements AutoCloseable {
  /** Told of progress: steps of a phase that are done, of how many. */
  public interface Progress {
    void step(Phase phase, int done, int total);
  }

  private static final int WORST_TENSORS = 10;

  /** Tokens whose divergence a report shows one by one. */
  private static final int SHOWN_TOKENS = 4000;

  private final List<Subject> subjects = new ArrayList<>();
  private final ComparisonOptions options;
  private final Progress progress;
  private final List<ModelFacts> facts = new ArrayList<>();
  private final List<ModelFacts.MetadataRow> metadata;
  private final boolean sameTokens;

  private final List<String> notes = new ArrayList<>();
  private final List<List<WeightError>> weights = new ArrayList<>();
  private final List<Quality.Result> results = new ArrayList<>();
  private final List<Behaviour> behaviours = new ArrayList<>();
  private final List<SpeedRuns> speeds = new ArrayList<>();
  private final List<BlockView> blocks = new ArrayList<>();
  private final List<BlockView> samples = new ArrayList<>();
  private final Map<Phase, int[]> steps = new EnumMap<>(Phase.class);
  private final Set<Phase> impossible = EnumSet.noneOf(Phase.class);
  private volatile boolean cancelled;

  /**
   * Opens the models and checks that what is asked for can be done.
   *
   * @param models labels and files, the reference first, at least two
   * @throws PelicanException if a file is no model, or a prompt does not fit the context
   */
  public Comparison(Map<String, Path> models, ComparisonOptions options, Progress progress) {
    this.options = options;
    this.progress = progress;
    try {
      models.forEach((label, path) ->
          subjects.add(new Subject(label, path, options.model(), options.contextLength())));
      for (Subject subject : subjects) {
        facts.add(
            ModelFacts.of(subject.label(), subject.file(), subjects.getFirst().file().size()));
        weights.add(new ArrayList<>());
        speeds.add(new SpeedRuns(subject, options.prompts().getFirst(), this::check));
      }
      metadata = ModelFacts.metadata(subjects.stream().map(Subject::file).toList());
      sameTokens =
          facts.stream().allMatch(f -> f.tokenizer().equals(facts.getFirst().tokenizer()))
              && subjects.stream()
                  .allMatch(s -> s.model().vocabulary() == first().model().vocabulary());
      noteDifferences();
      checkPrompts();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private Subject first() {
    return subjects.getFirst();
  }

  private void noteDifferences() {
    for (int m = 1; m < subjects.size(); m++) {
      List<String> found =
          ModelFacts.differences(
              facts.getFirst(), first().file(), facts.get(m), subjects.get(m).file());
      String pair = first().label() + " and " + subjects.get(m).label();
      notes.add(
          found.isEmpty()
              ? pair
                  + ": the same model in different storage (same architecture, shapes, tokenizer"
                  + " and chat template)"
              : pair + ": NOT the same model: " + String.join("; ", found));
    }
    if (!sameTokens) {
      notes.add("token ids differ, so that probabilities cannot be compared: no divergence");
      impossible.add(Phase.QUALITY);
    }
    for (ModelFacts model : facts) {
      if (model.template().isEmpty()) {
        notes.add(
            model.model()
                + " has no chat template (tokenizer.chat_template): its prompts are framed in Gemma"
                + " 4's own format, which it may not have been trained on");
      }
    }
  }

  private void checkPrompts() {
    if (!options.phases().contains(Phase.BEHAVIOUR) && !options.phases().contains(Phase.QUALITY)) {
      return;
    }
    for (Subject subject : subjects) {
      for (Prompt prompt : options.prompts()) {
        int length = subject.frame(prompt.text()).length;
        int context = subject.session().contextLength();
        if (length >= context) {
          String text = prompt.text();
          throw new PelicanException(
              "the prompt '%s' has %d tokens, but the context of %s holds %d (num_ctx)"
                  .formatted(
                      text.length() > 40 ? text.substring(0, 40) + "…" : text,
                      length,
                      subject.label(),
                      context));
        }
      }
    }
  }

  /** What has to be known before the numbers: whether the files are one model. */
  public synchronized List<String> notes() {
    return List.copyOf(notes);
  }

  /**
   * Does all phases.
   *
   * @throws CancellationException if it was cancelled
   */
  public void run() {
    try {
      if (wants(Phase.WEIGHTS)) {
        compareWeights();
      }
      if (wants(Phase.QUALITY)) {
        measureQuality();
      }
      if (wants(Phase.BEHAVIOUR)) {
        askAll();
      }
      if (wants(Phase.SPEED)) {
        measureSpeed();
      }
    } catch (PelicanException e) {
      // What was cut short fails for many reasons, of which only the first matters.
      check();
      throw e;
    }
  }

  private boolean wants(Phase phase) {
    return options.phases().contains(phase) && !impossible.contains(phase);
  }

  private void check() {
    if (cancelled) {
      throw new CancellationException("cancelled");
    }
  }

  private void step(Phase phase, int done, int total) {
    synchronized (this) {
      steps.put(phase, new int[] {done, total});
    }
    progress.step(phase, done, total);
    check();
  }

  private void compareWeights() {
    List<TensorInfo> tensors = List.copyOf(first().file().tensors().values());
    int total = tensors.size() * (subjects.size() - 1);
    int done = 0;
    step(Phase.WEIGHTS, 0, total);
    for (int m = 1; m < subjects.size(); m++) {
      GgufFile other = subjects.get(m).file();
      int skipped = 0;
      for (TensorInfo tensor : tensors) {
        TensorInfo match = other.find(tensor.name()).orElse(null);
        if (match != null && WeightError.comparable(tensor, match)) {
          WeightError error = WeightError.of(first().file(), tensor, other, match);
          synchronized (this) {
            weights.get(m).add(error);
          }
        } else {
          skipped++;
        }
        step(Phase.WEIGHTS, ++done, total);
      }
      noteWeights(m, skipped);
    }
    showBlocks();
  }

  private synchronized void noteWeights(int m, int skipped) {
    String label = subjects.get(m).label();
    if (skipped > 0) {
      notes.add(skipped + " tensors of " + label + " have no counterpart that can be compared");
    }
    double total = weights.get(m).stream().mapToDouble(WeightError::weights).sum();
    double cosine =
        weights.get(m).stream().mapToDouble(e -> e.weights() * e.cosine()).sum() / total;
    if (total > 0 && cosine < 0.9) {
      notes.addFirst(
          label + ": the weights are not those of " + first().label() + " but for rounding");
    }
  }

  private void showBlocks() {
    List<BlockView.Source> sources =
        subjects.stream().map(s -> new BlockView.Source(s.label(), s.file())).toList();
    List<List<WeightError>> worst = weights.stream().skip(1).map(Comparison::worstTensors).toList();
    List<BlockView> found =
        options.blocks().isEmpty()
            ? SampleBlocks.worst(sources, worst.getLast())
            : SampleBlocks.asked(sources, options.blocks());
    List<BlockView> sampled = SampleBlocks.ofTensors(sources, worst);
    synchronized (this) {
      blocks.addAll(found);
      samples.addAll(sampled);
    }
  }

  private static List<WeightError> worstTensors(List<WeightError> errors) {
    return errors.stream()
        .sorted(Comparator.comparingDouble(WeightError::relativeRms).reversed())
        .limit(WORST_TENSORS)
        .toList();
  }

  private GenerationOptions greedy(Prompt prompt) {
    return GenerationOptions.DEFAULT
        .withSampling(SamplingOptions.GREEDY)
        .withMaxTokens(prompt.maxTokens(options.maxTokens()));
  }

  private void measureQuality() {
    List<Quality.Sequence> sequences = new ArrayList<>();
    if (options.tokens() != null) {
      sequences.add(new Quality.Sequence("tokens", options.tokens(), 1));
    } else if (options.text() != null) {
      int[] tokens = first().model().encodeText(options.text());
      var tokenizer = first().model().tokenizer();
      int bos = tokenizer.addBos() ? tokenizer.bos() : -1;
      int context =
          subjects.stream().mapToInt(s -> s.session().contextLength()).min().orElseThrow();
      sequences.addAll(Quality.windows(tokens, bos, context));
    }
    boolean answers = sequences.isEmpty();
    int total = answers ? options.prompts().size() : sequences.size();
    step(Phase.QUALITY, 0, total);
    for (int i = 0; i < total; i++) {
      Quality.Sequence sequence = answers ? answered(options.prompts().get(i)) : sequences.get(i);
      if (sequence.tokens().length > sequence.from()) {
        Quality.Result result = Quality.measure(subjects, sequence, this::check);
        check();
        synchronized (this) {
          results.add(result);
        }
      }
      step(Phase.QUALITY, i + 1, total);
    }
  }

  /** A prompt as the template frames it, with the reference's likeliest answer. */
  private Quality.Sequence answered(Prompt prompt) {
    int[] question = first().frame(prompt.text());
    int[] answer = first().answer(prompt.text(), greedy(prompt)).generation().tokens();
    check();
    int[] all = IntStream.concat(IntStream.of(question), IntStream.of(answer)).toArray();
    return new Quality.Sequence(prompt.text(), all, question.length);
  }

  private void askAll() {
    int total = options.prompts().size();
    step(Phase.BEHAVIOUR, 0, total);
    int done = 0;
    for (Prompt prompt : options.prompts()) {
      List<Behaviour.Given> given = new ArrayList<>();
      int[] reference = null;
      for (Subject subject : subjects) {
        Answer answer = subject.answer(prompt.text(), greedy(prompt));
        check();
        int[] tokens = answer.generation().tokens();
        reference = reference == null ? tokens : reference;
        boolean ended = answer.generation().reason() == FinishReason.STOP;
        given.add(Behaviour.given(prompt, answer.content(), tokens, reference, ended));
      }
      List<List<int[]>> drawn = new ArrayList<>();
      for (int m = 0; options.seeds() > 0 && m < subjects.size(); m++) {
        List<int[]> own = new ArrayList<>();
        for (int seed = 1; seed <= options.seeds(); seed++) {
          SamplingOptions sampling = SamplingOptions.GEMMA.toBuilder().seed(seed).build();
          own.add(
              subjects
                  .get(m)
                  .answer(prompt.text(), greedy(prompt).withSampling(sampling))
                  .generation()
                  .tokens());
          check();
        }
        drawn.add(own);
      }
      Behaviour behaviour =
          new Behaviour(prompt.text(), prompt.kind(), given, Behaviour.stability(drawn));
      synchronized (this) {
        behaviours.add(behaviour);
      }
      step(Phase.BEHAVIOUR, ++done, total);
    }
  }

  private void measureSpeed() {
    int total = (options.repetitions() + 1) * subjects.size();
    step(Phase.SPEED, 0, total);
    int done = 0;
    for (SpeedRuns runs : speeds) {
      runs.warmUp();
      step(Phase.SPEED, ++done, total);
    }
    for (int run = 0; run < options.repetitions(); run++) {
      for (SpeedRuns runs : speeds) {
        runs.run();
        step(Phase.SPEED, ++done, total);
      }
    }
  }

  /** Ends {@link #run} soon; what was found stays. */
  public void cancel() {
    cancelled = true;
    subjects.forEach(subject -> subject.session().cancel());
    speeds.forEach(SpeedRuns::cancel);
  }

  /** What was found so far, and what is missing. */
  public synchronized Report report() {
    List<String> missing = missing();
    List<Report.Weights> errors = new ArrayList<>();
    List<Report.Measured> measured = new ArrayList<>();
    for (int m = 1; m < subjects.size(); m++) {
      List<WeightError> own = List.copyOf(weights.get(m));
      if (!own.isEmpty()) {
        errors.add(
            new Report.Weights(
                subjects.get(m).label(), WeightError.overall(own), own, worstTensors(own)));
      }
      int at = m - 1;
      List<Divergence> all =
          results.stream().flatMap(r -> r.divergences().get(at).stream()).toList();
      if (!all.isEmpty()) {
        measured.add(new Report.Measured(subjects.get(m).label(), DivergenceStatistics.of(all)));
      }
    }
    List<Behaviour.Summary> summaries = new ArrayList<>();
    List<Speed> speed = new ArrayList<>();
    for (int m = 0; m < subjects.size(); m++) {
      if (!behaviours.isEmpty()) {
        summaries.add(Behaviour.summary(behaviours, m, subjects.get(m).label()));
      }
      speeds.get(m).speed().ifPresent(speed::add);
    }
    List<Quality.Marked> texts = new ArrayList<>();
    int shown = 0;
    for (Quality.Result result : results) {
      if (shown < SHOWN_TOKENS) {
        texts.add(Quality.mark(first(), result));
        shown += texts.getLast().marks().size();
      }
    }
    return new Report(
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        missing.isEmpty(),
        missing,
        List.copyOf(notes),
        List.copyOf(facts),
        metadata,
        errors,
        measured,
        summaries,
        List.copyOf(behaviours),
        speed,
        texts,
        Quality.worst(subjects, results),
        List.copyOf(blocks),
        List.copyOf(samples));
  }

  private List<String> missing() {
    List<String> missing = new ArrayList<>();
    for (Phase phase : Phase.values()) {
      int[] done = steps.get(phase);
      if (!options.phases().contains(phase)) {
        missing.add(phase.what() + ": not asked for");
      } else if (impossible.contains(phase)) {
        missing.add(phase.what() + ": not possible, as token ids differ");
      } else if (done == null) {
        missing.add(phase.what() + ": not begun");
      } else if (done[0] < done[1]) {
        missing.add(phase.what() + ": only " + done[0] + " of " + done[1] + " steps done");
      }
    }
    for (int m = 0; m < subjects.size(); m++) {
      if (!speeds.get(m).failure().isEmpty()) {
        missing.add("the memory of " + subjects.get(m).label() + ": " + speeds.get(m).failure());
      }
    }
    return missing;
  }

  @Override
  public void close() {
    subjects.forEach(Subject::close);
  }
}
