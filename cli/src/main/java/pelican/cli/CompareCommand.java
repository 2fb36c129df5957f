package pelican.cli;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import pelican.compare.Comparison;
import pelican.compare.ComparisonOptions;
import pelican.compare.HtmlReport;
import pelican.compare.Phase;
import pelican.compare.Prompt;
import pelican.compare.Report;
import pelican.compare.ReportTables;
import pelican.engine.ModelOptions;
import pelican.engine.PelicanException;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

@Command(
    name = "compare",
    description = "Shows what quantizations of a model cost: storage, weights, quality, speed.",
    footer =
        "%nThe first model is the reference. Ctrl-C prints what was found until then, and what is"
            + " missing.",
    mixinStandardHelpOptions = true)
final class CompareCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      arity = "2..*",
      paramLabel = "MODEL",
      description = "Names, aliases or paths of models, the reference first.")
  private List<String> models;

  @Option(
      names = "--text",
      paramLabel = "FILE",
      description = "Measure quality over this text, not over the reference's answers.")
  private Path text;

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description =
          "Prompts, one a line, as text or as JSON objects with prompt, kind and expected; default:"
              + " a set of 24.")
  private Path prompts;

  @Option(
      names = "--seeds",
      defaultValue = "0",
      paramLabel = "N",
      description = "Also answer each prompt with N seeds; default: ${DEFAULT-VALUE}.")
  private int seeds;

  @Option(
      names = "--num-predict",
      paramLabel = "N",
      description = "Tokens of an answer at most; default: 512 of a drawing, 128 of another.")
  private Integer maxTokens;

  @Option(
      names = "--num-ctx",
      defaultValue = "0",
      paramLabel = "N",
      description = "Tokens of context; default: as for chats.")
  private int contextLength;

  @Option(
      names = {"--repetitions", "-r"},
      defaultValue = "3",
      paramLabel = "N",
      description = "Runs that speed is measured in; default: ${DEFAULT-VALUE}.")
  private int repetitions;

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "PART",
      description = "Only some of: ${COMPLETION-CANDIDATES}.")
  private Set<Phase> only = EnumSet.allOf(Phase.class);

  @Option(
      names = "--block",
      paramLabel = "TENSOR:N",
      description = "Also show the N-th run of 32 weights of a tensor, as each file stores it.")
  private List<String> blocks = List.of();

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Also write a report for a browser: one file, with charts and the answers.")
  private Path html;

  @Option(names = "--threads", paramLabel = "N", description = "Threads that compute.")
  private Integer threads;

  @ArgGroup private Format format = new Format();

  /** At most one of these. */
  private static final class Format {
    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Option(names = "--markdown", description = "Print Markdown.")
    private boolean markdown;
  }

  private boolean written;
  private List<String> said = List.of();

  @Override
  public Integer call() throws IOException {
    ComparisonOptions options = options();
    if (html != null) {
      HtmlReport.checkWritable(html);
    }
    Map<String, Path> files = files();
    try (Bar bar = new Bar();
        Comparison comparison = new Comparison(files, options, bar);
        Interruption _ = new Interruption(() -> interrupt(comparison))) {
      said = comparison.notes();
      // Before the numbers, which take a while; JSON and Markdown have notes in their right place.
      said.forEach(note -> (isTable() ? System.out : System.err).println(note));
      try {
        comparison.run();
      } catch (CancellationException e) {
        return Failures.FAILURE;
      } catch (PelicanException e) {
        // Hours of work need not be lost by what fails last.
        bar.close();
        write(comparison.report());
        throw e;
      }
      bar.close();
      write(comparison.report());
    }
    return 0;
  }

  private boolean isTable() {
    return !format.json && !format.markdown;
  }

  private Map<String, Path> files() {
    Map<String, Path> files = new LinkedHashMap<>();
    SeveralModels.resolve(spec.commandLine(), models)
        .forEach((label, model) -> files.put(label, model.file()));
    return files;
  }

  private void interrupt(Comparison comparison) {
    comparison.cancel();
    try {
      write(comparison.report());
    } catch (PelicanException e) {
      // Nothing is left that could catch it: the program is ending.
      System.err.println("Error: " + e.getMessage());
    }
  }

  private synchronized void write(Report report) {
    if (!written) {
      written = true;
      String out =
          format.json
              ? JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(report)
                  + "\n"
              : format.markdown
                  ? ReportTables.markdown(report)
                  : ReportTables.terminal(report, said);
      System.out.print(out);
      System.out.flush();
      if (html != null) {
        HtmlReport.write(report, html);
        System.err.println(
            html + (report.complete() ? " written" : " written, with what there is"));
      }
    }
  }

  private ComparisonOptions options() throws IOException {
    atLeast("--seeds", seeds, 0);
    atLeast("--num-predict", maxTokens == null ? 1 : maxTokens, 1);
    atLeast("--num-ctx", contextLength, 0);
    atLeast("--repetitions", repetitions, 1);
    ModelOptions model;
    try {
      model = threads == null ? ModelOptions.DEFAULT : ModelOptions.DEFAULT.withThreads(threads);
    } catch (PelicanException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
    return new ComparisonOptions(
        model,
        contextLength,
        prompts == null ? Prompt.builtIn() : Prompt.read(prompts),
        text == null ? null : readText(),
        null,
        seeds,
        maxTokens == null ? 0 : maxTokens,
        repetitions,
        Set.copyOf(only),
        blocks);
  }

  private String readText() throws IOException {
    try {
      return Files.readString(text);
    } catch (MalformedInputException e) {
      throw new PelicanException(text + ": not UTF-8, expected a text", e);
    }
  }

  private void atLeast(String option, int value, int least) {
    if (value < least) {
      throw new ParameterException(
          spec.commandLine(), option + " is " + value + ", expected " + least + " or more");
    }
  }

  /** A bar for each part at a terminal, nothing elsewhere. */
  private static final class Bar implements Comparison.Progress, AutoCloseable {
    private Phase current;
    private ProgressBar bar;

    @Override
    public synchronized void step(Phase phase, int done, int total) {
      if (!Terminals.isInteractive()) {
        return;
      }
      if (phase != current) {
        close();
        current = phase;
        bar =
            new ProgressBarBuilder()
                .setTaskName(phase.toString())
                .setInitialMax(total)
                .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                .build();
      }
      bar.stepTo(done);
    }

    @Override
    public synchronized void close() {
      if (bar != null) {
        bar.close();
        bar = null;
      }
    }
  }
}
