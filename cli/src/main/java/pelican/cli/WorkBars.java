package pelican.cli;

import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import pelican.models.Digest;
import pelican.models.ModelCreator;
import pelican.models.Puller;
import pelican.summary.ModelSummary;

/** Work on files, on standard error: a bar for each part at a terminal, a line elsewhere. */
final class WorkBars implements Puller.Progress, ModelCreator.Progress, AutoCloseable {
  private final boolean interactive;
  private String current;
  private String told;
  private ProgressBar bar;

  WorkBars(boolean interactive) {
    this.interactive = interactive;
  }

  @Override
  public synchronized void status(String text) {
    close();
    told = text;
    System.err.println(text);
  }

  @Override
  public void blob(Digest digest, long completed, long total) {
    advance("pulling " + digest.abbreviated(), completed, total);
  }

  @Override
  public synchronized void advance(String work, long completed, long total) {
    if (!work.equals(current)) {
      close();
      current = work;
      if (interactive) {
        bar =
            new ProgressBarBuilder()
                .setTaskName(work)
                .setInitialMax(total)
                .setUnit(" MB", 1_000_000)
                .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                .showSpeed()
                .build();
      } else if (!work.equals(told)) {
        System.err.println(work + ": " + ModelSummary.size(total));
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
