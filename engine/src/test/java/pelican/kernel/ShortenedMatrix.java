package pelican.kernel;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import pelican.gguf.GgmlType;
import pelican.quant.BlockFormat;

/**
 * Multiplies with matrices in a file until the kernels are compiled, then shortens the file and
 * multiplies again. A program, since a kernel that the JVM cannot stop at the missing bytes takes
 * the process with it.
 */
public final class ShortenedMatrix {
  private static final int ROWS = 32;
  private static final int COLUMNS = 1024;
  private static final int PAGE = 4096;

  private static final Workers workers = new Workers(1);

  /** Enough for the compiler, whose thresholds the caller lowers. */
  private static final int CALLS = 1000;

  private ShortenedMatrix() {}

  /**
   * @param args the file to work with
   */
  public static void main(String[] args) throws IOException {
    int held = 0;
    for (boolean floatActivations : new boolean[] {false, true}) {
      held += stopped(Path.of(args[0]), KernelChoice.choose(floatActivations));
    }
    System.out.println(held + " products stopped");
  }

  private static int stopped(Path file, Kernels kernels) throws IOException {
    int held = 0;
    for (GgmlType type : GgmlType.values()) {
      if (!BlockFormat.supports(type)) {
        continue;
      }
      for (int tokens : new int[] {1, 3, 5, 8, Activations.SMALL_BATCH + 1}) {
        if (!faults(file, kernels, type, tokens)) {
          System.out.println(type + " with " + tokens + " tokens read beyond the end of the file");
          System.exit(1);
        }
        held++;
      }
    }
    return held;
  }

  private static boolean faults(Path file, Kernels kernels, GgmlType type, int tokens)
      throws IOException {
    BlockFormat format = BlockFormat.of(type);
    long bytes = (long) ROWS * COLUMNS / type.blockSize() * type.blockBytes();
    try (Arena arena = Arena.ofShared();
        FileChannel channel =
            FileChannel.open(
                file,
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
      channel.truncate(0);
      // the matrix ends with a page, and another comes after it
      long end = Math.ceilDiv(bytes, PAGE) * PAGE;
      MemorySegment data =
          channel
              .map(FileChannel.MapMode.READ_WRITE, 0, end + PAGE, arena)
              .asSlice(end - bytes, bytes);
      Matrix w = new Matrix("shortened", format, ROWS, COLUMNS, data);
      Activations x = new Activations().reset(tokens, COLUMNS);
      x.changed();
      float[] out = new float[tokens * ROWS];
      for (int i = 0; i < CALLS / Math.max(1, tokens / 8); i++) {
        kernels.prepare(x, new Matrix[] {w}, workers);
        kernels.multiply(w, 0, ROWS, x, out, 0, ROWS);
      }
      channel.truncate(end);
      try {
        kernels.multiply(w, 0, ROWS, x, out, 0, ROWS);
      } catch (InternalError e) {
        System.out.println(type + " with " + tokens + " tokens: reads behind the matrix");
        System.exit(1);
      }
      // each page's end is elsewhere in a block, so that another read is the first to fail
      for (long left = end - PAGE; left > 0; left -= PAGE) {
        channel.truncate(left);
        try {
          kernels.multiply(w, 0, ROWS, x, out, 0, ROWS);
          return false;
        } catch (InternalError expected) {
          // the JVM's word for a read of what the file no longer has
        }
      }
      return true;
    }
  }
}
