package pelican.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import pelican.engine.Model;
import pelican.engine.ModelOptions;
import pelican.engine.PelicanException;
import pelican.engine.SpeedTest;
import pelican.models.ModelResolver;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "bench",
    description = {
      "Measures how fast a model reads prompts (pp) and generates tokens (tg) here.",
      "",
      "Prints medians with the slowest and the fastest run; GB/s of weights that are read,"
          + " GFLOP/s of products with weights, and what part of the memory's bandwidth that is."
          + " All tests run once before the first runs a second time."
    },
    mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = {"--model", "-m"},
      required = true,
      paramLabel = "MODEL",
      description = "Name, alias or path of a model.")
  private String model;

  @Option(
      names = {"--prompt-tokens", "-p"},
      split = ",",
      defaultValue = "128",
      paramLabel = "N",
      description = "Lengths of prompts; 0 for none.")
  private List<Integer> promptTokens;

  @Option(
      names = {"--gen-tokens", "-n"},
      split = ",",
      defaultValue = "32",
      paramLabel = "N",
      description = "Numbers of tokens to generate; 0 for none.")
  private List<Integer> genTokens;

  @Option(
      names = {"--depth", "-d"},
      split = ",",
      defaultValue = "0",
      paramLabel = "N",
      description = "Tokens of context before the generated ones.")
  private List<Integer> depths;

  @Option(
      names = "--parallel",
      split = ",",
      defaultValue = "1",
      paramLabel = "N",
      description = "Sequences to generate at once, as a server does; the rate is that of all.")
  private List<Integer> parallel;

  @Option(
      names = {"--threads", "-t"},
      split = ",",
      paramLabel = "N",
      description = "Numbers of threads; default: the number of cores.")
  private List<Integer> threads = List.of(ModelOptions.DEFAULT.threads());

  @Option(
      names = {"--repetitions", "-r"},
      defaultValue = "5",
      paramLabel = "N",
      description = "How often each is measured, after one run that is not.")
  private int repetitions;

  @Option(
      names = "--no-warmup",
      description = "Measure the first run too, in which code is still being compiled.")
  private boolean noWarmup;

  @Option(
      names = "--no-bandwidth",
      description = "Do not measure the memory's bandwidth, which takes memory and a second.")
  private boolean noBandwidth;

  @ArgGroup private Format format = new Format();

  /** At most one of these. */
  private static final class Format {
    @Option(names = "--json", description = "Print JSON, with the seconds of every token.")
    private boolean json;

    @Option(names = "--csv", description = "Print comma-separated values.")
    private boolean csv;

    @Option(names = "--markdown", description = "Print a Markdown table.")
    private boolean markdown;
  }

  @Override
  public Integer call() {
    check("repetitions", List.of(repetitions), 1);
    check("prompt-tokens", promptTokens, 0);
    check("gen-tokens", genTokens, 0);
    check("depth", depths, 0);
    check("parallel", parallel, 1);
    List<ModelOptions> teams = threads.stream().map(this::options).toList();
    Path file = ModelResolver.ofUser().resolve(model).file();
    List<BenchResult> results = new ArrayList<>();
    Map<Integer, Double> bandwidth = new HashMap<>();
    String kernels = "";
    for (ModelOptions options : teams) {
      int count = options.threads();
      try (Model loaded = Model.load(file, options)) {
        checkLengths(loaded);
        if (!noBandwidth) {
          bandwidth.put(count, MemoryBandwidth.measure(count));
        }
        kernels = Model.kernelDescription();
        System.err.println("kernels: " + loaded.kernels());
        results.addAll(measure(loaded, count));
      }
    }
    String name = model.substring(model.lastIndexOf('/') + 1);
    BenchReport report = new BenchReport(name, kernels, results, bandwidth);
    System.out.print(
        format.json
            ? report.json()
            : format.csv ? report.csv() : format.markdown ? report.markdown() : report.text());
    System.out.flush();
    return 0;
  }

  private ModelOptions options(int count) {
    try {
      return ModelOptions.DEFAULT.withThreads(count);
    } catch (PelicanException e) {
      throw new ParameterException(spec.commandLine(), "--" + e.getMessage());
    }
  }

  private void check(String name, List<Integer> values, int least) {
    for (int value : values) {
      if (value < least) {
        throw new ParameterException(
            spec.commandLine(), "--" + name + " is " + value + ", expected " + least + " or more");
      }
    }
  }

  /** Says what does not fit the model's context before the first test has taken its time. */
  private void checkLengths(Model loaded) {
    long prompt = promptTokens.stream().mapToLong(x -> x).max().orElse(0);
    long depth = depths.stream().mapToLong(x -> x).max().orElse(0);
    long generated = genTokens.stream().mapToLong(x -> x).max().orElse(0);
    long needed = 1 + Math.max(prompt, generated == 0 ? 0 : Math.max(1, depth) + generated);
    if (needed > loaded.contextLength()) {
      throw new PelicanException(
          "the tests need a context of "
              + needed
              + " tokens, but the model was trained for "
              + loaded.contextLength());
    }
  }

  /** A row of the report and what measures it: the seconds of each token, or of all. */
  private record Test(BenchResult result, Supplier<double[]> run) {}

  /**
   * Runs all tests in turn, as often as is wanted, so that a machine whose speed changes meanwhile
   * changes it for all of them.
   */
  private List<BenchResult> measure(Model loaded, int count) {
    List<Test> tests = tests(loaded, count);
    int first = noWarmup ? 0 : -1;
    for (int i = first; i < repetitions; i++) {
      for (Test test : tests) {
        if (Terminals.isInteractive()) {
          System.err.printf(
              "\r\u001b[K%s: run %d of %d ",
              test.result.test(), i - first + 1, repetitions - first);
        }
        double[] seconds = test.run.get();
        if (i >= 0) {
          test.result.add(seconds);
        }
      }
    }
    if (Terminals.isInteractive()) {
      System.err.print("\r\u001b[K");
    }
    return tests.stream().map(Test::result).toList();
  }

  private List<Test> tests(Model loaded, int count) {
    SpeedTest test = new SpeedTest(loaded);
    List<Test> tests = new ArrayList<>();
    // Two floating-point operations for each weight that takes part.
    double token = 2.0 * loaded.weightsPerToken();
    double promptToken = 2.0 * loaded.weightsPerPromptToken();
    for (int tokens : promptTokens) {
      if (tokens > 0) {
        // Only the last token of a prompt needs logits, and what they alone need.
        double operations = (tokens - 1) * promptToken + token;
        tests.add(
            new Test(
                BenchResult.ofPrompt(count, tokens, operations),
                () -> new double[] {test.prefill(tokens)}));
      }
    }
    for (int depth : depths) {
      for (int tokens : genTokens) {
        for (int sequences : parallel) {
          if (tokens > 0) {
            // Several sequences read each weight once for all of them.
            double bytes = (double) tokens * loaded.bytesPerToken();
            double operations = tokens * token * sequences;
            tests.add(
                new Test(
                    BenchResult.ofTokens(count, tokens, depth, sequences, bytes, operations),
                    () -> generate(test, Math.max(1, depth), tokens, sequences)));
          }
        }
      }
    }
    return tests;
  }

  private static double[] generate(SpeedTest test, int depth, int tokens, int sequences) {
    return sequences > 1
        ? new double[] {test.decodeTogether(sequences, depth, tokens)}
        : test.decode(depth, tokens);
  }
}
