package pelican.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pelican.engine.PelicanException;
import pelican.gemma.Batch;
import pelican.gemma.GemmaConfig;
import pelican.gemma.GemmaModel;
import pelican.gemma.KvCache;
import pelican.kernel.ScalarKernels;
import pelican.kernel.Workers;
import pelican.tokenizer.Tokenizer;

/** Whatever stands in a file: it is read, or refused by an error of our own. */
class DamagedFilesTest {
  private static final int MUTANTS = 20_000;

  /** More than a file's size that reading it may allocate. */
  private static final long ALLOWANCE = 64L << 20;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir private Path folder;

  /** The ways in which a file is damaged. */
  private enum Mutation {
    FLIP_BITS,
    SET_BYTES,
    EXTREME_NUMBER,
    TRUNCATE,
    DELETE_BYTES,
    INSERT_BYTES,
    COPY_WITHIN,
    SWAP_STRINGS
  }

  @Test
  void mutantsAreReadOrRefused() throws IOException {
    List<byte[]> originals = List.of(SmallModels.gemma4(), SmallModels.everyType());
    Random random = new Random(20261124);
    Path file = folder.resolve("mutant.gguf");
    int refused = 0;
    int ran = 0;
    try (Workers workers = new Workers(1)) {
      for (int i = 0; i < MUTANTS; i++) {
        Mutation mutation = Mutation.values()[i % Mutation.values().length];
        byte[] mutant = mutate(originals.get(i / 8 % 2).clone(), mutation, random);
        Files.write(file, mutant);
        long before = THREADS.getCurrentThreadAllocatedBytes();
        try {
          use(file, workers);
          ran++;
        } catch (PelicanException e) {
          assertThat(e.getMessage()).doesNotContain("\n").contains("mutant.gguf");
          refused++;
        } catch (Throwable t) {
          Files.write(Path.of("target", "mutant-" + i + ".gguf"), mutant);
          throw new AssertionError("mutant " + i + ", " + mutation, t);
        }
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
        assertThat(allocated).as("mutant " + i).isLessThan(mutant.length + ALLOWANCE);
      }
    }
    assertThat(refused).isGreaterThan(MUTANTS / 4);
    assertThat(ran).isGreaterThan(MUTANTS / 20);
  }

  /** Reads everything that a run reads, and runs a token if that is possible. */
  static void use(Path path, Workers workers) {
    try (GgufFile file = GgufFile.open(path)) {
      for (String key : file.metadata().keys()) {
        assertThat(file.metadata().get(key)).isNotNull();
      }
      for (TensorInfo tensor : file.tensors().values()) {
        assertThat(file.data(tensor).byteSize()).isEqualTo(tensor.byteSize());
      }
      Tokenizer.from(file.metadata()).encode("abc", true);
      GemmaModel model = new GemmaModel(file, new ScalarKernels("test"), workers);
      KvCache cache = model.newCache(4, true);
      model.forward(new Batch().add(cache, 1, false).add(cache, 2, true));
    }
  }

  private static byte[] mutate(byte[] file, Mutation mutation, Random random) {
    // Most of what can go wrong is in the header, which is less than half of these files.
    int at = random.nextInt(random.nextInt(4) == 0 ? file.length : Math.min(file.length, 8000));
    int length = 1 + random.nextInt(16);
    switch (mutation) {
      case FLIP_BITS -> {
        for (int i = 0; i < length; i++) {
          file[Math.min(file.length - 1, at + i)] ^= (byte) (1 << random.nextInt(8));
        }
      }
      case SET_BYTES -> {
        byte value = (byte) (random.nextBoolean() ? 0xff : random.nextInt(256));
        Arrays.fill(file, at, Math.min(file.length, at + length), value);
      }
      case EXTREME_NUMBER -> {
        long[] extremes = {0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 32, 1L << 62, 255};
        ByteBuffer.wrap(file)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(Math.min(at, file.length - 8), extremes[random.nextInt(extremes.length)]);
      }
      case TRUNCATE -> {
        return Arrays.copyOf(file, random.nextInt(file.length));
      }
      case DELETE_BYTES -> {
        return spliced(file, at, Math.min(file.length, at + length), new byte[0]);
      }
      case INSERT_BYTES -> {
        byte[] inserted = new byte[length];
        random.nextBytes(inserted);
        return spliced(file, at, at, inserted);
      }
      case COPY_WITHIN -> {
        int from = random.nextInt(file.length);
        int size = Math.min(random.nextInt(200), file.length - Math.max(from, at));
        System.arraycopy(file, from, file, at, size);
      }
      case SWAP_STRINGS -> {
        String text = new String(file, StandardCharsets.ISO_8859_1);
        List<String> words = List.of("F32", "gemma4", "blk.0", "attn_q", "weight", "token", "ggml");
        String from = words.get(random.nextInt(words.size()));
        String to = words.get(random.nextInt(words.size()));
        int found = text.indexOf(from, at);
        if (found >= 0 && found + to.length() < file.length) {
          System.arraycopy(to.getBytes(StandardCharsets.ISO_8859_1), 0, file, found, to.length());
        }
      }
    }
    return file;
  }

  private static byte[] spliced(byte[] file, int from, int to, byte[] replacement) {
    byte[] result = new byte[file.length - (to - from) + replacement.length];
    System.arraycopy(file, 0, result, 0, from);
    System.arraycopy(replacement, 0, result, from, replacement.length);
    System.arraycopy(file, to, result, from + replacement.length, file.length - to);
    return result;
  }

  @Test
  void undamagedFilesAreRead() throws IOException {
    Path file = Files.write(folder.resolve("small.gguf"), SmallModels.gemma4());
    try (Workers workers = new Workers(1)) {
      use(file, workers);
    }
  }

  /** The header of a file that another program wrote, before data that is all zeros. */
  @Test
  void damagedHeadersOfARealFileAreReadOrRefused() throws IOException {
    Path golden = GoldenFilesTest.golden("tiny-Q4_K_M.gguf");
    byte[] header;
    try (GgufFile file = GgufFile.open(golden)) {
      long end = file.tensors().values().iterator().next().offset();
      header = Arrays.copyOf(Files.readAllBytes(golden), (int) end);
    }
    Random random = new Random(4);
    Path path = folder.resolve("header.gguf");
    int refused = 0;
    for (int i = 0; i < 2_000; i++) {
      Mutation mutation = Mutation.values()[i % Mutation.values().length];
      byte[] mutant = mutate(header.clone(), mutation, random);
      try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
        file.setLength(0);
        file.write(mutant);
        file.setLength(Files.size(golden));
      }
      long before = THREADS.getCurrentThreadAllocatedBytes();
      try (GgufFile file = GgufFile.open(path)) {
        for (String key : file.metadata().keys()) {
          file.metadata().get(key);
        }
        GemmaConfig.from(file);
        Tokenizer.from(file.metadata());
      } catch (PelicanException e) {
        assertThat(e.getMessage()).doesNotContain("\n").contains("header.gguf");
        refused++;
      }
      long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
      assertThat(allocated).as("mutant " + i).isLessThan(Files.size(golden) + ALLOWANCE);
    }
    assertThat(refused).isBetween(100, 1_999);
  }

  @Test
  void aCutFileNamesWhatIsMissing() throws IOException {
    byte[] whole = SmallModels.gemma4();
    Random random = new Random(1);
    for (int i = 0; i < 200; i++) {
      Path file = folder.resolve("cut.gguf");
      Files.write(file, Arrays.copyOf(whole, random.nextInt(whole.length - 32)));
      assertThatThrownBy(() -> GgufFile.open(file))
          .isInstanceOf(GgufException.class)
          .hasMessageContaining("cut.gguf");
    }
  }

  @Test
  void aFileCutAnywhereInItsHeaderIsRefused() throws IOException {
    byte[] whole = SmallModels.everyType();
    Path file = folder.resolve("cut.gguf");
    for (int length = whole.length - 32; length >= 0; length--) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> GgufFile.open(file))
          .isInstanceOf(GgufException.class)
          .hasMessageContaining("cut.gguf");
    }
  }

  @Test
  void aRealFileCutAtAnyPlaceIsRefused() throws IOException {
    Path path = folder.resolve("cut.gguf");
    Files.copy(GoldenFilesTest.golden("tiny-Q4_K_M.gguf"), path);
    long size = Files.size(path);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      List<Long> cuts = new Random(2).longs(200, 0, size - 32).boxed().sorted().toList();
      for (long cut : cuts.reversed()) {
        channel.truncate(cut);
        assertThatThrownBy(() -> GgufFile.open(path))
            .isInstanceOf(GgufException.class)
            .hasMessageContaining("cut.gguf");
      }
    }
  }

  @Test
  void valuesOfEveryTypeComeBack() throws IOException {
    Path path = Files.write(folder.resolve("types.gguf"), SmallModels.everyType());
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.metadata().string("a.text")).isEqualTo("x");
      assertThat(file.metadata().bool("a.flag")).isTrue();
      assertThat(file.metadata().floating("a.float")).isEqualTo(1.5f);
      assertThat(file.metadata().integers("a.ints")).containsExactly(1, 2, 3);
      assertThat(file.metadata().floats("a.floats")).containsExactly(1, 2);
      assertThat(file.metadata().booleansPerLayer("a.flags", 2)).containsExactly(true, false);
      assertThat(file.metadata().strings("a.texts")).containsExactly("A", "", "BC");
      assertThat(file.tensor("t").dims()).containsExactly(3L, 2L, 2L);
      for (ValueType type : ValueType.values()) {
        if (type.isInteger()) {
          assertThat(file.metadata().longInteger("b." + type)).isZero();
        }
      }
    }
  }
}
