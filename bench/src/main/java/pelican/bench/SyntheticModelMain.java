package pelican.bench;

import java.io.IOException;
import java.nio.file.Path;

/** Writes a synthetic model of full size: {@code SyntheticModelMain Q4_K_M|Q6_K FILE}. */
public final class SyntheticModelMain {
  private SyntheticModelMain() {}

  public static void main(String[] args) throws IOException {
    if (args.length != 2 || !args[0].matches("Q4_K_M|Q6_K")) {
      System.err.println("Usage: SyntheticModelMain Q4_K_M|Q6_K FILE");
      System.exit(2);
    }
    long start = System.nanoTime();
    SyntheticModel.write(
        Path.of(args[1]), SyntheticModel.Shape.E2B, SyntheticModel.Mix.valueOf(args[0]));
    System.err.printf("%s written in %.0f s%n", args[1], (System.nanoTime() - start) / 1e9);
  }
}
