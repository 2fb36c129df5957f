package pelican.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import pelican.engine.PelicanException;
import pelican.gguf.GgmlType;

/** Blocks decode to what the reference implementation in Python's gguf package decodes them to. */
class BlockFormatTest {
  static Stream<GgmlType> formats() {
    return Arrays.stream(GgmlType.values()).filter(BlockFormat::supports);
  }

  @Test
  void allFormatsOfGemmaFilesAreThere() {
    assertThat(formats().map(Enum::name))
        .containsExactlyInAnyOrder(
            "F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K",
            "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS");
  }

  @ParameterizedTest
  @MethodSource("formats")
  void decodesAsTheReferenceDoes(GgmlType type) throws IOException {
    MemorySegment blocks = MemorySegment.ofArray(read(type + ".blocks"));
    ByteBuffer expected = ByteBuffer.wrap(read(type + ".floats")).order(ByteOrder.LITTLE_ENDIAN);
    int count = expected.remaining() / Float.BYTES;
    float[] values = new float[count + 3];
    BlockFormat.of(type).dequantize(blocks, 0, values, 3, count);
    for (int i = 0; i < count; i++) {
      assertThat(values[3 + i]).as(type + " value " + i).isEqualTo(expected.getFloat(4 * i));
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void multipliesWhatItDecodes(GgmlType type) throws IOException {
    MemorySegment blocks = MemorySegment.ofArray(read(type + ".blocks"));
    BlockFormat format = BlockFormat.of(type);
    int count = (int) (blocks.byteSize() / type.blockBytes()) * type.blockSize();
    float[] values = new float[count];
    format.dequantize(blocks, 0, values, 0, count);
    Random random = new Random(2);
    float[] x = new float[count + 1];
    double sum = 0;
    double scale = 0;
    for (int i = 0; i < count; i++) {
      x[1 + i] = (float) random.nextGaussian();
      sum += (double) values[i] * x[1 + i];
      scale += Math.abs(values[i] * x[1 + i]);
    }
    assertThat(Math.abs(format.dot(blocks, 0, x, 1, count) - sum))
        .isLessThanOrEqualTo(1e-6 * scale);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void anyBytesDecode(GgmlType type) {
    byte[] bytes = new byte[4 * type.blockBytes()];
    for (int filler : new int[] {0x00, 0x7c, 0x7f, 0x80, 0xfc, 0xff}) {
      Arrays.fill(bytes, (byte) filler);
      float[] values = new float[4 * type.blockSize()];
      MemorySegment blocks = MemorySegment.ofArray(bytes);
      BlockFormat.of(type).dequantize(blocks, 0, values, 0, values.length);
      float dot = BlockFormat.of(type).dot(blocks, 0, values, 0, values.length);
      if (filler == 0) {
        assertThat(dot).isZero();
      }
    }
  }

  @Test
  void otherTypesAreRefusedByName() {
    assertThatThrownBy(() -> BlockFormat.of(GgmlType.IQ2_XXS))
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining("IQ2_XXS");
  }

  private static byte[] read(String name) throws IOException {
    try (InputStream in = BlockFormatTest.class.getResourceAsStream("/quant/" + name)) {
      return in.readAllBytes();
    }
  }
}
