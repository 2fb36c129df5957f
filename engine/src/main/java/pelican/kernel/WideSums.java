package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** Sums of sixteen lanes, kept outside the heap, which {@link WideProducts} leave of each row. */
final class WideSums {
  static final int BYTES = 64;

  /** Sums whose lanes are added at a time; as many are read, however few are wanted. */
  static final int COUNT = 16;

  /** Room that adding them takes. */
  static final int SCRATCH_BYTES = BYTES * COUNT / 4;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;

  /** For halves of 8, 4, 2 and 1 lanes: which lanes of two vectors are first halves, and second. */
  private static final int[] HALVES = new int[4 * 2 * 16];

  static {
    for (int level = 0; level < 4; level++) {
      int half = 8 >> level;
      for (int i = 0; i < 16; i++) {
        int inVector = i & 7;
        int first = (i & 8) * 2 + inVector / half * 2 * half + inVector % half;
        HALVES[32 * level + i] = first;
        HALVES[32 * level + 16 + i] = first + half;
      }
    }
  }

  private WideSums() {}

  /** Sets sums to zero. */
  static void clear(long sums, int count) {
    for (int i = 0; i < count; i++) {
      FloatVector.zero(F16)
          .intoMemorySegment(Memory.ALL, sums + (long) BYTES * i & Memory.ANY, LITTLE);
    }
  }

  /**
   * Adds the lanes of up to {@link #COUNT} sums, in four steps: each adds halves of what is left of
   * two, which are then the halves of one vector.
   *
   * @param sums the address of the first
   * @param distance how many bytes after each the next one is
   * @param scratch the address of {@link #SCRATCH_BYTES}
   */
  static void store(long sums, long distance, long scratch, float[] out, int offset, int count) {
    for (int i = 0; i < COUNT / 4; i++) {
      joined(sums + 4 * distance * i, distance, 0)
          .intoMemorySegment(Memory.ALL, scratch + (long) BYTES * i & Memory.ANY, LITTLE);
    }
    joined(scratch, BYTES, 2)
        .reinterpretAsFloats()
        .mul(0x1p-16f)
        .intoArray(out, offset, F16.indexInRange(0, count));
  }

  /** Four sums as quarters of one, in two steps. */
  private static IntVector joined(long from, long distance, int level) {
    long at = from & Memory.ANY;
    long next = at + distance & Memory.ANY;
    long third = next + distance & Memory.ANY;
    long last = third + distance & Memory.ANY;
    IntVector first = IntVector.fromArray(I16, HALVES, 32 * level);
    IntVector second = IntVector.fromArray(I16, HALVES, 32 * level + 16);
    IntVector a = IntVector.fromMemorySegment(I16, Memory.ALL, at, LITTLE);
    IntVector b = IntVector.fromMemorySegment(I16, Memory.ALL, next, LITTLE);
    IntVector c = IntVector.fromMemorySegment(I16, Memory.ALL, third, LITTLE);
    IntVector d = IntVector.fromMemorySegment(I16, Memory.ALL, last, LITTLE);
    a =
        first
            .selectFrom(a, b)
            .reinterpretAsFloats()
            .add(second.selectFrom(a, b).reinterpretAsFloats())
            .reinterpretAsInts();
    c =
        first
            .selectFrom(c, d)
            .reinterpretAsFloats()
            .add(second.selectFrom(c, d).reinterpretAsFloats())
            .reinterpretAsInts();
    first = IntVector.fromArray(I16, HALVES, 32 * level + 32);
    second = IntVector.fromArray(I16, HALVES, 32 * level + 48);
    return first
        .selectFrom(a, c)
        .reinterpretAsFloats()
        .add(second.selectFrom(a, c).reinterpretAsFloats())
        .reinterpretAsInts();
  }
}
