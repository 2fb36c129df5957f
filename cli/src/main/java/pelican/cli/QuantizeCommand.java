package pelican.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import pelican.engine.PelicanException;
import pelican.models.quantize.QuantizationMix;
import pelican.models.quantize.Quantizer;
import pelican.summary.ModelSummary;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

@Command(
    name = "quantize",
    description = "Writes a GGUF file of another quantization.",
    mixinStandardHelpOptions = true)
final class QuantizeCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "IN.gguf", description = "The file to start from.")
  private Path source;

  @Parameters(
      index = "1",
      paramLabel = "OUT.gguf",
      description = "The file to write; one that is there is replaced when the new one is done.")
  private Path target;

  @Parameters(
      index = "2",
      paramLabel = "TYPE",
      converter = Mix.class,
      completionCandidates = Mixes.class,
      description = "One of ${COMPLETION-CANDIDATES}.")
  private QuantizationMix mix;

  @Option(names = "--threads", description = "Threads to use; all processors if not given.")
  private Integer threads;

  /** Reads the name of a mix. */
  private static final class Mix implements ITypeConverter<QuantizationMix> {
    @Override
    public QuantizationMix convert(String name) {
      try {
        return QuantizationMix.named(name);
      } catch (PelicanException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  private static final class Mixes implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return List.of(QuantizationMix.names().split(", ")).iterator();
    }
  }

  @Override
  public Integer call() throws Exception {
    long start = System.nanoTime();
    Quantizer quantizer = new Quantizer(source, target, mix);
    if (threads != null) {
      quantizer.threads(threads);
    }
    List<Quantizer.Change> changes;
    if (Terminals.isInteractive()) {
      try (ProgressBar bar = bar()) {
        changes =
            quantizer
                .progress((tensor, done, total) -> {
                  bar.maxHint(total / 1000);
                  bar.stepTo(done / 1000);
                  bar.setExtraMessage(tensor);
                })
                .run();
      }
    } else {
      changes = quantizer.run();
    }
    long quantized = changes.stream().filter(change -> change.from() != change.to()).count();
    System.out.printf(
        "%s: %s, %d of %d tensors converted, %s from %s, in %.1f s%n",
        target,
        mix,
        quantized,
        changes.size(),
        ModelSummary.size(Files.size(target)),
        ModelSummary.size(Files.size(source)),
        (System.nanoTime() - start) / 1e9);
    return 0;
  }

  private ProgressBar bar() {
    return new ProgressBarBuilder()
        .setTaskName("quantizing")
        .setInitialMax(1)
        .setUnit("M", 1000)
        .setConsumer(new ConsoleProgressBarConsumer(System.err))
        .build();
  }
}
