package pelican.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Element-wise operations and reductions over floats. */
final class VectorFloats {
  static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  static final int L = S.length();

  private VectorFloats() {}

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
    float sum = a.add(b).reduceLanes(VectorOperators.ADD);
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
      m = m.max(FloatVector.fromArray(S, x, offset + i));
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
