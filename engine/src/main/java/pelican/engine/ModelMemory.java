package pelican.engine;

import java.nio.file.Path;
import pelican.gemma.GemmaConfig;
import pelican.gemma.GemmaModel;
import pelican.gguf.GgufFile;

/**
 * How much memory a model takes, known before it is loaded: from its file's header. Counted are
 * weights, buffers, and what sessions hold; the tables of the tokenizer and small change are not.
 */
public final class ModelMemory {
  /** The most tokens that {@link ForwardLoop} lets into one pass. */
  private static final int PASS = ForwardLoop.SLICE;

  private final GemmaConfig config;
  private final boolean halfCache;
  private final long weights;
  private final long vocabulary;

  private ModelMemory(GgufFile file, boolean halfCache) {
    config = GemmaConfig.from(file);
    this.halfCache = halfCache;
    weights = file.size();
    vocabulary = file.find("token_embd.weight").map(tensor -> tensor.rows()).orElse(0L);
  }

  /**
   * Reads a file's header.
   *
   * @throws PelicanException if the file cannot be read, is damaged or of another architecture
   */
  public static ModelMemory of(Path path, ModelOptions options) {
    try (GgufFile file = GgufFile.open(path)) {
      return new ModelMemory(file, !options.singlePrecision());
    }
  }

  /** Bytes of the weights: the whole file, which is mapped. */
  public long weights() {
    return weights;
  }

  /**
   * The most bytes of the buffers of a pass.
   *
   * @param sequences how many sequences get logits in one pass
   */
  public long buffers(int sequences) {
    return GemmaModel.bufferBytes(config, PASS) + Float.BYTES * vocabulary * sequences;
  }

  /** The most bytes of a session of so many tokens: keys and values, tokens, and its logits. */
  public long session(int contextLength) {
    return GemmaModel.cacheBytes(config, contextLength, halfCache)
        + (long) Integer.BYTES * contextLength
        + Float.BYTES * vocabulary;
  }
}
