package pelican.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.DoubleSupplier;
import java.util.stream.Stream;
import pelican.engine.PelicanException;
import pelican.kernel.KernelChoice;
import pelican.models.ModelResolver;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Runs this engine and llama.cpp alternately on one file, each in a fresh process, and prints how
 * their rates compare; and measures what else users notice of this engine.
 */
@Command(
    name = "bench/compare",
    description = {
      "Compares this engine with llama.cpp on one file, in turns.",
      "",
      "Prints medians with their range; ratios are those of each pair of runs."
    },
    mixinStandardHelpOptions = true,
    showDefaultValues = true)
public final class CompareMain implements Callable<Integer> {
  /** What to measure. */
  enum Part {
    SPEED,
    DEPTH,
    MEMORY,
    FIRST_TOKEN,
    WARM_UP
  }

  /** Set by the script that starts this. */
  private static final String JAR_PROPERTY = "pelican.engine.jar";

  private static final String DEFAULT_LLAMA_BENCH = "llama-bench";

  @Spec private CommandSpec spec;

  @Option(
      names = {"--model", "-m"},
      required = true,
      paramLabel = "MODEL",
      description = "Name, alias or path of a model.")
  private String model;

  @Option(
      names = "--llama-bench",
      paramLabel = "COMMAND",
      description =
          "How to call llama.cpp's llama-bench, as in a shell; default: $LLAMA_BENCH, or"
              + " llama-bench on the path. Without one, this engine is measured alone.")
  private String llamaBench = System.getenv("LLAMA_BENCH");

  @Option(
      names = "--against",
      paramLabel = "JAR",
      description = "Compare with another engine.jar, as of an earlier version, instead.")
  private Path against;

  @Option(names = "--engine-jar", paramLabel = "JAR", description = "The engine.jar to measure.")
  private Path engineJar = Path.of(System.getProperty(JAR_PROPERTY, "cli/target/engine.jar"));

  @Option(
      names = "--pairs",
      paramLabel = "N",
      defaultValue = "5",
      description = "How often each engine runs each test, in turns.")
  private int pairs;

  @Option(
      names = {"--repetitions", "-r"},
      paramLabel = "N",
      defaultValue = "1",
      description = "Measured runs within a process, after one that is not.")
  private int repetitions;

  @Option(
      names = {"--threads", "-t"},
      split = ",",
      paramLabel = "N",
      defaultValue = "1,2",
      description = "Numbers of threads; figures other than rates are taken with the greatest.")
  private List<Integer> threads;

  @Option(
      names = {"--prompt-tokens", "-p"},
      split = ",",
      paramLabel = "N",
      defaultValue = "128,512",
      description = "Lengths of prompts; 0 for none.")
  private List<Integer> promptTokens;

  @Option(
      names = {"--gen-tokens", "-n"},
      split = ",",
      paramLabel = "N",
      defaultValue = "32",
      description = "Numbers of tokens to generate; 0 for none.")
  private List<Integer> genTokens;

  @Option(
      names = {"--depth", "-d"},
      split = ",",
      paramLabel = "N",
      defaultValue = "0,4096",
      description = "Tokens of context before the generated ones.")
  private List<Integer> depths;

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "PART",
      description =
          "Measure only: speed; depth (what a context costs a token); memory (beyond the mapped"
              + " file, at a context of 4096); first_token (from the start of the process); warm_up"
              + " (tokens until the speed is steady).")
  private Set<Part> only = EnumSet.allOf(Part.class);

  @ArgGroup private Format format = new Format();

  private static final class Format {
    @Option(names = "--json", description = "Print JSON, with every run.")
    private boolean json;

    @Option(names = "--markdown", description = "Print Markdown tables.")
    private boolean markdown;
  }

  /** Runs the program and ends the JVM. */
  public static void main(String[] args) {
    System.exit(CommandLines.of(new CompareMain()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    check("pairs", List.of(pairs), 1);
    check("repetitions", List.of(repetitions), 1);
    check("threads", threads, 1);
    check("prompt-tokens", promptTokens, 0);
    check("gen-tokens", genTokens, 0);
    check("depth", depths, 0);
    Path file = ModelResolver.ofUser().resolve(model).file();
    checkReadable("the model", file);
    file = file.toRealPath();
    checkReadable("engine.jar", engineJar);
    EngineJar own = new EngineJar("pelican", engineJar.toRealPath(), file);
    Contestant peer = peer(file);
    List<ComparisonReport.Speed> speeds =
        only.contains(Part.SPEED) ? measureSpeed(own, peer) : List.of();
    List<ComparisonReport.Figure> figures = new ArrayList<>();
    figures.addAll(ComparisonReport.freshJvms(speeds));
    measureFigures(own, peer, file, figures);
    String peerName = peer == null ? null : peer.name();
    ComparisonReport report =
        new ComparisonReport(file.getFileName().toString(), own.name(), peerName, speeds, figures);
    System.out.print(
        format.json ? report.json() : format.markdown ? report.markdown() : report.text());
    System.out.flush();
    return 0;
  }

  private Contestant peer(Path file) throws IOException {
    if (against != null) {
      checkReadable("--against", against);
      return new EngineJar(against.getFileName().toString(), against.toRealPath(), file);
    }
    if (llamaBench != null && !llamaBench.isBlank()) {
      return new LlamaBench(llamaBench, file);
    }
    boolean found =
        Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
            .map(folder -> Path.of(folder, DEFAULT_LLAMA_BENCH))
            .anyMatch(Files::isExecutable);
    if (!found) {
      System.err.println(
          "No llama-bench on the path: this engine is measured alone; --llama-bench names one.");
      return null;
    }
    return new LlamaBench(DEFAULT_LLAMA_BENCH, file);
  }

  private List<SpeedCase> cases() {
    List<SpeedCase> cases = new ArrayList<>();
    for (int count : threads) {
      promptTokens.stream()
          .filter(tokens -> tokens > 0)
          .forEach(tokens -> cases.add(new SpeedCase(count, tokens, 0, 0)));
      for (int depth : depths) {
        genTokens.stream()
            .filter(tokens -> tokens > 0)
            .forEach(tokens -> cases.add(new SpeedCase(count, 0, tokens, depth)));
      }
    }
    return cases;
  }

  private List<ComparisonReport.Speed> measureSpeed(Contestant own, Contestant peer) {
    List<ComparisonReport.Speed> speeds = new ArrayList<>();
    for (SpeedCase test : cases()) {
      List<Double> ours = new ArrayList<>();
      List<Double> theirs = new ArrayList<>();
      for (int pair = 0; pair < pairs; pair++) {
        // who is first changes, so that neither always finds the machine as the other left it
        boolean ownFirst = pair % 2 == 0;
        if (ownFirst) {
          ours.add(measure(own, test));
        }
        if (peer != null) {
          theirs.add(measure(peer, test));
        }
        if (!ownFirst) {
          ours.add(measure(own, test));
        }
      }
      speeds.add(
          new ComparisonReport.Speed(
              test, Spread.of(ours), peer == null ? null : Spread.of(theirs)));
    }
    return speeds;
  }

  private double measure(Contestant engine, SpeedCase test) {
    double rate = engine.measure(test, repetitions);
    System.err.printf(
        "%s, %d thread(s), %s: %.2f tokens/s%n", test.test(), test.threads(), engine.name(), rate);
    return rate;
  }

  private void measureFigures(
      EngineJar own, Contestant peer, Path file, List<ComparisonReport.Figure> figures) {
    int most = threads.stream().mapToInt(x -> x).max().orElseThrow();
    if (only.contains(Part.DEPTH)) {
      for (SpeedCase test : cases()) {
        if (test.threads() == most && test.depth() > 0) {
          String name =
              "time per token of %s against that in an empty context".formatted(test.test());
          add(figures, name, "×", 2, pairs, () -> own.depthCost(test, repetitions));
        }
      }
    }
    if (only.contains(Part.FIRST_TOKEN)) {
      // The prompt is only counted here, so the warning of slow kernels would mislead.
      System.setProperty(KernelChoice.PROPERTY, "scalar");
      Figures.Prompt prompt = Figures.prompt(file, Figures.PROMPT_TOKENS);
      // The first one brings the file into the page cache.
      Figures.firstToken(own, most, prompt);
      String name = "first token after process start, prompt of " + prompt.tokens() + " tokens";
      add(figures, name, "s", 2, pairs, () -> Figures.firstToken(own, most, prompt));
    }
    if (only.contains(Part.WARM_UP)) {
      String name = "first token at steady speed, after a prompt of " + Figures.PROMPT_TOKENS;
      add(figures, name, "", 0, pairs, () -> Figures.steadyFrom(own, most));
    }
    if (only.contains(Part.MEMORY)) {
      if (!ProcessMemory.isKnown()) {
        throw new PelicanException("memory can only be measured on Linux: leave it out by --only");
      }
      String name = "memory beyond the mapped file, context " + Figures.CONTEXT;
      for (Contestant engine : peer == null ? List.of(own) : List.of(own, peer)) {
        String whose = name + ", " + engine.name();
        add(figures, whose, "MB", 0, 1, () -> Figures.memory(engine, file, most));
      }
    }
  }

  private static void add(
      List<ComparisonReport.Figure> figures,
      String name,
      String unit,
      int decimals,
      int runs,
      DoubleSupplier measurement) {
    List<Double> values = new ArrayList<>();
    for (int i = 0; i < runs; i++) {
      double value = measurement.getAsDouble();
      System.err.printf("%s: %s %s%n", name, Spread.of(List.of(value)).format(decimals), unit);
      values.add(value);
    }
    figures.add(new ComparisonReport.Figure(name, unit, decimals, Spread.of(values)));
  }

  private void check(String name, List<Integer> values, int least) {
    for (int value : values) {
      if (value < least) {
        throw new ParameterException(
            spec.commandLine(), "--" + name + " is " + value + ", expected " + least + " or more");
      }
    }
  }

  private static void checkReadable(String what, Path file) {
    if (!Files.isRegularFile(file)) {
      throw new PelicanException(what + ": " + file + ": no such file");
    }
  }
}
