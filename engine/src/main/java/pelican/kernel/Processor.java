package pelican.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** What suits the processor, of which the JVM does not tell all that the system does. */
final class Processor {
  private static final Path DESCRIPTION = Path.of("/proc/cpuinfo");

  private static final Set<String> SPLITTING = Set.of("vendor_id:AuthenticAMD", "cpu family:25");

  private static final VectorShape SHAPE = shape();

  /** The vectors that the kernels use. */
  static final VectorSpecies<Float> FLOATS = VectorSpecies.of(float.class, SHAPE);

  static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, SHAPE);

  private Processor() {}

  /** The JVM's own choice, but for processors that {@link #splits split} what has 512 bits. */
  private static VectorShape shape() {
    VectorShape preferred = VectorShape.preferredShape();
    if (preferred.vectorBitSize() < 512) {
      return preferred;
    }
    try (Stream<String> lines = Files.lines(DESCRIPTION)) {
      return splits(lines) ? VectorShape.S_256_BIT : preferred;
    } catch (IOException | UncheckedIOException e) {
      return preferred; // other systems have no such file
    }
  }

  /**
   * Whether an operation on 512 bits takes as long as two on 256, as on AMD's family 25 (Zen 4).
   * There kernels for 256 bits lose nothing by their size, and multiply integers in place of
   * floats. Elsewhere multiplying ints is what takes two operations, and floats of 512 bits are
   * faster.
   *
   * @param description lines of {@code /proc/cpuinfo}: of each processor a name and a value in each
   */
  static boolean splits(Stream<String> description) {
    return description
            .takeWhile(line -> !line.isBlank())
            .map(line -> line.replaceFirst("\\s*:\\s*", ":"))
            .filter(SPLITTING::contains)
            .count()
        == SPLITTING.size();
  }
}
