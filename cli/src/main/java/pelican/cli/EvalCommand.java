package pelican.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import pelican.engine.GenerationOptions;
import pelican.engine.Model;
import pelican.engine.ModelOptions;
import pelican.engine.PelicanException;
import pelican.eval.Candidate;
import pelican.eval.Dataset;
import pelican.eval.Evaluation;
import pelican.eval.Item;
import pelican.eval.Result;
import pelican.eval.ResultFile;
import pelican.eval.ScoreTables;
import pelican.eval.Scores;
import pelican.models.ModelResolver;
import pelican.sampling.SamplingOptions;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

@Command(
    name = "eval",
    description = "Scores models on prompts whose right answers are known.",
    footer =
        "%nWith --output, the same command goes on where an earlier one stopped. Ctrl-C prints the"
            + " scores so far.",
    mixinStandardHelpOptions = true)
final class EvalCommand implements Callable<Integer> {
  /** Answers that run in circles end. */
  private static final String MAX_TOKENS = "512";

  /** Drawn answers are the same in every run, unless another seed is asked for. */
  private static final String SEED = "1";

  @Spec private CommandSpec spec;

  @picocli.CommandLine.Parameters(
      arity = "1..*",
      paramLabel = "MODEL",
      description = "Names, aliases or paths of models.")
  private List<String> models;

  @ArgGroup(multiplicity = "1")
  private Source source;

  /** One of these. */
  private static final class Source {
    @Option(
        names = "--data",
        paramLabel = "FILE",
        description = "Prompts, one JSON object a line: prompt or messages; answer, regex or json.")
    private Path file;

    @Option(
        names = "--builtin",
        paramLabel = "NAME",
        description = "Prompts that are carried inside: demo, for the toy model.")
    private String builtIn;
  }

  @Option(
      names = {"--output", "-o"},
      paramLabel = "FILE",
      description = "Where results are kept, and where earlier ones are.")
  private Path output;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "Only the first N prompts of each category.")
  private Integer limit;

  @Option(
      names = "--parallel",
      defaultValue = "8",
      paramLabel = "N",
      description = "Answers that are generated at a time; default: ${DEFAULT-VALUE}.")
  private int parallel;

  @Option(names = "--system", description = "What the model is to be, where the set does not say.")
  private String system = "";

  @Option(names = "--think", description = "Let the model think before it answers.")
  private boolean think;

  @Option(
      names = "--wrong",
      defaultValue = "0",
      paramLabel = "N",
      description = "Also show so many wrong answers of each model.")
  private int wrong;

  @Option(names = "--threads", paramLabel = "N", description = "Threads that compute.")
  private Integer threads;

  @ArgGroup(
      validate = false,
      heading = "%nGeneration, greedy unless a temperature is given; up to 512 tokens:%n")
  private ParameterOptions parameters = new ParameterOptions();

  @ArgGroup private Format format = new Format();

  /** At most one of these. */
  private static final class Format {
    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Option(names = "--markdown", description = "Print Markdown.")
    private boolean markdown;
  }

  private Dataset dataset;
  private Parameters settings;
  private Map<String, String> options;
  private final List<Candidate> candidates = new ArrayList<>();
  private final List<Result> results = Collections.synchronizedList(new ArrayList<>());
  private final List<Evaluation> evaluations = new ArrayList<>();
  private ResultFile kept;
  private boolean written;

  @Override
  public Integer call() throws IOException {
    atLeast("--parallel", parallel, 1);
    atLeast("--wrong", wrong, 0);
    atLeast("--limit", limit == null ? 1 : limit, 1);
    dataset = source.file != null ? Dataset.read(source.file) : Dataset.builtIn(source.builtIn);
    dataset = limit == null ? dataset : dataset.limited(limit);
    settings = settings();
    options = describe();
    Map<Item, GenerationOptions> items = items();
    Map<String, ModelResolver.Resolved> resolved =
        SeveralModels.resolve(spec.commandLine(), models);
    try (ResultFile file = output == null ? null : ResultFile.open(output, dataset, options)) {
      kept = file;
      if (file != null) {
        results.addAll(file.results());
      }
      for (Map.Entry<String, ModelResolver.Resolved> entry : resolved.entrySet()) {
        candidates.add(Candidate.of(entry.getKey(), entry.getValue()));
        if (file != null) {
          file.begin(candidates.getLast());
        }
      }
      return evaluate(items, resolved);
    }
  }

  private int evaluate(
      Map<Item, GenerationOptions> items, Map<String, ModelResolver.Resolved> resolved) {
    List<Model> open = new ArrayList<>();
    try (Interruption _ = new Interruption(this::interrupted)) {
      for (Candidate candidate : candidates) {
        Map<Item, GenerationOptions> left = left(candidate.model(), items);
        if (!left.isEmpty()) {
          open.add(Model.load(resolved.get(candidate.model()).file(), modelOptions()));
          add(evaluation(open.getLast(), candidate.model(), left));
        }
      }
      run(items.size());
      write();
      return 0;
    } catch (CancellationException e) {
      return Failures.FAILURE;
    } finally {
      open.forEach(Model::close);
    }
  }

  private synchronized void add(Evaluation evaluation) {
    evaluations.add(evaluation);
  }

  private synchronized List<Evaluation> evaluations() {
    return List.copyOf(evaluations);
  }

  private Evaluation evaluation(Model model, String label, Map<Item, GenerationOptions> items) {
    try {
      return new Evaluation(
          model,
          label,
          items,
          new Evaluation.Settings(settings.contextLength().orElse(0), think, system, parallel));
    } catch (PelicanException e) {
      throw atLine(e);
    }
  }

  private void run(int prompts) {
    int total = prompts * candidates.size();
    try (Bar bar = new Bar(total, done(total))) {
      for (Evaluation evaluation : evaluations()) {
        evaluation.run(result -> {
          keep(result);
          bar.step(result.model());
        });
      }
    } catch (PelicanException e) {
      throw atLine(e);
    }
  }

  /** Errors of prompts name the line; the set is known here. */
  private PelicanException atLine(PelicanException e) {
    return e.getMessage().startsWith("line ")
        ? new PelicanException(dataset.name() + ", " + e.getMessage(), e)
        : e;
  }

  private void keep(Result result) {
    results.add(result);
    if (kept != null) {
      try {
        kept.add(result);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private Map<Item, GenerationOptions> left(String model, Map<Item, GenerationOptions> items) {
    Set<String> done =
        results.stream()
            .filter(result -> result.model().equals(model))
            .map(Result::id)
            .collect(Collectors.toSet());
    Map<Item, GenerationOptions> left = new LinkedHashMap<>();
    items.forEach((item, how) -> {
      if (!done.contains(item.id())) {
        left.put(item, how);
      }
    });
    return left;
  }

  private int done(int total) {
    int missing = 0;
    for (Scores.ModelScores model : scores().models()) {
      missing += dataset.items().size() - model.answered();
    }
    return total - missing;
  }

  private Scores scores() {
    return Scores.of(dataset, options, candidates, List.copyOf(results));
  }

  private void interrupted() {
    evaluations().forEach(Evaluation::cancel);
    write();
    int total = dataset.items().size() * candidates.size();
    System.err.println(
        output == null
            ? "interrupted: with --output FILE the same command would go on where it stopped"
            : "interrupted: %d of %d answers are in %s; the same command goes on with the others"
                .formatted(done(total), total, output));
  }

  private synchronized void write() {
    if (!written) {
      written = true;
      Scores scores = scores();
      System.out.print(
          format.json
              ? JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(scores)
                  + "\n"
              : format.markdown
                  ? ScoreTables.markdown(scores, wrong)
                  : ScoreTables.terminal(scores, wrong));
      System.out.flush();
    }
  }

  private Parameters settings() {
    Parameters settings = new Parameters(SamplingOptions.GREEDY);
    settings.set("temperature", List.of("0"));
    settings.set("num_predict", List.of(MAX_TOKENS));
    try {
      parameters.applyTo(settings);
    } catch (PelicanException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
    return seeded(settings);
  }

  private static Parameters seeded(Parameters settings) {
    SamplingOptions sampling = settings.options().sampling();
    if (sampling.temperature() > 0 && !settings.given().containsKey("seed")) {
      settings.set("seed", List.of(SEED));
    }
    return settings;
  }

  /** All that answers depend on beside model and prompt. */
  private Map<String, String> describe() {
    Map<String, String> all = new LinkedHashMap<>(settings.given());
    if (!system.isEmpty()) {
      all.put("system", system);
    }
    if (think) {
      all.put("think", "true");
    }
    return all;
  }

  /** How each prompt's answer is generated. */
  private Map<Item, GenerationOptions> items() {
    Map<Item, GenerationOptions> items = new LinkedHashMap<>();
    for (Item item : dataset.items()) {
      Parameters own = settings.copy();
      try {
        item.options().forEach(own::set);
      } catch (PelicanException e) {
        throw new PelicanException(
            dataset.name() + ", line " + item.line() + ": " + e.getMessage(), e);
      }
      items.put(item, seeded(own).options());
    }
    return items;
  }

  private ModelOptions modelOptions() {
    try {
      return threads == null ? ModelOptions.DEFAULT : ModelOptions.DEFAULT.withThreads(threads);
    } catch (PelicanException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }

  private void atLeast(String option, int value, int least) {
    if (value < least) {
      throw new ParameterException(
          spec.commandLine(), option + " is " + value + ", expected " + least + " or more");
    }
  }

  /** A bar at a terminal, with the time that is left; nothing elsewhere. */
  private static final class Bar implements AutoCloseable {
    private final ProgressBar bar;

    Bar(int total, int done) {
      bar =
          Terminals.isInteractive()
              ? new ProgressBarBuilder()
                  .setTaskName("answers")
                  .setInitialMax(total)
                  .startsFrom(done, java.time.Duration.ZERO)
                  .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                  .build()
              : null;
    }

    void step(String model) {
      if (bar != null) {
        bar.setExtraMessage(" " + model);
        bar.step();
      }
    }

    @Override
    public void close() {
      if (bar != null) {
        bar.close();
      }
    }
  }
}
