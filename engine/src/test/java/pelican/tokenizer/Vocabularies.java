package pelican.tokenizer;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Assumptions;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufMetadata;
import pelican.gguf.GgufWriter;

/** Vocabularies for tests, as they are and changed. */
final class Vocabularies {
  static final String PREFIX = "tokenizer.ggml.";

  private static final Path REAL = Path.of("../../shared/golden/gemma-vocab.gguf");

  private Vocabularies() {}

  /** The golden files' vocabulary of 512 tokens and 121 merges. */
  static GgufFile tiny() {
    try {
      return GgufFile.open(
          Path.of(Vocabularies.class.getResource("/golden/tiny-Q4_K_M.gguf").toURI()));
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  /** Gemma's own vocabulary; the test is skipped where it is not present. */
  static GgufFile real() {
    Assumptions.assumeTrue(Files.exists(REAL), "the real vocabulary is not there");
    return GgufFile.open(REAL);
  }

  /** The tokenizer of a file, which is closed. */
  static Tokenizer tokenizer(GgufFile file) {
    try (file) {
      return Tokenizer.from(file.metadata());
    }
  }

  /** The tokenizer of a file whose metadata are changed, some keys left out; it is closed. */
  static Tokenizer changed(
      Path folder, GgufFile file, Consumer<GgufWriter> change, String... without)
      throws IOException {
    Path path = folder.resolve("changed.gguf");
    Set<String> omitted = Set.copyOf(Arrays.asList(without));
    GgufWriter writer = new GgufWriter();
    try (file) {
      for (String key : file.metadata().keys()) {
        if (key.startsWith(PREFIX) && !omitted.contains(key)) {
          writer.copy(file.metadata(), key);
        }
      }
      change.accept(writer);
      writer.write(path);
    }
    return tokenizer(GgufFile.open(path));
  }

  /**
   * The tokenizer of a file of scores with the tokens of one of merges: the earlier, the better.
   */
  static Tokenizer scored(Path folder, GgufFile file, boolean spacePrefix) throws IOException {
    float[] scores = scores(file.metadata());
    return changed(
        folder,
        file,
        writer ->
            writer
                .put(PREFIX + "model", "llama")
                .put(PREFIX + "scores", scores)
                .put(PREFIX + "add_space_prefix", spacePrefix),
        PREFIX + "merges");
  }

  private static float[] scores(GgufMetadata metadata) {
    Map<String, Integer> ranks = new HashMap<>();
    int rank = 0;
    for (String merge : metadata.strings(PREFIX + "merges")) {
      int space = merge.indexOf(' ', 1);
      ranks.putIfAbsent(merge.substring(0, space) + merge.substring(space + 1), rank++);
    }
    float[] scores = new float[metadata.strings(PREFIX + "tokens").size()];
    int id = 0;
    for (String token : metadata.strings(PREFIX + "tokens")) {
      scores[id++] = ranks.containsKey(token) ? -ranks.get(token) - 1 : 0;
    }
    return scores;
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
