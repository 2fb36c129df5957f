package pelican.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that llama.cpp's tools wrote are read as they were meant. */
class GoldenFilesTest {
  static Path golden(String name) {
    try {
      return Path.of(GoldenFilesTest.class.getResource("/golden/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  /** A file of the folder beside the repository, which need not be there. */
  static Path shared(String name) {
    Path path = Path.of("../../shared", name);
    assumeTrue(Files.exists(path), () -> path + " is not there");
    return path;
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-Q8_0, 99, 'F32=49, Q8_0=50'",
    "tiny-Q6_K, 99, 'F32=49, Q6_K=50'",
    "tiny-Q4_K_M, 99, 'F32=49, Q4_K=45, Q6_K=5'",
    "tiny-Q3_K_M, 99, 'F32=49, Q3_K=33, Q4_K=13, Q5_K=2, Q6_K=2'",
    "dense-Q4_K_M, 85, 'F32=44, Q4_K=36, Q6_K=5'",
  })
  void countsTensorsByType(String name, int tensors, String types) {
    try (GgufFile file = GgufFile.open(golden(name + ".gguf"))) {
      assertThat(file.version()).isEqualTo(3);
      assertThat(file.alignment()).isEqualTo(32);
      assertThat(file.tensors().size()).isEqualTo(tensors);
      Map<GgmlType, Long> counts =
          file.tensors().values().stream()
              .collect(Collectors.groupingBy(TensorInfo::type, Collectors.counting()));
      String shown =
          counts.entrySet().stream()
              .map(Object::toString)
              .sorted()
              .collect(Collectors.joining(", "));
      assertThat(shown).isEqualTo(types);
    }
  }

  @Test
  void readsMetadataAndTensorsOfTheTinyModel() {
    try (GgufFile file = GgufFile.open(golden("tiny-Q4_K_M.gguf"))) {
      GgufMetadata metadata = file.metadata();
      assertThat(metadata.string("general.architecture")).isEqualTo("gemma4");
      assertThat(metadata.integer("gemma4.block_count")).isEqualTo(6);
      assertThat(metadata.integersPerLayer("gemma4.feed_forward_length", 6))
          .containsExactly(256, 256, 256, 512, 512, 512);
      assertThat(metadata.integersPerLayer("gemma4.attention.head_count", 3))
          .containsExactly(4, 4, 4);
      assertThat(metadata.booleansPerLayer("gemma4.attention.sliding_window_pattern", 6))
          .containsExactly(true, true, false, true, true, false);
      assertThat(metadata.floating("gemma4.attention.layer_norm_rms_epsilon")).isEqualTo(1e-6f);
      assertThat(metadata.strings("tokenizer.ggml.tokens").size()).isEqualTo(512);
      assertThat(metadata.integers("tokenizer.ggml.token_type")).hasSize(512);
      assertThat(metadata.bool("tokenizer.ggml.add_bos_token")).isTrue();
      assertThat(metadata.string("general.nonsense", "none")).isEqualTo("none");

      TensorInfo down = file.tensor("blk.5.ffn_down.weight");
      assertThat(down)
          .isEqualTo(
              new TensorInfo(
                  "blk.5.ffn_down.weight",
                  GgmlType.Q6_K,
                  java.util.List.of(512L, 256L),
                  4209888,
                  107520));
      assertThat(down.columns()).isEqualTo(512);
      assertThat(down.rows()).isEqualTo(256);
      assertThat(file.data(down).byteSize()).isEqualTo(107520);
      assertThat(file.data(down).isReadOnly()).isTrue();
      assertThat(file.data(down).isMapped()).isTrue();
    }
  }

  @Test
  void readsTheHeaderOfAFullVocabularyQuickly() {
    Path path = shared("golden/gemma-vocab.gguf");
    long start = System.nanoTime();
    try (GgufFile file = GgufFile.open(path)) {
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      StringArray tokens = file.metadata().strings("tokenizer.ggml.tokens");
      StringArray merges = file.metadata().strings("tokenizer.ggml.merges");
      assertThat(tokens.size()).isEqualTo(262_144);
      assertThat(tokens.get(2)).isEqualTo("<bos>");
      assertThat(tokens.get(106)).isEqualTo("<turn|>");
      assertThat(merges.size()).isEqualTo(514_906);
      assertThat(merges.get(514_905)).contains(" ");
      // a minute would still be no failure of correctness; the time is printed for the reader
      System.out.println("header of " + tokens.size() + " tokens read in " + took);
    }
  }
}
