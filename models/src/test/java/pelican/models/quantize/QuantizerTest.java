package pelican.models.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import pelican.engine.PelicanException;
import pelican.gguf.FileType;
import pelican.gguf.GgmlType;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufWriter;
import pelican.gguf.TensorInfo;
import pelican.gguf.ValueType;
import pelican.quant.BlockFormat;

class QuantizerTest {
  private static final int LAYERS = 9;

  @TempDir private Path folder;

  /** llama.cpp's own files of the same weights: same types, same size, no larger error. */
  @ParameterizedTest
  @CsvSource({
    "tiny, Q8_0",
    "tiny, Q6_K",
    "tiny, Q5_K_M",
    "tiny, Q4_K_M",
    "tiny, Q4_0",
    "moe, Q4_K_M"
  })
  void losesNoMoreThanLlamaCpp(String model, String mix) throws IOException {
    Path golden = Path.of("../../shared/golden");
    Path source = golden.resolve(model + "-F16.gguf");
    assumeTrue(Files.exists(source), () -> source + " is not there");
    Path theirs = golden.resolve(model + "-" + mix + ".gguf");
    Path ours = folder.resolve("ours.gguf");
    new Quantizer(source, ours, QuantizationMix.named(mix)).run();
    assertThat(Files.size(ours)).isEqualTo(Files.size(theirs));
    try (GgufFile from = GgufFile.open(source);
        GgufFile a = GgufFile.open(ours);
        GgufFile b = GgufFile.open(theirs)) {
      assertThat(a.metadata().keys()).containsExactlyElementsOf(b.metadata().keys());
      for (String key : b.metadata().keys()) {
        assertThat(a.metadata().get(key)).as(key).isEqualTo(b.metadata().get(key));
      }
      for (TensorInfo tensor : from.tensors().values()) {
        String name = tensor.name();
        assertThat(a.tensor(name).type()).as(name).isEqualTo(b.tensor(name).type());
        float[] weights = decode(from, name);
        assertThat(error(weights, decode(a, name)))
            .as(name)
            .isLessThanOrEqualTo(1.01 * error(weights, decode(b, name)));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyMixIsReadAgain(QuantizationMix mix) throws IOException {
    Path source = model("source.gguf", GgmlType.F32, 256, 0);
    Path target = folder.resolve("target.gguf");
    List<Quantizer.Change> changes = new Quantizer(source, target, mix).run();
    try (GgufFile from = GgufFile.open(source);
        GgufFile to = GgufFile.open(target)) {
      assertThat(FileType.label(to.metadata())).isEqualTo(mix.name());
      assertThat(to.metadata().integer("general.quantization_version")).isEqualTo(2);
      assertThat(to.metadata().get("test.nested")).isEqualTo(from.metadata().get("test.nested"));
      assertThat(to.metadata().integer("test.negative")).isEqualTo(-5);
      assertThat(to.tensors().keySet()).containsExactlyElementsOf(from.tensors().keySet());
      assertThat(changes).hasSize(from.tensors().size());
      for (Quantizer.Change change : changes) {
        TensorInfo tensor = to.tensor(change.name());
        assertThat(tensor.type()).isEqualTo(change.to());
        assertThat(tensor.byteSize()).isEqualTo(change.bytesTo());
        float[] before = decode(from, change.name());
        float[] after = decode(to, change.name());
        double size = error(before, new float[before.length]);
        assertThat(error(before, after)).as(change.name()).isLessThan(0.01 * size);
        if (change.name().contains("norm") || change.name().contains("model_proj")) {
          assertThat(after).isEqualTo(before);
        }
      }
    }
  }

  /** Nine layers: the first and the last two, and every third after the first. */
  @Test
  void theMediumMixGivesSomeLayersMoreBits() throws IOException {
    List<String> six = new ArrayList<>();
    for (Quantizer.Change change : quantize(model("m.gguf", GgmlType.F16, 256, 0), "Q4_K_M")) {
      if (change.to() == GgmlType.Q6_K) {
        six.add(change.name());
      } else {
        assertThat(change.to()).isIn(GgmlType.Q4_K, GgmlType.F32);
      }
    }
    // six layers have values of their own, so that the rule counts to six for these
    assertThat(six)
        .containsExactly(
            "token_embd.weight",
            "per_layer_token_embd.weight",
            "blk.0.ffn_down.weight",
            "blk.2.attn_v.weight",
            "blk.3.ffn_down.weight",
            "blk.5.attn_v.weight",
            "blk.6.ffn_down.weight",
            "blk.7.ffn_down.weight",
            "blk.8.ffn_down.weight");
  }

  @Test
  void rowsThatAreNoWholeBlocksGetSmallerBlocks() throws IOException {
    Path source = model("narrow.gguf", GgmlType.F16, 96, 0);
    assertThat(type(quantize(source, "Q4_K_M"), "blk.1.attn_q.weight")).isEqualTo(GgmlType.Q5_0);
    assertThat(type(quantize(source, "Q5_K_M"), "blk.1.attn_q.weight")).isEqualTo(GgmlType.Q5_1);
    assertThat(type(quantize(source, "Q6_K"), "blk.1.attn_q.weight")).isEqualTo(GgmlType.Q8_0);
    assertThat(type(quantize(source, "Q4_K_M"), "token_embd.weight")).isEqualTo(GgmlType.Q8_0);
    Path odd = model("odd.gguf", GgmlType.F32, 40, 0);
    assertThat(type(quantize(odd, "Q4_0"), "blk.1.attn_q.weight")).isEqualTo(GgmlType.F16);
  }

  @Test
  void quantizedFilesAreASourceToo() throws IOException {
    Path source = model("source.gguf", GgmlType.F32, 256, 0);
    Path q8 = folder.resolve("q8.gguf");
    new Quantizer(source, q8, QuantizationMix.Q8_0).run();
    Path q4 = folder.resolve("q4.gguf");
    new Quantizer(q8, q4, QuantizationMix.Q4_0).run();
    Path f16 = folder.resolve("f16.gguf");
    new Quantizer(q4, f16, QuantizationMix.F16).run();
    try (GgufFile a = GgufFile.open(q4);
        GgufFile b = GgufFile.open(f16)) {
      assertThat(b.tensor("blk.0.attn_q.weight").type()).isEqualTo(GgmlType.F16);
      float[] before = decode(a, "blk.0.attn_q.weight");
      double size = error(before, new float[before.length]);
      assertThat(error(before, decode(b, "blk.0.attn_q.weight"))).isLessThan(1e-6 * size);
    }
  }

  @Test
  void theNumberOfThreadsDoesNotMatter() throws IOException {
    Path source = model("source.gguf", GgmlType.F32, 256, 0);
    Path one = folder.resolve("one.gguf");
    Path many = folder.resolve("many.gguf");
    List<Long> seen = new ArrayList<>();
    List<Long> totals = new ArrayList<>();
    new Quantizer(source, one, QuantizationMix.Q4_K_M)
        .threads(1)
        .progress((tensor, done, total) -> {
          seen.add(done);
          totals.add(total);
        })
        .run();
    new Quantizer(source, many, QuantizationMix.Q4_K_M).threads(5).run();
    assertThat(many).hasSameBinaryContentAs(one);
    assertThat(seen).isSorted().last().isEqualTo(totals.getLast());
    assertThat(totals).containsOnly(totals.getFirst());
  }

  @Test
  void whatCannotBeDoneIsSaidAndLeavesNothing() throws IOException {
    Path source = model("source.gguf", GgmlType.F32, 256, 0);
    refused(source, source, "is the source");
    refused(source, folder, "a directory");
    refused(source, folder.resolve("none/target.gguf"), "no folder");
    refused(folder.resolve("absent.gguf"), folder.resolve("target.gguf"), "no such file");
    Path text = Files.writeString(folder.resolve("text.gguf"), "hello, this is text");
    refused(text, folder.resolve("target.gguf"), "no GGUF file");
    Path nan = model("nan.gguf", GgmlType.F32, 256, Float.NaN);
    refused(nan, folder.resolve("target.gguf"), "weight 5 of tensor blk.0.attn_q.weight is NaN");
    Path huge = model("huge.gguf", GgmlType.F32, 256, 1e6f);
    Path target = folder.resolve("target.gguf");
    assertThatThrownBy(() -> new Quantizer(huge, target, QuantizationMix.F16).run())
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining("is 1000000.0, expected a number that F16 can hold");
    assertThatThrownBy(() -> QuantizationMix.named("Q7"))
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining("expected one of F16, Q4_0");
    assertThat(QuantizationMix.named("q4_k_m")).isEqualTo(QuantizationMix.Q4_K_M);
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactlyInAnyOrder(source, text, nan, huge);
    }
  }

  private static void refused(Path source, Path target, String message) {
    assertThatThrownBy(() -> new Quantizer(source, target, QuantizationMix.Q4_K_M).run())
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining(message);
  }

  private List<Quantizer.Change> quantize(Path source, String mix) {
    Path target = folder.resolve(mix + ".gguf");
    return new Quantizer(source, target, QuantizationMix.named(mix)).run();
  }

  private static GgmlType type(List<Quantizer.Change> changes, String name) {
    return changes.stream().filter(c -> c.name().equals(name)).findFirst().orElseThrow().to();
  }

  /** A file with some of the tensors of a model, the last three layers without values. */
  private Path model(String name, GgmlType type, int width, float planted) throws IOException {
    GgufWriter w = new GgufWriter();
    w.put("general.architecture", "gemma4").putUint32("gemma4.block_count", LAYERS);
    w.put("general.file_type", ValueType.UINT32, new byte[4]);
    w.put("test.negative", ValueType.INT32, new byte[] {-5, -1, -1, -1});
    w.putValue(
        "test.nested",
        ValueType.ARRAY,
        new GgufWriter.ArrayValue(
            ValueType.ARRAY, List.of(new GgufWriter.ArrayValue(ValueType.STRING, List.of("a")))));
    tensor(w, "output_norm.weight", GgmlType.F32, 0, width);
    tensor(w, "token_embd.weight", type, 0, width, 64);
    tensor(w, "per_layer_token_embd.weight", type, 0, width, 2, 20);
    tensor(w, "per_layer_model_proj.weight", GgmlType.F32, 0, width, 3);
    for (int i = 0; i < LAYERS; i++) {
      String p = "blk." + i + ".";
      tensor(w, p + "attn_q.weight", type, i == 0 ? planted : 0, width, 6);
      if (i < 6) {
        tensor(w, p + "attn_v.weight", type, 0, width, 2);
      }
      tensor(w, p + "ffn_down.weight", type, 0, 2 * width, 2);
    }
    Path path = folder.resolve(name);
    w.write(path);
    return path;
  }

  private static void tensor(
      GgufWriter w, String name, GgmlType type, float planted, long... dims) {
    Random random = new Random(name.hashCode());
    int count = 1;
    for (long dim : dims) {
      count *= (int) dim;
    }
    ByteBuffer data = ByteBuffer.allocate((int) type.bytes(count)).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      float value = (float) random.nextGaussian() * 0.1f;
      if (i == 5 && planted != 0) {
        value = planted;
      }
      if (type == GgmlType.F32) {
        data.putFloat(value);
      } else {
        data.putShort(Float.floatToFloat16(value));
      }
    }
    w.tensor(name, type, dims, out -> out.write(data.array()));
  }

  private static float[] decode(GgufFile file, String name) {
    TensorInfo tensor = file.tensor(name);
    float[] weights = new float[(int) tensor.elements()];
    BlockFormat.of(tensor.type()).dequantize(file.data(tensor), 0, weights, 0, weights.length);
    return weights;
  }

  private static double error(float[] a, float[] b) {
    double error = 0;
    for (int i = 0; i < a.length; i++) {
      error += Math.pow((double) a[i] - b[i], 2);
    }
    return error;
  }
}
