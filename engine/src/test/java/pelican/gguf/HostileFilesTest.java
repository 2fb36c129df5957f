package pelican.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pelican.engine.PelicanException;
import pelican.kernel.Workers;

/** Files made to do harm: each is refused, with the reason. */
class HostileFilesTest {
  private static final int UINT32 = ValueType.UINT32.id();
  private static final int STRING = ValueType.STRING.id();
  private static final int ARRAY = ValueType.ARRAY.id();

  @TempDir private Path folder;

  /** Bytes of a file, one value after another. */
  private static final class Raw {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** Begins a file. */
    static Raw header(long tensors, long keys) {
      return new Raw().text("GGUF").u32(3).u64(tensors).u64(keys);
    }

    Raw text(String text) {
      out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
      return this;
    }

    Raw u32(long value) {
      buffer(4, b -> b.putInt((int) value));
      return this;
    }

    Raw u64(long value) {
      buffer(8, b -> b.putLong(value));
      return this;
    }

    Raw string(String text) {
      return u64(text.getBytes(StandardCharsets.UTF_8).length).text(text);
    }

    Raw zeros(int count) {
      out.writeBytes(new byte[count]);
      return this;
    }

    Raw tensor(String name, int type, long offset, long... dims) {
      string(name).u32(dims.length);
      for (long dim : dims) {
        u64(dim);
      }
      return u32(type).u64(offset);
    }

    private void buffer(int size, Consumer<ByteBuffer> put) {
      ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
      put.accept(bytes);
      out.writeBytes(bytes.array());
    }
  }

  private void refused(Raw raw, String... messages) {
    refused(raw, raw.out.size(), messages);
  }

  /** The same of a file that has nothing but zeros behind. */
  private void refused(Raw raw, long size, String... messages) {
    Path path = folder.resolve("bad.gguf");
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(0);
      file.write(raw.out.toByteArray());
      file.setLength(size);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    assertThatThrownBy(() -> GgufFile.open(path).close())
        .isInstanceOf(GgufException.class)
        .hasMessageStartingWith(path + ": ")
        .hasMessageContainingAll(messages)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void wrongBeginnings() {
    refused(new Raw(), "an empty file");
    refused(new Raw().text("GG"), "does not begin with the letters GGUF");
    refused(new Raw().text("GGML").zeros(100), "does not begin with the letters GGUF");
    refused(new Raw().text("GGUF"), "the version");
    refused(new Raw().text("GGUF").zeros(2), "the version");
    refused(new Raw().text("GGUF").u32(0x03000000).zeros(100), "big-endian");
    for (long version : new long[] {0, 1, 4, 1L << 31, -1}) {
      refused(new Raw().text("GGUF").u32(version).zeros(100), "expected 2 or 3");
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32, 65537})
  void impossibleCounts(long count) {
    refused(Raw.header(count, 0), "the number of tensors is " + Long.toUnsignedString(count));
    refused(Raw.header(0, count), "the number of metadata keys is");
  }

  @Test
  void countsThatTheFileCannotHold() {
    refused(Raw.header(2, 0).zeros(60), "truncated: 2 tensors");
    refused(Raw.header(0, 1000).zeros(60), "truncated: 1000 metadata keys");
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32, 101})
  void lengthsBeyondTheFile(long length) {
    refused(Raw.header(0, 1).u64(length).zeros(100), "key 0", Long.toUnsignedString(length));
    refused(Raw.header(0, 1).string("k").u32(STRING).u64(length).zeros(100), "'k'");
    for (ValueType element : ValueType.values()) {
      Raw array = Raw.header(0, 1).string("k").u32(ARRAY).u32(element.id());
      refused(array.u64(length).zeros(100), "'k'", "bytes are left");
    }
    Raw strings = Raw.header(0, 1).string("k").u32(ARRAY).u32(STRING).u64(2).string("fine");
    refused(strings.u64(length).zeros(90), "string 1 of metadata 'k'");
    refused(Raw.header(1, 0).u64(length).zeros(100), "name of tensor 0");
  }

  @Test
  void deepNesting() {
    for (int depth : new int[] {5, 1000, 100_000}) {
      Raw raw = Raw.header(0, 1).string("k").u32(ARRAY);
      for (int i = 0; i < depth; i++) {
        raw.u32(ARRAY).u64(1);
      }
      refused(raw.u32(UINT32).u64(0).zeros(16), "nested deeper than 4");
    }
  }

  @Test
  void keysAndTypes() {
    for (long type : new long[] {13, 255, 1L << 31, -1}) {
      refused(Raw.header(0, 1).string("k").u32(type).zeros(20), "unknown value type");
      refused(Raw.header(0, 1).string("k").u32(ARRAY).u32(type).zeros(20), "unknown value type");
    }
    Raw twice = Raw.header(0, 2).string("k").u32(UINT32).u32(1).string("k").u32(UINT32).u32(1);
    refused(twice, "'k' appears twice");
    refused(Raw.header(0, 1).string("").u32(UINT32).zeros(20), "0 bytes, expected 1 to 65535");
    refused(Raw.header(0, 1).string("k".repeat(65536)).u32(UINT32).zeros(20), "65536 bytes");
    Raw notText = Raw.header(0, 1).u64(2);
    notText.out.writeBytes(new byte[] {(byte) 0xc3, 0x28});
    refused(notText.u32(UINT32).zeros(20), "not valid UTF-8");
    refused(Raw.header(0, 1).string("a\nb\u001b[31m").u32(99).zeros(20), "'a\\u000ab\\u001b[31m'");
  }

  @Test
  void alignments() {
    for (long alignment : new long[] {0, 1, 3, 4, 33, 1L << 31, 0xffffffffL}) {
      Raw raw = Raw.header(0, 1).string("general.alignment").u32(UINT32).u32(alignment);
      refused(raw.zeros(64), "general.alignment is " + alignment, "a power of two");
    }
    int wide = ValueType.UINT64.id();
    Raw raw = Raw.header(0, 1).string("general.alignment").u32(wide).u64(32);
    refused(raw.zeros(64), "of type UINT64, expected UINT32");
    Raw text = Raw.header(0, 1).string("general.alignment").u32(STRING).string("32");
    refused(text.zeros(64), "of type STRING, expected UINT32");
  }

  @Test
  void tensorShapes() {
    int f32 = GgmlType.F32.id();
    refused(Raw.header(1, 0).tensor("t", f32, 0).zeros(200), "0 dimensions, expected 1 to 4");
    refused(Raw.header(1, 0).tensor("t", f32, 0, 1, 1, 1, 1, 1).zeros(200), "5 dimensions");
    Raw many = Raw.header(1, 0).string("t").u32(0xffffffffL).zeros(200);
    refused(many, "4294967295 dimensions");
    refused(Raw.header(1, 0).tensor("t", f32, 0, 0).zeros(200), "dimension 0", "is 0");
    refused(Raw.header(1, 0).tensor("t", f32, 0, 4, -1).zeros(200), "dimension 1", "at least 1");
    for (long[] dims :
        new long[][] {
          {1L << 32, 1L << 32},
          {1L << 62, 4},
          {Long.MAX_VALUE},
          {1L << 21, 1L << 21, 1L << 21, 2},
          {3037000500L, 3037000500L}
        }) {
      refused(Raw.header(1, 0).tensor("t", f32, 0, dims).zeros(200), "too large for any file");
    }
    // fits a long, and no file
    refused(Raw.header(1, 0).tensor("t", f32, 0, 1L << 60).zeros(200), "truncated: tensor 't'");
    refused(Raw.header(1, 0).tensor("t", f32, 0, 1000).zeros(200), "needs 4000 bytes");
  }

  @Test
  void tensorTypesAndNames() {
    for (int type : new int[] {42, 255, Integer.MIN_VALUE, -1}) {
      refused(Raw.header(1, 0).tensor("t", type, 0, 32).zeros(200), "unknown ggml type");
    }
    refused(Raw.header(1, 0).tensor("t", 4, 0, 32).zeros(200), "Q4_2, which ggml has withdrawn");
    int q4k = GgmlType.Q4_K.id();
    refused(Raw.header(1, 0).tensor("t", q4k, 0, 255).zeros(999), "expected a multiple of 256");
    refused(Raw.header(1, 0).tensor("t", q4k, 0, 128, 2).zeros(999), "expected a multiple of 256");
    String name = "n".repeat(65);
    refused(Raw.header(1, 0).tensor(name, 0, 0, 1).zeros(200), "65 bytes, expected 1 to 64");
    refused(Raw.header(1, 0).tensor("", 0, 0, 1).zeros(200), "0 bytes, expected 1 to 64");
    Raw twice = Raw.header(2, 0).tensor("t", 0, 0, 8).tensor("t", 0, 32, 8).zeros(200);
    refused(twice, "'t' appears twice");
  }

  @ParameterizedTest
  @CsvSource({
    "1, multiple of the alignment",
    "31, multiple of the alignment",
    "-32, multiple of the alignment",
    "-9223372036854775808, multiple of the alignment",
    "0, overlaps the one before",
    "32, overlaps the one before",
    "9223372036854775776, truncated",
    "4096, truncated",
  })
  void offsets(long offset, String message) {
    Raw raw = Raw.header(2, 0).tensor("a", 0, 0, 16).tensor("b", 0, offset, 8);
    refused(raw.zeros(300), "'b'", message);
  }

  @Test
  void metadataThatNoModelHas() {
    checkModel("gemma4.block_count", w -> w.putUint32("gemma4.block_count", 0));
    checkModel("blk.2.", w -> w.putUint32("gemma4.block_count", 3).put(PATTERN, new boolean[3]));
    checkModel("gemma4.block_count", w -> w.putUint32("gemma4.block_count", -1));
    checkModel(PATTERN, w -> w.putUint32("gemma4.block_count", 3));
    checkModel("gemma4.attention.head_count", w -> w.putUint32("gemma4.attention.head_count", 0));
    checkModel(
        "gemma4.attention.head_count_kv", w -> w.putUint32("gemma4.attention.head_count_kv", 3));
    checkModel(
        "gemma4.attention.head_count_kv", w -> w.putUint32("gemma4.attention.head_count_kv", 0));
    checkModel(
        "gemma4.attention.sliding_window", w -> w.putUint32("gemma4.attention.sliding_window", 0));
    for (float epsilon : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
      checkModel(EPSILON, w -> w.put(EPSILON, epsilon));
      checkModel("gemma4.rope.freq_base", w -> w.put("gemma4.rope.freq_base", epsilon * 0));
    }
    checkModel("gemma4.embedding_length", w -> w.put("gemma4.embedding_length", 32.5f));
    checkModel("gemma4.embedding_length", w -> w.put("gemma4.embedding_length", "32"));
    checkModel("token_embd.weight", w -> w.putUint32("gemma4.embedding_length", 64));
    for (String width :
        List.of("embedding_length", "feed_forward_length", "embedding_length_per_layer_input")) {
      checkModel("gemma4." + width + " is 40", w -> w.putUint32("gemma4." + width, 40));
    }
    checkModel(
        "gemma4.attention.key_length is 48",
        w -> {
          w.putUint32("gemma4.attention.key_length", 48);
          w.putUint32("gemma4.attention.value_length", 48);
        });
    checkModel("ffn_gate", w -> w.putUint32("gemma4.feed_forward_length", 1 << 19));
    checkModel("gemma4.context_length", w -> w.putUint32("gemma4.context_length", 0));
    checkModel(
        "gemma4.attention.shared_kv_layers",
        w -> w.putUint32("gemma4.attention.shared_kv_layers", 2));
    checkModel("gemma4.expert_used_count", w -> w.putUint32("gemma4.expert_count", 8));
    checkModel("general.architecture", w -> w.put("general.architecture", "qwen9"));
    checkModel("general.architecture", w -> w.putUint32("general.architecture", 4));
  }

  @Test
  void vocabulariesThatNoModelHas() {
    String tokens = "tokenizer.ggml.tokens";
    checkModel(tokens, w -> w.put(tokens, List.of()));
    checkModel(tokens, w -> w.put(tokens, new int[300]));
    checkModel("tokenizer.ggml.token_type", w -> w.put("tokenizer.ggml.token_type", new int[7]));
    for (String key : List.of("tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id")) {
      checkModel(key, w -> w.putUint32(key, 300));
      checkModel(key, w -> w.putUint32(key, -1));
      checkModel(key, w -> w.put(key, "2"));
    }
    checkModel(
        "tokenizer.ggml.merges",
        w -> w.put("tokenizer.ggml.merges", List.of("nospace".getBytes(StandardCharsets.UTF_8))));
    checkModel("tokenizer.ggml.model", w -> w.put("tokenizer.ggml.model", "bert"));
    // one token more than the embedding has rows
    List<byte[]> more = new ArrayList<>();
    for (int i = 0; i < 301; i++) {
      more.add(("t" + i).getBytes(StandardCharsets.UTF_8));
    }
    checkModel(
        "token_embd.weight",
        w ->
            w.put(tokens, more)
                .put("tokenizer.ggml.token_type", kinds(301))
                .putUint32("tokenizer.ggml.unknown_token_id", 0));
  }

  /** A file with holes is large and takes no room. */
  @Test
  void metadataThatFillsMemory() {
    long most = GgufReader.MAX_METADATA_BYTES;
    int bytes = ValueType.UINT8.id();
    refused(
        Raw.header(0, 1).string("k").u32(ARRAY).u32(bytes).u64(most + 1),
        9 * most,
        "metadata 'k' is an array of 268435457 UINT8, expected at most 268435456");
    refused(
        Raw.header(0, 1).string("k").u32(ARRAY).u32(STRING).u64(1 << 28),
        9 * most,
        "metadata 'k' is an array of 268435456 STRING, expected at most 33554432");
    refused(
        Raw.header(0, 1).string("k").u32(ARRAY).u32(bytes).u64(most),
        9 * most,
        "metadata 'k' ends at byte 268435505, expected at most 268435456");
  }

  @Test
  void aTokenOfAMegabyteIsNoTrouble() throws IOException {
    GgufWriter w = SmallModels.gemma4Writer();
    List<byte[]> tokens = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      tokens.add(("t" + i).repeat(i == 280 ? 1 << 18 : 1).getBytes(StandardCharsets.UTF_8));
    }
    w.put("tokenizer.ggml.tokens", tokens)
        .put("tokenizer.ggml.token_type", kinds(300))
        .putUint32("tokenizer.ggml.unknown_token_id", 0);
    Path path = Files.write(folder.resolve("long.gguf"), SmallModels.bytes(w));
    try (Workers workers = new Workers(1)) {
      DamagedFilesTest.use(path, workers);
    }
  }

  private static final String PATTERN = "gemma4.attention.sliding_window_pattern";
  private static final String EPSILON = "gemma4.attention.layer_norm_rms_epsilon";

  private static int[] kinds(int count) {
    int[] kinds = new int[count];
    Arrays.fill(kinds, 1);
    return kinds;
  }

  /** A model that is complete but for one change is refused by an error that names it. */
  private void checkModel(String named, Consumer<GgufWriter> change) {
    GgufWriter w = SmallModels.gemma4Writer();
    change.accept(w);
    Path path = folder.resolve("model.gguf");
    try (Workers workers = new Workers(1)) {
      Files.write(path, SmallModels.bytes(w));
      assertThatThrownBy(() -> DamagedFilesTest.use(path, workers))
          .isInstanceOf(PelicanException.class)
          .hasMessageContaining("model.gguf")
          .hasMessageContaining(named)
          .message()
          .doesNotContain("\n");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    assertThat(path).exists();
  }
}
