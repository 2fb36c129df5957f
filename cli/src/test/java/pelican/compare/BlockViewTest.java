package pelican.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pelican.engine.PelicanException;
import pelican.gguf.GgufFile;

/** Blocks against decoders written here from the formats' definitions. */
class BlockViewTest {
  private static final Path GOLDEN = Path.of("../engine/src/test/resources/golden");

  /** What a weight is stored as. */
  private record Weight(int integer, double scale, double min) {
    double value() {
      return scale * integer - min;
    }
  }

  private static GgufFile open(String name) {
    return GgufFile.open(GOLDEN.resolve(name + ".gguf"));
  }

  private static double half(ByteBuffer block, int at) {
    return Float.float16ToFloat(block.getShort(at));
  }

  private static int unsigned(ByteBuffer block, int at) {
    return block.get(at) & 0xff;
  }

  /** 32 weights: half scale, 32 signed bytes. */
  private static Weight q8(ByteBuffer block, int i) {
    return new Weight(block.get(2 + i), half(block, 0), 0);
  }

  /** 256 weights: half d, half dmin, 12 bytes of 6-bit scales and mins, 128 bytes of nibbles. */
  private static Weight q4k(ByteBuffer block, int i) {
    int group = i / 32;
    int scale;
    int min;
    if (group < 4) {
      scale = unsigned(block, 4 + group) & 63;
      min = unsigned(block, 8 + group) & 63;
    } else {
      int low = unsigned(block, 8 + group);
      scale = low & 15 | unsigned(block, group) >> 6 << 4;
      min = low >> 4 | unsigned(block, 4 + group) >> 6 << 4;
    }
    // Each 32 bytes hold two groups: the first in the low nibbles, the second in the high ones.
    int pair = unsigned(block, 16 + group / 2 * 32 + i % 32);
    int integer = group % 2 == 0 ? pair & 15 : pair >> 4;
    return new Weight(integer, half(block, 0) * scale, half(block, 2) * min);
  }

  /** 256 weights: 128 bytes of low nibbles, 64 of high pairs, 16 signed scales, half d. */
  private static Weight q6k(ByteBuffer block, int i) {
    int part = i / 128;
    int row = i % 128 / 32;
    int column = i % 32;
    int low = unsigned(block, part * 64 + row % 2 * 32 + column) >> (row < 2 ? 0 : 4) & 15;
    int high = unsigned(block, 128 + part * 32 + column) >> 2 * row & 3;
    return new Weight((low | high << 4) - 32, half(block, 208) * block.get(192 + i / 16), 0);
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
      ByteBuffer block =
          ByteBuffer.wrap(HexFormat.of().parseHex(stored.bytes())).order(ByteOrder.LITTLE_ENDIAN);
      int size = type.equals("Q8_0") ? 32 : 256;
      assertThat(stored.blockSize()).isEqualTo(size);
      assertThat(stored.weights()).hasSize(32);
      int groupSize = type.equals("Q6_K") ? 16 : 32;
      for (int j = 0; j < 32; j++) {
        int i = (int) (view.first() % size) + j;
        Weight weight =
            switch (type) {
              case "Q8_0" -> q8(block, i);
              case "Q4_K" -> q4k(block, i);
              default -> q6k(block, i);
            };
        BlockView.Group group = stored.groups().get(j / groupSize);
        assertThat(group.integers()[j % groupSize]).isEqualTo(weight.integer);
        assertThat((double) group.scale()).isCloseTo(weight.scale, within(1e-9));
        assertThat((double) group.min()).isCloseTo(weight.min, within(1e-7));
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
