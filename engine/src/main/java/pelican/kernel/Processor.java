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

  private static final boolean KNOWS_512_BITS = VectorShape.preferredShape().vectorBitSize() >= 512;

  /** Whether the JVM knows vectors of 512 bits, and the processor {@link #splits(Stream)} them. */
  private static final boolean SPLITS = KNOWS_512_BITS && splits();

  private static final VectorShape SHAPE =
      SPLITS ? VectorShape.S_256_BIT : VectorShape.preferredShape();

  /** The vectors that the kernels use. */
  static final VectorSpecies<Float> FLOATS = VectorSpecies.of(float.class, SHAPE);

  static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, SHAPE);

  /**
   * How many places of memory kernels read from at once, so that what is fetched ahead by the
   * machine itself comes to more: two or four, unless the property {@code pelican.streams} says
   * which. Four of them share what a long token takes out of the level 1 cache for each, which with
   * two keeps weights waiting by a third. But on Zen 3 four came from memory half as fast at hours
   * when memory was slow.
   */
  static final int STREAMS = Integer.getInteger("pelican.streams", SPLITS ? 4 : 2) >= 4 ? 4 : 2;

  /**
   * Whether shorts are shifted by as many bits as another vector says in one instruction ({@code
   * vpsrlvw}), as the JVM does where it knows vectors of 512 bits. What a shift of ints brings from
   * the next short then needs no mask. A shift of all lanes by the same number would do without,
   * but takes that from a register, and on Zen 4 then one of the two pipes that multiply.
   */
  static final boolean SHIFTS_SHORTS = KNOWS_512_BITS;

  private Processor() {}

  private static boolean splits() {
    try (Stream<String> lines = Files.lines(DESCRIPTION)) {
      return splits(lines);
    } catch (IOException | UncheckedIOException e) {
      return false; // other systems have no such file
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
