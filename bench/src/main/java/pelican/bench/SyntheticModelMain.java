package pelican.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Writes a synthetic model of full size. */
@Command(
    name = "bench/synthetic",
    description =
        "Writes a model of the shape of Gemma 4 E2B with random weights, to measure speed and"
            + " memory with.",
    mixinStandardHelpOptions = true)
public final class SyntheticModelMain implements Callable<Integer> {
  @Parameters(index = "0", description = "The mix of formats: ${COMPLETION-CANDIDATES}.")
  private SyntheticModel.Mix mix;

  @Parameters(index = "1", paramLabel = "FILE", description = "Where to write it.")
  private Path file;

  /** Runs the program and ends the JVM. */
  public static void main(String[] args) {
    System.exit(CommandLines.of(new SyntheticModelMain()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    long start = System.nanoTime();
    SyntheticModel.write(file, SyntheticModel.Shape.E2B, mix);
    System.err.printf("%s written in %.0f s%n", file, (System.nanoTime() - start) / 1e9);
    return 0;
  }
}
