package pelican.bench;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;
import pelican.engine.PelicanException;

/**
 * One fork of {@link MatMulBenchmark}: a JVM in which one product is measured.
 *
 * @param engine name of the engine
 * @param classes where the engine's classes are
 * @param kernels the engine's kernels, as its system property names them
 */
record KernelRun(KernelCase product, String engine, Path classes, String kernels) {
  private static final List<String> FLAGS =
      List.of(
          "--add-modules=jdk.incubator.vector",
          "--enable-native-access=ALL-UNNAMED",
          // JMH's own fields; the JVM would warn of them in every fork
          "--sun-misc-unsafe-memory-access=allow",
          "-XX:+UseSerialGC",
          // as engine.jar gives it to itself; else a kernel's rate differs from fork to fork
          "-XX:-UseTypeSpeculation");

  /** What a fork measured. */
  record Rates(double perSecond, double gigabytes, double gigaflops) {}

  /**
   * Starts the fork.
   *
   * @param flags more flags for its JVM
   * @param jmh JMH's own options, as far as they are not set by what is measured
   * @throws PelicanException if the benchmark fails
   */
  Rates measure(List<String> flags, Options jmh) {
    String before = System.getProperty("java.class.path");
    // What the fork itself prints: JVM's warnings, and reasons where it fails.
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    OutputFormat format =
        OutputFormatFactory.createFormatInstance(
            new PrintStream(output, true, StandardCharsets.UTF_8), VerboseMode.SILENT);
    try {
      // JMH starts forks with this class path
      System.setProperty("java.class.path", ForkClasses.path(classes));
      OptionsBuilder options = new OptionsBuilder();
      options
          .parent(jmh)
          .include("^" + MatMulBenchmark.class.getName().replace(".", "\\.") + "\\.multiply$")
          .param("format", product.type().name())
          .param("shape", product.rows() + "x" + product.columns())
          .param("tokens", String.valueOf(product.tokens()))
          .param("weights", product.weights().name())
          .param("threads", String.valueOf(product.threads()))
          .param("kernels", kernels)
          .forks(1)
          .jvmArgs(FLAGS.toArray(String[]::new))
          .jvmArgsAppend(flags.toArray(String[]::new))
          .verbosity(VerboseMode.SILENT)
          .shouldFailOnError(true);
      return rates(new Runner(options.build(), format).run());
    } catch (RunnerException e) {
      String said = reason(output.toString(StandardCharsets.UTF_8));
      throw new PelicanException("%s: %s%s".formatted(this, cause(e), said), e);
    } finally {
      System.setProperty("java.class.path", before);
    }
  }

  private Rates rates(Collection<RunResult> results) {
    if (results.size() != 1) {
      throw new PelicanException(this + ": expected one result, got " + results.size());
    }
    RunResult result = results.iterator().next();
    return new Rates(
        result.getPrimaryResult().getScore(),
        secondary(result, "gigabytes"),
        secondary(result, "gigaflops"));
  }

  private static double secondary(RunResult result, String name) {
    for (Result<?> metric : result.getSecondaryResults().values()) {
      if (metric.getLabel().endsWith(name)) {
        return metric.getScore();
      }
    }
    throw new PelicanException("JMH gave no " + name);
  }

  /** The first line that a fork printed and that is no warning: why it did not start, perhaps. */
  private static String reason(String printed) {
    return printed
        .lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty() && !line.startsWith("WARNING:"))
        .findFirst()
        .map(line -> ": " + line)
        .orElse("");
  }

  private static String cause(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause.getSuppressed().length > 0) {
      return cause(cause.getSuppressed()[0]);
    }
    return cause.toString();
  }

  @Override
  public String toString() {
    return product + ", engine " + engine + ", kernels " + kernels;
  }
}
