package pelican.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pelican.engine.PelicanException;
import pelican.gguf.GgufFile;

/** Blocks against {@link BlockDefinition}. */
class BlockViewTest {
  private static final Path GOLDEN = Path.of("../engine/src/test/resources/golden");

  private static GgufFile open(String name) {
    return GgufFile.open(GOLDEN.resolve(name + ".gguf"));
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-Q8_0, blk.0.attn_q.weight, Q8_0, 0",
    "tiny-Q8_0, blk.1.ffn_up.weight, Q8_0, 77",
    "tiny-Q8_0, blk.4.attn_output.weight, Q8_0, 1000",
    "tiny-Q4_K_M, blk.0.attn_q.weight, Q4_K, 0",
    "tiny-Q4_K_M, blk.0.attn_q.weight, Q4_K, 13",
    "tiny-Q4_K_M, blk.1.ffn_up.weight, Q4_K, 79",
    "tiny-Q6_K, blk.0.attn_q.weight, Q6_K, 0",
    "tiny-Q6_K, blk.0.attn_q.weight, Q6_K, 11",
    "tiny-Q6_K, blk.1.ffn_up.weight, Q6_K, 78",
  })
  void blocksAreWhatTheirFormatSays(String name, String tensor, String type, int number) {
    try (GgufFile file = open(name)) {
      BlockView view = BlockView.of(List.of(new BlockView.Source(name, file)), tensor, number);
      BlockView.Stored stored = view.stored().getFirst();
      assertThat(stored.type()).isEqualTo(type);
      byte[] block = HexFormat.of().parseHex(stored.bytes());
      int size = BlockDefinition.size(type);
      assertThat(stored.blockSize()).isEqualTo(size);
      assertThat(stored.weights()).hasSize(32);
      int groupSize = BlockDefinition.groupSize(type);
      for (int j = 0; j < 32; j++) {
        int i = (int) (view.first() % size) + j;
        BlockDefinition.Weight weight = BlockDefinition.weight(type, block, i);
        BlockView.Group group = stored.groups().get(j / groupSize);
        assertThat(group.integers()[j % groupSize]).isEqualTo(weight.integer());
        assertThat((double) group.scale()).isCloseTo(weight.scale(), within(1e-9));
        assertThat((double) group.min()).isCloseTo(weight.min(), within(1e-7));
        assertThat((double) stored.weights()[j]).isCloseTo(weight.value(), within(1e-6));
      }
    }
  }

  @Test
  void errorsAreAgainstTheReference() {
    try (GgufFile a = open("tiny-Q8_0");
        GgufFile b = open("tiny-Q4_K_M")) {
      BlockView view =
          BlockView.of(
              List.of(new BlockView.Source("a", a), new BlockView.Source("b", b)),
              "blk.0.attn_q.weight",
              5);
      float[] x = view.stored().get(0).weights();
      float[] y = view.stored().get(1).weights();
      double max = 0;
      double squares = 0;
      for (int i = 0; i < x.length; i++) {
        max = Math.max(max, Math.abs((double) x[i] - y[i]));
        squares += Math.pow((double) x[i] - y[i], 2);
      }
      assertThat(max).isPositive();
      assertThat(view.stored().get(1).maxError()).isCloseTo(max, within(1e-12));
      assertThat(view.stored().get(1).rmsError())
          .isCloseTo(Math.sqrt(squares / x.length), within(1e-12));
    }
  }

  @Test
  void blocksBeyondTheEndAreRefused() {
    try (GgufFile file = open("tiny-Q8_0")) {
      List<BlockView.Source> sources = List.of(new BlockView.Source("a", file));
      assertThatThrownBy(() -> BlockView.of(sources, "blk.0.attn_q.weight", 1L << 40))
          .isInstanceOf(PelicanException.class)
          .hasMessageMatching("block of blk.0.attn_q.weight is \\d+, expected 0 to \\d+");
    }
  }
}
