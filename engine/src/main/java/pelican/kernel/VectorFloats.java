package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Element-wise operations and reductions over floats. */
final class VectorFloats {
  static final VectorSpecies<Float> S = Processor.FLOATS;
  static final int L = S.length();

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Float> F4 = FloatVector.SPECIES_128;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  private VectorFloats() {}

  /**
   * The sum of the lanes of a vector of species {@link #S} in memory, which is overwritten: its
   * halves are added until one lane is left. A vector's own reduction adds in another order once it
   * is compiled, so that the same input would not always give the same output. Through memory,
   * since a method that takes a vector has it made an object wherever the method is not inlined.
   *
   * @param address of the vector, see {@link Scratch#sums}
   */
  static float sumOfLanes(long address) {
    long at = address & Memory.ANY;
    for (int half = L / 2; half > 8; half /= 2) {
      for (int i = 0; i < half; i++) {
        long to = at + 4L * i & Memory.ANY;
        float upper = Memory.ALL.get(Memory.FLOAT, to + 4L * half);
        Memory.ALL.set(Memory.FLOAT, to, Memory.ALL.get(Memory.FLOAT, to) + upper);
      }
    }
    if (L >= 16) {
      FloatVector.fromMemorySegment(F8, Memory.ALL, at, LITTLE)
          .add(FloatVector.fromMemorySegment(F8, Memory.ALL, at + 32, LITTLE))
          .intoMemorySegment(Memory.ALL, at, LITTLE);
    }
    if (L >= 8) {
      FloatVector.fromMemorySegment(F4, Memory.ALL, at, LITTLE)
          .add(FloatVector.fromMemorySegment(F4, Memory.ALL, at + 16, LITTLE))
          .intoMemorySegment(Memory.ALL, at, LITTLE);
    }
    float a = Memory.ALL.get(Memory.FLOAT, at) + Memory.ALL.get(Memory.FLOAT, at + 8);
    float b = Memory.ALL.get(Memory.FLOAT, at + 4) + Memory.ALL.get(Memory.FLOAT, at + 12);
    return a + b;
  }

  static float sumOfSquares(float[] x, int offset, int size) {
    FloatVector a = FloatVector.zero(S);
    FloatVector b = FloatVector.zero(S);
    int i = 0;
    for (; i <= size - 2 * L; i += 2 * L) {
      FloatVector u = FloatVector.fromArray(S, x, offset + i);
      FloatVector v = FloatVector.fromArray(S, x, offset + i + L);
      a = u.fma(u, a);
      b = v.fma(v, b);
    }
    long sums = Scratch.ofThread().sums();
    a.add(b).intoMemorySegment(Memory.ALL, sums & Memory.ANY, LITTLE);
    float sum = sumOfLanes(sums);
    for (; i < size; i++) {
      sum += x[offset + i] * x[offset + i];
    }
    return sum;
  }

  static void scale(
      float[] x, int xOffset, float[] weight, float scale, float[] out, int outOffset, int size) {
    int i = 0;
    for (; i <= size - L; i += L) {
      FloatVector v = FloatVector.fromArray(S, x, xOffset + i).mul(scale);
      v.mul(FloatVector.fromArray(S, weight, i)).intoArray(out, outOffset + i);
    }
    for (; i < size; i++) {
      out[outOffset + i] = x[xOffset + i] * scale * weight[i];
    }
  }

  static void scale(float[] x, int xOffset, float scale, float[] out, int outOffset, int size) {
    int i = 0;
    for (; i <= size - L; i += L) {
      FloatVector.fromArray(S, x, xOffset + i).mul(scale).intoArray(out, outOffset + i);
    }
    for (; i < size; i++) {
      out[outOffset + i] = x[xOffset + i] * scale;
    }
  }

  static void add(float[] x, int xOffset, float[] y, int yOffset, int size) {
    int i = 0;
    for (; i <= size - L; i += L) {
      FloatVector.fromArray(S, x, xOffset + i)
          .add(FloatVector.fromArray(S, y, yOffset + i))
          .intoArray(x, xOffset + i);
    }
    for (; i < size; i++) {
      x[xOffset + i] += y[yOffset + i];
    }
  }

  static float max(float[] x, int offset, int size) {
    FloatVector m = FloatVector.broadcast(S, Float.NEGATIVE_INFINITY);
    int i = 0;
    for (; i <= size - L; i += L) {
      m = FloatVector.fromArray(S, x, offset + i).max(m);
    }
    float max = m.reduceLanes(VectorOperators.MAX);
    for (; i < size; i++) {
      max = Math.max(max, x[offset + i]);
    }
    return max;
  }

  static void rotate(
      float[] x, int offset, int half, float[] cosines, float[] sines, int angleOffset) {
    int i = 0;
    for (; i <= half - L; i += L) {
      FloatVector a = FloatVector.fromArray(S, x, offset + i);
      FloatVector b = FloatVector.fromArray(S, x, offset + half + i);
      FloatVector cos = FloatVector.fromArray(S, cosines, angleOffset + i);
      FloatVector sin = FloatVector.fromArray(S, sines, angleOffset + i);
      a.mul(cos).sub(b.mul(sin)).intoArray(x, offset + i);
      b.mul(cos).add(a.mul(sin)).intoArray(x, offset + half + i);
    }
    for (; i < half; i++) {
      float a = x[offset + i];
      float b = x[offset + half + i];
      float cos = cosines[angleOffset + i];
      float sin = sines[angleOffset + i];
      x[offset + i] = a * cos - b * sin;
      x[offset + half + i] = b * cos + a * sin;
    }
  }
}
