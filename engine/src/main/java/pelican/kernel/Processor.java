package pelican.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** What suits the processor, of which the JVM does not tell all that the system does. */
final class Processor {
  private static final Path DESCRIPTION = Path.of("/proc/cpuinfo");

  private static final String AMD = "vendor_id:AuthenticAMD";

  private static final Set<String> SPLITTING = Set.of(AMD, "cpu family:25");

  private static final Set<String> MULTIPLYING = Set.of(AMD, "cpu family:26");

  private static final boolean KNOWS_512_BITS = VectorShape.preferredShape().vectorBitSize() >= 512;

  /** Whether the JVM knows vectors of 512 bits, and the processor {@link #splits(Stream)} them. */
  private static final boolean SPLITS = KNOWS_512_BITS && is(Processor::splits);

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

  /**
   * Whether products of integers use vectors of 512 bits in place of 256: where the JVM knows them
   * and the processor {@link #multipliesWideInts(Stream)}, unless the property {@code
   * pelican.integer.bits} says which.
   */
  static final boolean WIDE_INTEGERS =
      KNOWS_512_BITS
          && Integer.getInteger(
                  "pelican.integer.bits", is(Processor::multipliesWideInts) ? 512 : 256)
              >= 512;

  private Processor() {}

  private static boolean is(Predicate<Stream<String>> kind) {
    try (Stream<String> lines = Files.lines(DESCRIPTION)) {
      return kind.test(lines);
    } catch (IOException | UncheckedIOException e) {
      return false; // other systems have no such file
    }
  }

  /**
   * Whether an operation on 512 bits takes as long as two on 256, as on AMD's family 25 (Zen 4).
   * There kernels for 256 bits lose nothing by their size, and multiply integers in place of
   * floats. On Intel's multiplying ints is what takes two operations, and floats of 512 bits are
   * faster.
   *
   * @param description lines of {@code /proc/cpuinfo}: of each processor a name and a value in each
   */
  static boolean splits(Stream<String> description) {
    return hasAll(SPLITTING, description);
  }

  /**
   * Whether it multiplies ints of 512 bits as fast as floats, as AMD's family 26 (Zen 5) does:
   * twice as many at a time as of 256.
   *
   * @param description as for {@link #splits(Stream)}
   */
  static boolean multipliesWideInts(Stream<String> description) {
    return hasAll(MULTIPLYING, description);
  }

  private static boolean hasAll(Set<String> values, Stream<String> description) {
    return description
            .takeWhile(line -> !line.isBlank())
            .map(line -> line.replaceFirst("\\s*:\\s*", ":"))
            .filter(values::contains)
            .count()
        == values.size();
  }
}
