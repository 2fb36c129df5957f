package pelican.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URISyntaxException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import pelican.gemma.GemmaConfig;
import pelican.gguf.GgufFile;
import pelican.gguf.TensorInfo;

class WeightCountsTest {
  /** Of the model's six layers, the last three use the keys and values of earlier ones. */
  private static final int LAST = 2;

  @Test
  void promptsEndAtTheLastLayerThatHasKeysOfItsOwn() throws URISyntaxException {
    try (GgufFile file = open("tiny-Q4_K_M")) {
      GemmaConfig config = GemmaConfig.from(file);
      assertThat(config.layers()).isEqualTo(6);
      assertThat(config.lastKvOwner()).isEqualTo(LAST);
      long expected =
          size(file, "per_layer_model_proj.weight") + size(file, "per_layer_proj_norm.weight");
      for (TensorInfo tensor : file.tensors().values()) {
        for (int layer = 0; layer < LAST; layer++) {
          expected += tensor.name().startsWith("blk." + layer + ".") ? size(tensor) : 0;
        }
      }
      for (String name : new String[] {"attn_norm", "attn_k", "attn_k_norm", "attn_v"}) {
        expected += size(file, "blk." + LAST + "." + name + ".weight");
      }
      assertThat(new WeightCounts(file, config).perPromptToken()).isEqualTo(expected);
    }
  }

  @Test
  void oneTokenTakesAllButWhatIsLookedUp() throws URISyntaxException {
    try (GgufFile file = open("tiny-Q4_K_M")) {
      long all = file.tensors().values().stream().mapToLong(WeightCountsTest::size).sum();
      assertThat(new WeightCounts(file, GemmaConfig.from(file)).perToken())
          .isEqualTo(all - size(file, "per_layer_token_embd.weight"));
    }
  }

  private static GgufFile open(String name) throws URISyntaxException {
    return GgufFile.open(
        Path.of(WeightCountsTest.class.getResource("/golden/" + name + ".gguf").toURI()));
  }

  private static long size(GgufFile file, String tensor) {
    return size(file.tensor(tensor));
  }

  private static long size(TensorInfo tensor) {
    return tensor.columns() * tensor.rows();
  }
}
