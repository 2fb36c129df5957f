package pelican.cli;

import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import pelican.models.Aliases;
import pelican.models.Digest;
import pelican.models.ModelName;
import pelican.models.OllamaStore;
import pelican.models.Puller;
import pelican.summary.ModelSummary;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "pull",
    description = "Fetches a model from a registry into Ollama's store.",
    mixinStandardHelpOptions = true)
final class PullCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "Name or alias of a model.")
  private String model;

  @Option(names = "--insecure", description = "Plain http instead of https.")
  private boolean insecure;

  @Override
  public Integer call() {
    ModelName name = ModelName.parse(Aliases.ofUser().target(model).orElse(model));
    try (Bars bars = new Bars(Terminals.isInteractive())) {
      new Puller(OllamaStore.locate(), bars).pull(model, name, insecure);
    }
    return 0;
  }

  /** A bar for each blob at a terminal, a line for each phase elsewhere. */
  private static final class Bars implements Puller.Progress, AutoCloseable {
    private final boolean interactive;
    private Digest current;
    private ProgressBar bar;

    Bars(boolean interactive) {
      this.interactive = interactive;
    }

    @Override
    public synchronized void status(String text) {
      close();
      System.err.println(text);
    }

    @Override
    public synchronized void blob(Digest digest, long completed, long total) {
      if (!digest.equals(current)) {
        close();
        current = digest;
        String task = "pulling " + digest.abbreviated();
        if (interactive) {
          bar =
              new ProgressBarBuilder()
                  .setTaskName(task)
                  .setInitialMax(total)
                  .setUnit(" MB", 1_000_000)
                  .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                  .showSpeed()
                  .build();
        } else {
          System.err.println(task + ": " + ModelSummary.size(total));
        }
      }
      if (bar != null) {
        bar.stepTo(completed);
      }
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
