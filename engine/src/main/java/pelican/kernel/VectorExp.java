package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Exponentials over arrays: {@code e^x = 2^n · e^r} with n = round(x / ln 2) and a polynomial of
 * degree 6 for e^r, |r| ≤ ln 2 / 2 (relative error below 2e-7). Arguments are clamped to ±87, where
 * the result is still a normal number, so nothing here makes an infinity or a NaN of a finite
 * argument. NaN stays NaN by adding v − v, which is 0 for all others: the integer arithmetic on the
 * exponent would make a number of it, and of a damaged file's weights plausible output.
 */
final class VectorExp {
  private static final VectorSpecies<Float> S = Processor.FLOATS;
  private static final VectorSpecies<Integer> I = Processor.INTS;
  private static final int L = S.length();

  private static final float LIMIT = 87f;
  private static final float INVERSE_LN2 = 1.44269504f;
  // ln 2 in two parts: n · LN2_HIGH is exact for the n that occur (Cody and Waite).
  private static final float LN2_HIGH = 0.693359375f;
  private static final float LN2_LOW = -2.12194440e-4f;
  // Adding and subtracting 1.5 · 2^23 rounds to an integer, whose bits stand in the low mantissa.
  private static final float ROUND = 12582912f;

  private static final float GELU_SCALE = 0.7978845608f;
  private static final float GELU_CUBIC = 0.044715f * 0.7978845608f;

  private VectorExp() {}

  /** {@code x[i] = e^(x[i] − max)}; returns the sum. */
  static float expAndSum(float[] x, int offset, int size, float max) {
    FloatVector sum = FloatVector.zero(S);
    int i = 0;
    for (; i <= size - L; i += L) {
      FloatVector v = FloatVector.fromArray(S, x, offset + i).sub(max).max(-LIMIT).min(LIMIT);
      FloatVector shifted = v.mul(INVERSE_LN2).add(ROUND);
      FloatVector n = shifted.sub(ROUND);
      FloatVector r = n.fma(FloatVector.broadcast(S, -LN2_HIGH), v);
      r = n.fma(FloatVector.broadcast(S, -LN2_LOW), r);
      FloatVector p = r.fma(FloatVector.broadcast(S, 1 / 720f), FloatVector.broadcast(S, 1 / 120f));
      p = p.fma(r, FloatVector.broadcast(S, 1 / 24f));
      p = p.fma(r, FloatVector.broadcast(S, 1 / 6f));
      p = p.fma(r, FloatVector.broadcast(S, 0.5f));
      p = p.fma(r, FloatVector.broadcast(S, 1f));
      p = p.fma(r, FloatVector.broadcast(S, 1f));
      IntVector scale = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
      FloatVector e = p.reinterpretAsInts().add(scale).reinterpretAsFloats().add(v.sub(v));
      e.intoArray(x, offset + i);
      sum = e.add(sum);
    }
    long sums = Scratch.ofThread().sums();
    sum.intoMemorySegment(Memory.ALL, sums & Memory.ANY, ByteOrder.LITTLE_ENDIAN);
    float total = VectorFloats.sumOfLanes(sums);
    for (; i < size; i++) {
      float e = (float) Math.exp(Math.clamp(x[offset + i] - max, -LIMIT, LIMIT));
      x[offset + i] = e;
      total += e;
    }
    return total;
  }

  /**
   * {@code gate = gelu_tanh(gate) · up}, with {@code (1 + tanh(u)) / 2 = 1 / (1 + e^(−2u))}: no
   * difference of large numbers, and the clamp keeps the exponential finite for any gate.
   */
  static void geluMultiply(float[] gate, int gateOffset, float[] up, int upOffset, int size) {
    int i = 0;
    for (; i <= size - L; i += L) {
      FloatVector g = FloatVector.fromArray(S, gate, gateOffset + i);
      FloatVector inner =
          g.mul(g)
              .fma(FloatVector.broadcast(S, GELU_CUBIC), FloatVector.broadcast(S, GELU_SCALE))
              .mul(g);
      FloatVector v = inner.mul(-2f).max(-LIMIT).min(LIMIT);
      FloatVector shifted = v.mul(INVERSE_LN2).add(ROUND);
      FloatVector n = shifted.sub(ROUND);
      FloatVector r = n.fma(FloatVector.broadcast(S, -LN2_HIGH), v);
      r = n.fma(FloatVector.broadcast(S, -LN2_LOW), r);
      FloatVector p = r.fma(FloatVector.broadcast(S, 1 / 720f), FloatVector.broadcast(S, 1 / 120f));
      p = p.fma(r, FloatVector.broadcast(S, 1 / 24f));
      p = p.fma(r, FloatVector.broadcast(S, 1 / 6f));
      p = p.fma(r, FloatVector.broadcast(S, 0.5f));
      p = p.fma(r, FloatVector.broadcast(S, 1f));
      p = p.fma(r, FloatVector.broadcast(S, 1f));
      IntVector scale = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
      FloatVector e = p.reinterpretAsInts().add(scale).reinterpretAsFloats();
      FloatVector u = FloatVector.fromArray(S, up, upOffset + i);
      g.div(e.add(1f)).mul(u).intoArray(gate, gateOffset + i);
    }
    for (; i < size; i++) {
      gate[gateOffset + i] = ScalarKernels.gelu(gate[gateOffset + i]) * up[upOffset + i];
    }
  }

  /** {@code x = cap · tanh(x / cap)} as {@code cap · (1 − 2 / (e^(2x/cap) + 1))}. */
  static void softcap(float[] x, int offset, int size, float cap) {
    float twice = 2 / cap;
    int i = 0;
    for (; i <= size - L; i += L) {
      FloatVector v = FloatVector.fromArray(S, x, offset + i).mul(twice).max(-LIMIT).min(LIMIT);
      FloatVector shifted = v.mul(INVERSE_LN2).add(ROUND);
      FloatVector n = shifted.sub(ROUND);
      FloatVector r = n.fma(FloatVector.broadcast(S, -LN2_HIGH), v);
      r = n.fma(FloatVector.broadcast(S, -LN2_LOW), r);
      FloatVector p = r.fma(FloatVector.broadcast(S, 1 / 720f), FloatVector.broadcast(S, 1 / 120f));
      p = p.fma(r, FloatVector.broadcast(S, 1 / 24f));
      p = p.fma(r, FloatVector.broadcast(S, 1 / 6f));
      p = p.fma(r, FloatVector.broadcast(S, 0.5f));
      p = p.fma(r, FloatVector.broadcast(S, 1f));
      p = p.fma(r, FloatVector.broadcast(S, 1f));
      IntVector scale = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
      FloatVector e = p.reinterpretAsInts().add(scale).reinterpretAsFloats().add(v.sub(v));
      e.sub(1f).div(e.add(1f)).mul(cap).intoArray(x, offset + i);
    }
    for (; i < size; i++) {
      x[i + offset] = (float) (cap * Math.tanh(x[i + offset] / cap));
    }
  }
}
