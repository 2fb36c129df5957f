package pelican.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import pelican.engine.Model;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "logits",
    description =
        "Writes the logits after the last token, or after each, as little-endian float32.",
    mixinStandardHelpOptions = true)
final class LogitsCommand implements Callable<Integer> {
  @Mixin private ModelOption model;

  @Option(
      names = "--tokens",
      required = true,
      paramLabel = "ID,ID…",
      description = "The tokens, with the one that a sequence begins with.")
  private String tokens;

  @Option(names = "--all", description = "After each token, not only the last.")
  private boolean all;

  @Option(
      names = "--float",
      description = {
        "Single precision throughout: neither what weights are multiplied with",
        "nor keys and values are rounded."
      })
  private boolean single;

  @Option(names = "--output", required = true, paramLabel = "FILE", description = "Where to write.")
  private Path output;

  @Override
  public Integer call() throws IOException {
    try (Model loaded = model.load(model.options().withSinglePrecision(single))) {
      int[] ids = TokenIds.parse(tokens, loaded.vocabulary());
      float[] logits = loaded.newSession(loaded.contextLength()).logits(ids);
      int from = all ? 0 : logits.length - loaded.vocabulary();
      ByteBuffer bytes =
          ByteBuffer.allocate(Math.multiplyExact(logits.length - from, Float.BYTES))
              .order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(logits, from, logits.length - from);
      Files.write(output, bytes.array());
      return 0;
    }
  }
}
