package pelican.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory that is mapped and no longer backed by the file cannot be read any more. */
class ShortenedGgufTest {
  private static final int NUMBERS = 10_000;
  private static final int DATA = 40_000;

  /** Enough for the last compiler, whose code meets missing memory in ways of its own. */
  private static final int READS = 20_000;

  private static final int TRIES = 400;

  @TempDir private Path folder;

  private Path path;

  @BeforeEach
  void linux() {
    // elsewhere a mapped file cannot be shortened, or is read in other ways
    assumeTrue(System.getProperty("os.name").equals("Linux"));
    path = folder.resolve("shrinking.gguf");
  }

  private void write() {
    List<byte[]> words = new ArrayList<>();
    for (int i = 0; i < NUMBERS; i++) {
      words.add(("word " + i).getBytes(StandardCharsets.UTF_8));
    }
    try {
      new GgufWriter()
          .put("words", words)
          .put("numbers", new int[NUMBERS])
          .put("number", ValueType.INT32, new byte[] {-5, -1, -1, -1})
          .put("text", "x".repeat(NUMBERS))
          .tensor("t", GgmlType.I8, new long[] {DATA}, out -> out.write(new byte[DATA]))
          .write(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void truncate(long left) {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      channel.truncate(left);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void metadataStaysAsItWas() {
    write();
    try (GgufFile file = GgufFile.open(path)) {
      truncate(100);
      GgufMetadata metadata = file.metadata();
      assertThat(metadata.strings("words").get(NUMBERS - 1)).isEqualTo("word 9999");
      assertThat(metadata.integers("numbers")).hasSize(NUMBERS).containsOnly(0);
      assertThat(metadata.longInteger("number")).isEqualTo(-5);
      assertThat(metadata.string("text")).isEqualTo("x".repeat(NUMBERS));
      assertThatThrownBy(() -> GgufFile.open(path)).isInstanceOf(GgufException.class);
      Path copy = folder.resolve("copy.gguf");
      new GgufWriter().copy(metadata, "words").write(copy);
      try (GgufFile copied = GgufFile.open(copy)) {
        assertThat(copied.metadata().strings("words")).isEqualTo(metadata.strings("words"));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whatever is read last, and by whichever compiler's code: the error is thrown in time. */
  @Test
  void dataThatIsMissingIsSaid() {
    for (int times : new int[] {0, READS / 10, READS}) {
      write();
      try (GgufFile file = GgufFile.open(path)) {
        MemorySegment data = file.data(file.tensor("t"));
        long sum = 0;
        for (int i = 0; i < times; i++) {
          sum += last(file, data) + file.reading(() -> data.toArray(ValueLayout.JAVA_BYTE)).length;
        }
        assertThat(sum).isEqualTo((long) times * DATA);
        truncate(100);
        for (int i = 0; i < 3; i++) {
          assertThatThrownBy(() -> last(file, data))
              .isInstanceOf(GgufException.class)
              .hasMessageContaining("shrinking.gguf: the file became shorter");
          assertThatThrownBy(() -> file.reading(() -> data.toArray(ValueLayout.JAVA_BYTE)))
              .isInstanceOf(GgufException.class)
              .hasMessageContaining("shrinking.gguf: the file became shorter");
        }
      }
    }
  }

  private static long last(GgufFile file, MemorySegment data) {
    return file.reading(() -> data.get(ValueLayout.JAVA_LONG_UNALIGNED, DATA - Long.BYTES));
  }

  /** At whatever moment another process does it. */
  @Test
  void aFileThatIsShortenedWhileItIsOpened() throws InterruptedException {
    int opened = 0;
    for (int i = 0; i < TRIES; i++) {
      write();
      CountDownLatch start = new CountDownLatch(1);
      Thread shortener =
          Thread.ofPlatform()
              .start(() -> {
                start.countDown();
                truncate(100);
              });
      start.await();
      try (GgufFile file = GgufFile.open(path)) {
        assertThat(file.metadata().longInteger("number")).isEqualTo(-5);
        opened++;
      } catch (GgufException e) {
        assertThat(e).hasMessageContaining("shrinking.gguf");
      }
      shortener.join();
    }
    assertThat(opened).isLessThan(TRIES);
  }
}
