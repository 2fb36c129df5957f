package pelican.bench;

import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import pelican.engine.PelicanException;
import pelican.gguf.GgmlType;
import pelican.quant.BlockFormat;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Measures the kernels under JMH. Engines and kernels that are compared take turns, a fork each, so
 * that what slows the machine down for a while slows them all.
 */
@Command(
    name = "bench/jmh",
    description = "Measures products with quantized matrices under JMH, kernels side by side.",
    mixinStandardHelpOptions = true,
    showDefaultValues = true)
public final class JmhMain implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--formats",
      split = ",",
      paramLabel = "TYPE",
      defaultValue = "Q4_K,Q5_K,Q6_K,Q8_0,Q4_0,F16",
      description = "Formats of the weights; all for all of them.")
  private List<String> formats;

  @Option(
      names = "--shapes",
      split = ",",
      paramLabel = "ROWSxCOLUMNS",
      defaultValue = "1536x1536,6144x1536,1536x12288,262144x1536",
      description = "Shapes; that of the head (262144 rows) is measured with one token only.")
  private List<String> shapes;

  @Option(
      names = "--tokens",
      split = ",",
      paramLabel = "N",
      defaultValue = "1,32,128",
      description = "Numbers of vectors: 1 as in decoding, more as in prefill.")
  private List<Integer> tokens;

  @Option(
      names = "--weights",
      split = ",",
      defaultValue = "memory,cache",
      description = "Where they are: ${COMPLETION-CANDIDATES}; cache with 1 token only.")
  private List<KernelCase.Weights> weights;

  @Option(
      names = "--kernels",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "scalar,vector",
      description = "Kernels, as the engine's property pelican.kernels names them.")
  private List<String> kernels;

  @Option(
      names = "--engine",
      paramLabel = "[NAME=]PATH",
      description =
          "Another engine to measure beside the current one: a jar or folder of its classes. May be"
              + " repeated.")
  private List<String> engines = List.of();

  @Option(names = "--threads", paramLabel = "N", defaultValue = "1", description = "Threads.")
  private int threads;

  @Option(
      names = "--forks",
      paramLabel = "N",
      defaultValue = "5",
      description = "JVMs for each measurement; the rate of each is a value of the median.")
  private int forks;

  @Option(
      names = "--jvm-arg",
      paramLabel = "FLAG",
      description = "A flag for the JVMs, may be repeated.")
  private List<String> jvmArgs = List.of();

  @ArgGroup private Format format = new Format();

  private static final class Format {
    @Option(names = "--json", description = "Print JSON with the rates of every fork.")
    private boolean json;

    @Option(names = "--markdown", description = "Print a Markdown table.")
    private boolean markdown;
  }

  @Parameters(
      paramLabel = "JMH OPTION",
      description = "After --: JMH's own options, as -wi 2 -i 3 -r 500ms for short runs.")
  private List<String> jmhOptions = List.of();

  /** A kernel of an engine. */
  private record Variant(String engine, Path classes, String kernels) {}

  /** A variant's rates of a case, a value for each fork. */
  private record Measured(
      KernelCase product,
      String engine,
      String kernels,
      Spread productsPerSecond,
      Spread gigabytesPerSecond,
      Spread gigaflopsPerSecond) {}

  /** Runs the program and ends the JVM. */
  public static void main(String[] args) {
    System.exit(CommandLines.of(new JmhMain()).execute(args));
  }

  @Override
  public Integer call() {
    checkPositive("forks", List.of(forks));
    checkPositive("threads", List.of(threads));
    checkPositive("tokens", tokens);
    List<KernelCase> cases =
        KernelCase.combinations(types(), shapeSizes(), tokens, weights, threads);
    List<Variant> variants = variants();
    if (cases.isEmpty()) {
      throw new PelicanException(
          "nothing to measure: from the cache only small matrices are, with one token; the head"
              + " only with one token");
    }
    Options jmh = jmhOptions();
    int total = cases.size() * variants.size() * forks;
    System.err.printf(
        "%d cases, %d variants, %d forks: %d JVMs%n", cases.size(), variants.size(), forks, total);
    List<Measured> results = new ArrayList<>();
    long start = System.nanoTime();
    for (KernelCase product : cases) {
      List<Measured> measured = measure(product, variants, jmh);
      results.addAll(measured);
      int done = results.size() * forks;
      double left = (System.nanoTime() - start) / 1e9 / done * (total - done);
      for (Measured one : measured) {
        System.err.printf(
            "%s, %s %s: %s GB/s, %s GFLOP/s%n",
            product,
            one.engine,
            one.kernels,
            one.gigabytesPerSecond.format(2),
            one.gigaflopsPerSecond.format(1));
      }
      System.err.printf("%d of %d JVMs, %s left%n", done, total, minutes(left));
    }
    print(System.out, results);
    return 0;
  }

  private static String minutes(double seconds) {
    Duration left = Duration.ofSeconds(Math.round(seconds));
    return left.toHours() + " h " + left.toMinutesPart() + " min";
  }

  /** The variants take turns: what comes first in one round is last in the next. */
  private List<Measured> measure(KernelCase product, List<Variant> variants, Options jmh) {
    Map<Variant, List<KernelRun.Rates>> rates = new LinkedHashMap<>();
    variants.forEach(variant -> rates.put(variant, new ArrayList<>()));
    for (int fork = 0; fork < forks; fork++) {
      for (Variant variant : fork % 2 == 0 ? variants : variants.reversed()) {
        KernelRun run = new KernelRun(product, variant.engine, variant.classes, variant.kernels);
        rates.get(variant).add(run.measure(jvmArgs, jmh));
      }
    }
    List<Measured> measured = new ArrayList<>();
    rates.forEach((variant, all) ->
        measured.add(
            new Measured(
                product,
                variant.engine,
                variant.kernels,
                Spread.of(all.stream().map(KernelRun.Rates::perSecond).toList()),
                Spread.of(all.stream().map(KernelRun.Rates::gigabytes).toList()),
                Spread.of(all.stream().map(KernelRun.Rates::gigaflops).toList()))));
    return measured;
  }

  private void print(PrintStream out, List<Measured> results) {
    if (format.json) {
      out.println(Json.write(results));
      return;
    }
    Table table =
        new Table(
            "format",
            "shape",
            "tokens",
            "weights in",
            "threads",
            "engine",
            "kernels",
            "µs",
            "GB/s",
            "GFLOP/s",
            "× first");
    KernelCase before = null;
    double first = 0;
    for (Measured one : results) {
      KernelCase product = one.product;
      if (!product.equals(before)) {
        before = product;
        first = one.productsPerSecond.median();
      }
      table.add(
          product.type().name(),
          product.rows() + "×" + product.columns(),
          String.valueOf(product.tokens()),
          product.weights().name(),
          String.valueOf(product.threads()),
          one.engine,
          one.kernels,
          "%.0f".formatted(1e6 / one.productsPerSecond.median()),
          one.gigabytesPerSecond.format(2),
          one.gigaflopsPerSecond.format(1),
          "%.2f".formatted(one.productsPerSecond.median() / first));
    }
    out.print(format.markdown ? table.markdown() : table.text());
    out.flush();
  }

  private Options jmhOptions() {
    try {
      return new CommandLineOptions(jmhOptions.toArray(String[]::new));
    } catch (CommandLineOptionException e) {
      throw usage("JMH's options: " + e.getMessage());
    }
  }

  private List<GgmlType> types() {
    if (formats.equals(List.of("all"))) {
      return Arrays.stream(GgmlType.values()).filter(BlockFormat::supports).toList();
    }
    List<GgmlType> types = new ArrayList<>();
    for (String name : formats) {
      GgmlType type =
          Arrays.stream(GgmlType.values())
              .filter(BlockFormat::supports)
              .filter(known -> known.name().equalsIgnoreCase(name))
              .findFirst()
              .orElseThrow(() ->
                  usage(
                      "--formats: "
                          + name
                          + " is no format that the engine computes with, expected some of "
                          + Arrays.stream(GgmlType.values())
                              .filter(BlockFormat::supports)
                              .toList()));
      types.add(type);
    }
    return types;
  }

  private List<int[]> shapeSizes() {
    List<int[]> sizes = new ArrayList<>();
    for (String shape : shapes) {
      if (!shape.matches("[1-9]\\d{0,6}x[1-9]\\d{0,6}")) {
        throw usage("--shapes: " + shape + ", expected rows x columns, as 6144x1536");
      }
      int[] size = Arrays.stream(shape.split("x")).mapToInt(Integer::parseInt).toArray();
      for (GgmlType type : types()) {
        if (size[1] % type.blockSize() != 0) {
          throw usage(
              "--shapes: %s, expected a multiple of %d columns, the block of %s"
                  .formatted(shape, type.blockSize(), type));
        }
      }
      sizes.add(size);
    }
    return sizes;
  }

  private List<Variant> variants() {
    Map<String, Path> places = new LinkedHashMap<>();
    for (String engine : engines) {
      int at = engine.indexOf('=');
      Path path = Path.of(engine.substring(at + 1)).toAbsolutePath();
      String name = at > 0 ? engine.substring(0, at) : path.getFileName().toString();
      if (!Files.exists(path)) {
        throw usage("--engine: " + path + ": no such file");
      }
      if (name.equals("current") || places.put(name, path) != null) {
        throw usage("--engine: two engines are named " + name + ": give one as NAME=PATH");
      }
    }
    places.put("current", ForkClasses.ownEngine());
    List<Variant> variants = new ArrayList<>();
    for (String name : kernels) {
      places.forEach((engine, path) -> variants.add(new Variant(engine, path, name)));
    }
    return variants;
  }

  private void checkPositive(String name, List<Integer> values) {
    for (int value : values) {
      if (value < 1) {
        throw usage("--" + name + " is " + value + ", expected 1 or more");
      }
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
