package pelican.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import pelican.engine.PelicanException;
import pelican.gguf.GgmlType;

/** Encoded weights decode to what is near them. */
class BlockEncoderTest {
  static Stream<GgmlType> types() {
    return Arrays.stream(GgmlType.values()).filter(BlockEncoder::supports);
  }

  static Stream<GgmlType> quantizedTypes() {
    return types().filter(type -> type.blockSize() > 1);
  }

  /** The errors are those of llama.cpp's quantizer for the same weights, which are a model's. */
  @ParameterizedTest
  @CsvSource({
    "Q8_0, 0.0010468845",
    "Q6_K, 0.0115438735",
    "Q5_K, 0.0467675883",
    "Q4_K, 0.1844504731",
    "Q4_0, 0.2633041286",
  })
  void losesNoMoreThanLlamaCpp(GgmlType type, double theirs) throws IOException {
    byte[] bytes;
    try (InputStream in = BlockEncoderTest.class.getResourceAsStream("/quant/weights.f16")) {
      bytes = in.readAllBytes();
    }
    float[] weights = new float[bytes.length / 2];
    BlockFormat.of(GgmlType.F16)
        .dequantize(MemorySegment.ofArray(bytes), 0, weights, 0, weights.length);
    assertThat(error(weights, roundTrip(type, weights))).isLessThanOrEqualTo(theirs);
  }

  /** With b bits, even spacing of a range of ±3 deviations gives an error of (6 / 2^b)² / 12. */
  @ParameterizedTest
  @CsvSource({"Q8_0, 7.5", "Q6_K, 6", "Q5_K, 5", "Q5_1, 5", "Q5_0, 4.8", "Q4_K, 4", "Q4_0, 3.9"})
  void normalWeightsKeepTheirShape(GgmlType type, double bits) {
    float[] weights = normal(1 << 14, 0.05f);
    double variance = 0.05 * 0.05 * weights.length;
    double bound = Math.pow(6 / Math.pow(2, bits), 2) / 12;
    assertThat(error(weights, roundTrip(type, weights)) / variance).isLessThan(bound);
  }

  @ParameterizedTest
  @MethodSource("quantizedTypes")
  void noWeightMovesFurtherThanTheRangeAllows(GgmlType type) {
    Random random = new Random(5);
    int size = type.blockSize();
    for (int round = 0; round < 200; round++) {
      float[] block = new float[size];
      // smaller ones have scales that half precision holds to few bits
      float spread = (float) Math.pow(10, random.nextInt(6) - 2);
      float shift = round % 3 == 0 ? 0 : (float) random.nextGaussian() * spread;
      float largest = 0;
      for (int i = 0; i < size; i++) {
        boolean outlier = round % 5 == 0 && random.nextInt(40) == 0;
        block[i] = (float) random.nextGaussian() * spread * (outlier ? 8 : 1) + shift;
        largest = Math.max(largest, Math.abs(block[i]));
      }
      float[] decoded = roundTrip(type, block);
      for (int i = 0; i < size; i++) {
        // 4 bits with a sign leave a step of an eighth of the largest weight
        assertThat((double) Math.abs(decoded[i] - block[i])).isLessThan(largest / 7.0 + 1e-7);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void zerosStayZeros(GgmlType type) {
    float[] zeros = new float[512];
    zeros[7] = -0f;
    for (float value : roundTrip(type, zeros)) {
      assertThat(value).isZero();
    }
  }

  @ParameterizedTest
  @MethodSource("quantizedTypes")
  void extremesGiveFiniteWeights(GgmlType type) {
    float[][] cases = {
      constant(1),
      constant(-1),
      constant(Float.MIN_VALUE),
      constant(-1e-38f),
      constant(6e-8f),
      constant(Float.MAX_VALUE),
      constant(-Float.MAX_VALUE),
      mixed(1e-38f, 1e38f),
      mixed(-1e-45f, 1e-45f),
      mixed(-Float.MAX_VALUE, Float.MAX_VALUE),
      mixed(0, 65504),
      mixed(-3e5f, 1),
      mixed(1, 1.0000001f)
    };
    for (float[] weights : cases) {
      for (float value : roundTrip(type, weights)) {
        assertThat(value).as(weights[0] + ", " + weights[1]).isFinite();
      }
    }
    float[] ones = roundTrip(type, constant(1));
    assertThat(ones[100]).isBetween(0.99f, 1.01f);
    float[] negative = roundTrip(type, constant(-1));
    assertThat(negative[100]).isBetween(-1.01f, -0.99f);
  }

  @Test
  void floatsRoundToTheNearest() {
    float[] values = normal(256, 1);
    assertThat(roundTrip(GgmlType.F32, values)).isEqualTo(values);
    float[] halves = roundTrip(GgmlType.F16, values);
    float[] brain = roundTrip(GgmlType.BF16, values);
    for (int i = 0; i < values.length; i++) {
      assertThat((double) Math.abs(halves[i] - values[i])).isLessThan(Math.ulp(values[i]) * 4097.0);
      assertThat((double) Math.abs(brain[i] - values[i]))
          .isLessThanOrEqualTo(Math.ulp(values[i]) * 32768.0);
    }
    // ties go to the even neighbour
    float[] ties = {Float.intBitsToFloat(0x3f808000), Float.intBitsToFloat(0x3f818000)};
    assertThat(roundTrip(GgmlType.BF16, ties))
        .containsExactly(Float.intBitsToFloat(0x3f800000), Float.intBitsToFloat(0x3f820000));
  }

  @ParameterizedTest
  @MethodSource("types")
  void writesOnlyItsOwnBytes(GgmlType type) {
    float[] weights = normal(1024 + 5, 1);
    byte[] whole = new byte[(int) type.bytes(1024)];
    BlockEncoder.of(type).encode(weights, 5, 1024, whole, 0);
    byte[] parts = new byte[whole.length + 6];
    int half = whole.length / 2;
    BlockEncoder.of(type).encode(weights, 5 + 512, 512, parts, 3 + half);
    BlockEncoder.of(type).encode(weights, 5, 512, parts, 3);
    assertThat(Arrays.copyOfRange(parts, 3, 3 + whole.length)).isEqualTo(whole);
    assertThat(new byte[] {parts[0], parts[1], parts[2]}).containsOnly(0);
    assertThat(Arrays.copyOfRange(parts, 3 + whole.length, parts.length)).containsOnly(0);
  }

  @Test
  void otherTypesAreRefusedByName() {
    assertThatThrownBy(() -> BlockEncoder.of(GgmlType.IQ4_XS))
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining("IQ4_XS");
  }

  private static float[] roundTrip(GgmlType type, float[] weights) {
    byte[] blocks = new byte[(int) type.bytes(weights.length)];
    BlockEncoder.of(type).encode(weights, 0, weights.length, blocks, 0);
    float[] decoded = new float[weights.length];
    BlockFormat.of(type).dequantize(MemorySegment.ofArray(blocks), 0, decoded, 0, decoded.length);
    return decoded;
  }

  private static double error(float[] a, float[] b) {
    double error = 0;
    for (int i = 0; i < a.length; i++) {
      error += Math.pow((double) a[i] - b[i], 2);
    }
    return error;
  }

  private static float[] normal(int count, float deviation) {
    Random random = new Random(3);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() * deviation;
    }
    return values;
  }

  private static float[] constant(float value) {
    float[] values = new float[256];
    Arrays.fill(values, value);
    return values;
  }

  private static float[] mixed(float even, float odd) {
    float[] values = new float[256];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 2 == 0 ? even : odd;
    }
    return values;
  }
}
