package pelican.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessMemoryTest {
  private static final long SIZE = 64 << 20;

  @TempDir private Path folder;

  @Test
  void addsUpAllButTheFile() throws IOException {
    String smaps =
        """
        7f00-7f10 r--p 00000000 fe:01 123 /models/a b.gguf
        Size:               8000 kB
        Rss:                6000 kB
        Pss:                6000 kB
        Pss_Dirty:             0 kB
        VmFlags: rd mr mw me
        7f10-7f20 rw-p 00000000 00:00 0
        Rss:                 300 kB
        Pss:                 200 kB
        7f20-7f30 r-xp 00001000 fe:01 77 /lib/libc.so
        Pss:                  40 kB
        7f30-7f40 rw-p 00000000 00:00 0 [heap]
        Pss:                   2 kB
        """;
    assertThat(ProcessMemory.beyond(Path.of("/models/a b.gguf"), smaps)).isEqualTo(242 * 1024);
    assertThat(ProcessMemory.beyond(Path.of("/models/a"), smaps)).isEqualTo(6242 * 1024);
  }

  @Test
  void countsWhatThisProcessTakesButNotTheFile() throws IOException {
    assumeTrue(ProcessMemory.isKnown(), "no smaps here");
    Path file = Files.write(folder.resolve("weights"), new byte[(int) SIZE]).toRealPath();
    Path other = folder.resolve("other");
    ProcessHandle self = ProcessHandle.current();
    try (Arena arena = Arena.ofConfined();
        FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      MemorySegment mapped = channel.map(MapMode.READ_ONLY, 0, SIZE, arena);
      long sum = 0;
      for (long at = 0; at < SIZE; at += 4096) {
        sum += mapped.get(ValueLayout.JAVA_BYTE, at);
      }
      assertThat(sum).isZero();
      long without = ProcessMemory.beyond(file, self);
      assertThat(without).isPositive();
      assertThat(ProcessMemory.beyond(other, self) - without).isBetween(SIZE * 3 / 4, SIZE * 5 / 4);
      MemorySegment own = arena.allocate(SIZE);
      own.fill((byte) 1);
      assertThat(ProcessMemory.beyond(file, self) - without).isBetween(SIZE * 3 / 4, SIZE * 5 / 4);
    }
  }
}
