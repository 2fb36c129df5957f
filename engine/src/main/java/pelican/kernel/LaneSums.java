package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Sums of eight lanes, kept outside the heap. */
final class LaneSums {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  private LaneSums() {}

  /** Sets sums to zero. */
  static void clear(long sums, int count) {
    for (int i = 0; i < count; i++) {
      FloatVector.zero(F8).intoMemorySegment(Memory.ALL, sums + 32L * i & Memory.ANY, LITTLE);
    }
  }

  /**
   * The sum of eight lanes, in an order of its own: that of a vector's reduction is another one
   * once the method is compiled, and the same prompt would not give the same logits.
   */
  static float sum(long address) {
    long at = address & Memory.ANY;
    float a = Memory.ALL.get(Memory.FLOAT, at) + Memory.ALL.get(Memory.FLOAT, at + 16);
    float b = Memory.ALL.get(Memory.FLOAT, at + 4) + Memory.ALL.get(Memory.FLOAT, at + 20);
    float c = Memory.ALL.get(Memory.FLOAT, at + 8) + Memory.ALL.get(Memory.FLOAT, at + 24);
    float d = Memory.ALL.get(Memory.FLOAT, at + 12) + Memory.ALL.get(Memory.FLOAT, at + 28);
    return a + c + (b + d);
  }
}
