package pelican.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written is read back the same. */
class GgufWriterTest {
  @TempDir Path folder;

  @Test
  void metadataOfEveryTypeComesBack() throws IOException {
    Path path = folder.resolve("values.gguf");
    new GgufWriter()
        .putValue("u8", ValueType.UINT8, 255)
        .putValue("i8", ValueType.INT8, -128)
        .putValue("u16", ValueType.UINT16, 65535)
        .putValue("i16", ValueType.INT16, -32768)
        .putValue("u32", ValueType.UINT32, 0xffffffffL)
        .putValue("i32", ValueType.INT32, Integer.MIN_VALUE)
        .putValue("u64", ValueType.UINT64, BigInteger.TWO.pow(64).subtract(BigInteger.ONE))
        .putValue("i64", ValueType.INT64, Long.MIN_VALUE)
        .put("f32", -1e-45f)
        .putValue("f64", ValueType.FLOAT64, Math.PI)
        .put("yes", true)
        .put("no", false)
        .put("text", "Pelikan ▁ 🦩")
        .put("empty", "")
        .put("bools", new boolean[] {true, false, true})
        .put("ints", new int[] {1, -2, 3})
        .put("floats", new float[] {0.5f, Float.POSITIVE_INFINITY})
        .putValue("none", ValueType.ARRAY, array(ValueType.UINT64))
        .putValue(
            "strings",
            ValueType.ARRAY,
            array(ValueType.STRING, "a", new byte[] {(byte) 0xff}, "", "ä\n"))
        .putValue(
            "nested",
            ValueType.ARRAY,
            array(ValueType.ARRAY, array(ValueType.STRING, "x", "yz"), array(ValueType.INT16, -7)))
        .write(path);
    Path copy = folder.resolve("copy.gguf");
    try (GgufFile file = GgufFile.open(path)) {
      check(file.metadata());
      GgufWriter writer = new GgufWriter();
      file.metadata().keys().forEach(key -> writer.copy(file.metadata(), key));
      writer.write(copy);
    }
    assertThat(copy).hasSameBinaryContentAs(path);
  }

  private static GgufWriter.ArrayValue array(ValueType element, Object... values) {
    return new GgufWriter.ArrayValue(element, List.of(values));
  }

  private static void check(GgufMetadata m) {
    assertThat(m.keys().iterator().next()).isEqualTo("u8");
    assertThat(m.integer("u8")).isEqualTo(255);
    assertThat(m.integer("i8")).isEqualTo(-128);
    assertThat(m.integer("u16")).isEqualTo(65535);
    assertThat(m.integer("i16")).isEqualTo(-32768);
    assertThat(m.longInteger("u32")).isEqualTo(0xffffffffL);
    assertThat(m.integer("i32")).isEqualTo(Integer.MIN_VALUE);
    assertThat(m.get("u64")).isEqualTo(new BigInteger("18446744073709551615"));
    assertThat(m.longInteger("i64")).isEqualTo(Long.MIN_VALUE);
    assertThat(m.floating("f32")).isEqualTo(-1e-45f);
    assertThat(m.get("f64")).isEqualTo(Math.PI);
    assertThat(m.bool("yes")).isTrue();
    assertThat(m.bool("no")).isFalse();
    assertThat(m.string("text")).isEqualTo("Pelikan ▁ 🦩");
    assertThat(m.string("empty")).isEmpty();
    assertThat(m.booleansPerLayer("bools", 3)).containsExactly(true, false, true);
    assertThat(m.integers("ints")).containsExactly(1, -2, 3);
    assertThat(m.floats("floats")).containsExactly(0.5f, Float.POSITIVE_INFINITY);
    assertThat(m.length("none")).isZero();
    assertThat(m.elementType("none")).isEqualTo(ValueType.UINT64);
    assertThat(m.strings("strings").get(3)).isEqualTo("ä\n");
    assertThat(m.strings("strings").bytes(1)).containsExactly(0xff);
    assertThat(m.get("nested")).isEqualTo(List.of(List.of("x", "yz"), List.of(-7L)));
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 32, 64, 4096})
  void tensorsComeBack(int alignment) throws IOException {
    Random random = new Random(alignment);
    GgufWriter writer = new GgufWriter().alignment(alignment);
    List<byte[]> contents = new ArrayList<>();
    List<TensorInfo> expected = new ArrayList<>();
    for (GgmlType type : GgmlType.values()) {
      if (type.withdrawn()) {
        continue;
      }
      List<Long> dims = new ArrayList<>(List.of((long) type.blockSize() * (1 + random.nextInt(3))));
      for (int i = random.nextInt(4); i > 0; i--) {
        dims.add(1L + random.nextInt(5));
      }
      long elements = dims.stream().reduce(1L, Math::multiplyExact);
      byte[] content = new byte[(int) type.bytes(elements)];
      random.nextBytes(content);
      contents.add(content);
      expected.add(new TensorInfo("t." + type, type, dims, 0, content.length));
      writer.tensor(
          "t." + type,
          type,
          longs(dims),
          out -> {
            int half = content.length / 2;
            out.write(content, 0, half);
            for (int i = half; i < content.length; i++) {
              out.write(content[i]);
            }
          });
    }
    Path path = folder.resolve("tensors.gguf");
    Files.writeString(path, "an older file");
    writer.write(path);
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.alignment()).isEqualTo(alignment);
      assertThat(file.size() % alignment).isZero();
      int i = 0;
      for (TensorInfo tensor : file.tensors().values()) {
        TensorInfo want = expected.get(i);
        assertThat(tensor.name()).isEqualTo(want.name());
        assertThat(tensor.type()).isEqualTo(want.type());
        assertThat(tensor.dims()).isEqualTo(want.dims());
        assertThat(tensor.offset() % alignment).isZero();
        assertThat(file.data(tensor).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(contents.get(i++));
      }
      assertThat(i).isEqualTo(expected.size());
    }
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactly(path);
    }
  }

  @Test
  void aGoldenFileIsWrittenAgainAsItWas() throws IOException {
    Path path = folder.resolve("again.gguf");
    Path golden = GoldenFilesTest.golden("tiny-Q4_K_M.gguf");
    try (GgufFile file = GgufFile.open(golden)) {
      GgufWriter writer = new GgufWriter();
      file.metadata().keys().forEach(key -> writer.copy(file.metadata(), key));
      for (TensorInfo t : file.tensors().values()) {
        byte[] data = file.data(t).toArray(ValueLayout.JAVA_BYTE);
        writer.tensor(t.name(), t.type(), longs(t.dims()), out -> out.write(data));
      }
      writer.write(path);
    }
    assertThat(path).hasSameBinaryContentAs(golden);
  }

  @Test
  void whatFailsLeavesTheOldFileAndNothingElse() throws IOException {
    Path path = folder.resolve("kept.gguf");
    Files.writeString(path, "kept");
    assertThatThrownBy(() -> oneTensor(out -> out.write(new byte[31])).write(path))
        .isInstanceOf(IOException.class)
        .hasMessage("t: 31 bytes written, expected 32");
    assertThatThrownBy(() -> oneTensor(out -> out.write(new byte[33])).write(path))
        .isInstanceOf(IOException.class)
        .hasMessage("t: more bytes written than the 32 it has");
    GgufWriter broken =
        oneTensor(out -> {
          throw new IOException("no space left");
        });
    assertThatThrownBy(() -> broken.write(path)).hasMessage("no space left");
    assertThat(path).hasContent("kept");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactly(path);
    }
  }

  private static GgufWriter oneTensor(GgufWriter.Source data) {
    return new GgufWriter().tensor("t", GgmlType.F32, new long[] {8}, data);
  }

  @Test
  void whatNoFileCanHoldIsRefused() {
    GgufWriter w = new GgufWriter();
    GgufWriter.Source none = out -> {};
    w.tensor("twice", GgmlType.F32, new long[] {1}, none);
    refused(() -> w.put("", "b"), "expected 1 to 65535");
    refused(() -> w.putValue("k", ValueType.UINT8, 256), "is no UINT8");
    refused(() -> w.putValue("k", ValueType.UINT64, -1L), "is no UINT64");
    refused(() -> w.putValue("k", ValueType.INT8, 128), "is no INT8");
    refused(() -> w.putValue("k", ValueType.INT32, 1.5), "is no INT32");
    refused(() -> w.putValue("k", ValueType.BOOL, 1), "is no BOOL");
    refused(() -> w.putValue("k", ValueType.ARRAY, List.of()), "is no ARRAY");
    refused(
        () -> w.putValue("k", ValueType.ARRAY, array(ValueType.STRING, "a", 1)), "is no STRING");
    refused(() -> w.alignment(3), "power of two");
    refused(() -> w.tensor("twice", GgmlType.F32, new long[] {1}, none), "already there");
    refused(() -> w.tensor("x".repeat(65), GgmlType.F32, new long[] {1}, none), "65 bytes");
    refused(() -> w.tensor("t", GgmlType.Q4_K, new long[] {128}, none), "multiple of 256");
    refused(() -> w.tensor("t", GgmlType.Q4_2, new long[] {32}, none), "withdrawn");
    refused(() -> w.tensor("t", GgmlType.F32, new long[0], none), "dimensions");
    refused(() -> w.tensor("t", GgmlType.F32, new long[] {1, 1, 1, 1, 1}, none), "dimensions");
    refused(() -> w.tensor("t", GgmlType.F32, new long[] {0}, none), "a dimension of 0");
    assertThatThrownBy(() -> w.tensor("t", GgmlType.F32, new long[] {1L << 40, 1L << 40}, none))
        .isInstanceOf(ArithmeticException.class);
  }

  private static long[] longs(List<Long> dims) {
    return dims.stream().mapToLong(Long::longValue).toArray();
  }

  private static void refused(Runnable what, String message) {
    assertThatThrownBy(what::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
