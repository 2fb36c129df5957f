package pelican.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.DoubleSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import pelican.engine.Model;
import pelican.engine.ModelOptions;
import pelican.engine.PelicanException;
import pelican.engine.SpeedTest;
import pelican.models.ModelResolver;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

@Command(
    name = "bench",
    description = "Measures how fast a model reads prompts and generates tokens here.",
    mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
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
      description = "Lengths of prompts; 0 for none.")
  private List<Integer> promptTokens;

  @Option(
      names = {"--gen-tokens", "-n"},
      split = ",",
      defaultValue = "32",
      description = "Numbers of tokens to generate; 0 for none.")
  private List<Integer> genTokens;

  @Option(
      names = {"--depth", "-d"},
      split = ",",
      defaultValue = "0",
      description = "Tokens of context before the generated ones.")
  private List<Integer> depths;

  @Option(
      names = {"--threads", "-t"},
      split = ",",
      description = "Numbers of threads; default: the number of cores.")
  private List<Integer> threads = List.of(ModelOptions.DEFAULT.threads());

  @Option(
      names = {"--repetitions", "-r"},
      defaultValue = "5",
      description = "How often each is measured, after one run that is not.")
  private int repetitions;

  @ArgGroup private Format format = new Format();

  /** At most one of these. */
  private static final class Format {
    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Option(names = "--csv", description = "Print comma-separated values.")
    private boolean csv;

    @Option(names = "--markdown", description = "Print a Markdown table.")
    private boolean markdown;
  }

  /** A measurement: seconds of each run of a test of so many tokens. */
  private record Result(
      String test, int threads, int tokens, double[] seconds, long bytesPerToken, double flops) {
    double median() {
      double[] sorted = seconds.clone();
      Arrays.sort(sorted);
      int n = sorted.length;
      return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    }

    double rate() {
      return tokens / median();
    }

    double slowest() {
      return tokens / Arrays.stream(seconds).max().orElseThrow();
    }

    double fastest() {
      return tokens / Arrays.stream(seconds).min().orElseThrow();
    }
  }

  @Override
  public Integer call() {
    check("repetitions", List.of(repetitions), 1);
    check("prompt-tokens", promptTokens, 0);
    check("gen-tokens", genTokens, 0);
    check("depth", depths, 0);
    Path file = ModelResolver.ofUser().resolve(model).file();
    List<Result> results = new ArrayList<>();
    Map<Integer, Double> bandwidth = new LinkedHashMap<>();
    for (int count : threads) {
      bandwidth.put(count, MemoryBandwidth.measure(count));
      try (Model loaded = Model.load(file, ModelOptions.DEFAULT.withThreads(count))) {
        System.err.println("kernels: " + loaded.kernels());
        measure(loaded, count, results);
      }
    }
    System.out.print(formatted(results, bandwidth));
    System.out.flush();
    return 0;
  }

  private static void check(String name, List<Integer> values, int least) {
    for (int value : values) {
      if (value < least) {
        throw new PelicanException(name + " is " + value + ", expected " + least + " or more");
      }
    }
  }

  private void measure(Model loaded, int count, List<Result> results) {
    SpeedTest test = new SpeedTest(loaded);
    long bytes = loaded.bytesPerToken();
    // Two floating-point operations for each weight that takes part.
    double flops = 2.0 * loaded.weightsPerToken();
    for (int tokens : promptTokens) {
      if (tokens > 0) {
        double[] seconds = repeat("pp" + tokens, () -> test.prefill(tokens));
        results.add(new Result("pp" + tokens, count, tokens, seconds, 0, flops));
      }
    }
    for (int depth : depths) {
      for (int tokens : genTokens) {
        if (tokens > 0) {
          String name = "tg" + tokens + (depth > 0 ? "@d" + depth : "");
          double[] seconds =
              repeat(name, () -> Arrays.stream(test.decode(Math.max(1, depth), tokens)).sum());
          results.add(new Result(name, count, tokens, seconds, bytes, flops));
        }
      }
    }
  }

  private double[] repeat(String name, DoubleSupplier run) {
    double[] seconds = new double[repetitions];
    for (int i = -1; i < repetitions; i++) {
      if (Terminals.isInteractive()) {
        System.err.printf("\r%s: run %d of %d ", name, i + 2, repetitions + 1);
      }
      double time = run.getAsDouble();
      if (i >= 0) {
        seconds[i] = time;
      }
    }
    if (Terminals.isInteractive()) {
      System.err.print("\r\u001b[K");
    }
    return seconds;
  }

  private String formatted(List<Result> results, Map<Integer, Double> bandwidth) {
    List<Map<String, Object>> rows = new ArrayList<>();
    for (Result result : results) {
      Map<String, Object> row = new LinkedHashMap<>();
      double gigabytes = result.rate() * result.bytesPerToken() / 1e9;
      row.put("model", model.substring(model.lastIndexOf('/') + 1));
      row.put("threads", result.threads());
      row.put("test", result.test());
      row.put("tokens/s", rounded(result.rate()));
      row.put("slowest", rounded(result.slowest()));
      row.put("fastest", rounded(result.fastest()));
      row.put("GB/s", result.bytesPerToken() == 0 ? "" : rounded(gigabytes));
      row.put("GFLOP/s", rounded(result.rate() * result.flops() / 1e9));
      row.put(
          "of memory",
          result.bytesPerToken() == 0
              ? ""
              : Math.round(100 * gigabytes / bandwidth.get(result.threads())) + "%");
      rows.add(row);
    }
    if (format.json) {
      return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(rows) + "\n";
    }
    if (rows.isEmpty()) {
      return "";
    }
    String separator = format.csv ? "," : format.markdown ? " | " : "  ";
    StringBuilder text = new StringBuilder();
    List<String> names = List.copyOf(rows.getFirst().keySet());
    Map<String, Integer> widths = new LinkedHashMap<>();
    for (String name : names) {
      int width = rows.stream().mapToInt(row -> row.get(name).toString().length()).max().orElse(0);
      widths.put(name, format.csv ? 0 : Math.max(width, name.length()));
    }
    text.append(line(names, widths, separator, name -> name));
    if (format.markdown) {
      text.append(line(names, widths, separator, name -> "-".repeat(widths.get(name))));
    }
    rows.forEach(
        row -> text.append(line(names, widths, separator, name -> row.get(name).toString())));
    return text.toString();
  }

  private String line(
      List<String> names,
      Map<String, Integer> widths,
      String separator,
      UnaryOperator<String> cell) {
    String joined =
        names.stream()
            .map(name -> padded(cell.apply(name), widths.get(name)))
            .collect(Collectors.joining(separator));
    return (format.markdown ? "| " + joined + " |" : joined.stripTrailing()) + "\n";
  }

  private static String padded(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  private static String rounded(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }
}
