package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Attention over keys and values in half or single precision.
 *
 * <p>A half becomes a float without a conversion instruction (the Vector API of JDK 25 has none):
 * its exponent and mantissa, moved to where a float has them, are the same number times 2^-112,
 * subnormals included; a multiplication puts that right.
 */
final class VectorAttention {
  private static final VectorSpecies<Float> S = Processor.FLOATS;
  private static final VectorSpecies<Integer> I = Processor.INTS;
  private static final int L = S.length();
  private static final int BYTES = S.vectorByteSize();
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

  /** Halves for as many floats as a vector holds; null where the JVM has no vectors so short. */
  private static final VectorSpecies<Short> H =
      S.vectorBitSize() >= 128
          ? VectorSpecies.of(short.class, VectorShape.forBitSize(S.vectorBitSize() / 2))
          : null;

  private static final float HALF_FACTOR = 0x1p112f;
  private static final int HALF_MASK = 0x8fffffff;

  private VectorAttention() {}

  /** Widens halves to floats; the size is a multiple of the vector's length. */
  static void widen(short[] from, int fromOffset, float[] to, int size) {
    for (int i = 0; i < size; i += L) {
      IntVector bits =
          (IntVector)
              ShortVector.fromArray(H, from, fromOffset + i)
                  .convertShape(VectorOperators.S2I, I, 0);
      bits.lanewise(VectorOperators.LSHL, 13)
          .and(HALF_MASK)
          .reinterpretAsFloats()
          .mul(HALF_FACTOR)
          .intoArray(to, i);
    }
  }

  /**
   * Dot products of one key in half precision with eight query rows: as many as leave room for what
   * widens it in 16 registers.
   *
   * @param qOffsets where the rows begin, from {@code row} on
   * @param sums the address of room for eight vectors, {@link Scratch#sums}
   */
  static void scores8(
      float[] q,
      int[] qOffsets,
      int row,
      short[] key,
      int k,
      int size,
      float[] out,
      int outOffset,
      int outStride,
      long sums) {
    int q0 = qOffsets[row];
    int q1 = qOffsets[row + 1];
    int q2 = qOffsets[row + 2];
    int q3 = qOffsets[row + 3];
    int q4 = qOffsets[row + 4];
    int q5 = qOffsets[row + 5];
    int q6 = qOffsets[row + 6];
    int q7 = qOffsets[row + 7];
    FloatVector a0 = FloatVector.zero(S);
    FloatVector a1 = FloatVector.zero(S);
    FloatVector a2 = FloatVector.zero(S);
    FloatVector a3 = FloatVector.zero(S);
    FloatVector a4 = FloatVector.zero(S);
    FloatVector a5 = FloatVector.zero(S);
    FloatVector a6 = FloatVector.zero(S);
    FloatVector a7 = FloatVector.zero(S);
    for (int i = 0; i < size; i += L) {
      IntVector bits =
          (IntVector) ShortVector.fromArray(H, key, k + i).convertShape(VectorOperators.S2I, I, 0);
      FloatVector v =
          bits.lanewise(VectorOperators.LSHL, 13)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_FACTOR);
      a0 = v.fma(FloatVector.fromArray(S, q, q0 + i), a0);
      a1 = v.fma(FloatVector.fromArray(S, q, q1 + i), a1);
      a2 = v.fma(FloatVector.fromArray(S, q, q2 + i), a2);
      a3 = v.fma(FloatVector.fromArray(S, q, q3 + i), a3);
      a4 = v.fma(FloatVector.fromArray(S, q, q4 + i), a4);
      a5 = v.fma(FloatVector.fromArray(S, q, q5 + i), a5);
      a6 = v.fma(FloatVector.fromArray(S, q, q6 + i), a6);
      a7 = v.fma(FloatVector.fromArray(S, q, q7 + i), a7);
    }
    long to = sums & Memory.ANY;
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.intoMemorySegment(Memory.ALL, to + 1 * BYTES, LITTLE);
    a2.intoMemorySegment(Memory.ALL, to + 2 * BYTES, LITTLE);
    a3.intoMemorySegment(Memory.ALL, to + 3 * BYTES, LITTLE);
    a4.intoMemorySegment(Memory.ALL, to + 4 * BYTES, LITTLE);
    a5.intoMemorySegment(Memory.ALL, to + 5 * BYTES, LITTLE);
    a6.intoMemorySegment(Memory.ALL, to + 6 * BYTES, LITTLE);
    a7.intoMemorySegment(Memory.ALL, to + 7 * BYTES, LITTLE);
    for (int r = 0; r < 8; r++) {
      out[outOffset + r * outStride] = VectorFloats.sumOfLanes(sums + r * BYTES);
    }
  }

  /** Adds the weighted values of some positions, in half precision, to eight rows. */
  static void weightedSum8(
      float[] p,
      int p0,
      int pStride,
      short[] values,
      int v,
      int positions,
      int size,
      float[] out,
      int[] outOffsets,
      int row,
      int column) {
    int o0 = column + outOffsets[row];
    int o1 = column + outOffsets[row + 1];
    int o2 = column + outOffsets[row + 2];
    int o3 = column + outOffsets[row + 3];
    int o4 = column + outOffsets[row + 4];
    int o5 = column + outOffsets[row + 5];
    int o6 = column + outOffsets[row + 6];
    int o7 = column + outOffsets[row + 7];
    for (int i = 0; i < size; i += L) {
      FloatVector a0 = FloatVector.fromArray(S, out, o0 + i);
      FloatVector a1 = FloatVector.fromArray(S, out, o1 + i);
      FloatVector a2 = FloatVector.fromArray(S, out, o2 + i);
      FloatVector a3 = FloatVector.fromArray(S, out, o3 + i);
      FloatVector a4 = FloatVector.fromArray(S, out, o4 + i);
      FloatVector a5 = FloatVector.fromArray(S, out, o5 + i);
      FloatVector a6 = FloatVector.fromArray(S, out, o6 + i);
      FloatVector a7 = FloatVector.fromArray(S, out, o7 + i);
      for (int j = 0; j < positions; j++) {
        IntVector bits =
            (IntVector)
                ShortVector.fromArray(H, values, v + j * size + i)
                    .convertShape(VectorOperators.S2I, I, 0);
        FloatVector value =
            bits.lanewise(VectorOperators.LSHL, 13)
                .and(HALF_MASK)
                .reinterpretAsFloats()
                .mul(HALF_FACTOR);
        a0 = value.fma(FloatVector.broadcast(S, p[p0 + j]), a0);
        a1 = value.fma(FloatVector.broadcast(S, p[p0 + pStride + j]), a1);
        a2 = value.fma(FloatVector.broadcast(S, p[p0 + 2 * pStride + j]), a2);
        a3 = value.fma(FloatVector.broadcast(S, p[p0 + 3 * pStride + j]), a3);
        a4 = value.fma(FloatVector.broadcast(S, p[p0 + 4 * pStride + j]), a4);
        a5 = value.fma(FloatVector.broadcast(S, p[p0 + 5 * pStride + j]), a5);
        a6 = value.fma(FloatVector.broadcast(S, p[p0 + 6 * pStride + j]), a6);
        a7 = value.fma(FloatVector.broadcast(S, p[p0 + 7 * pStride + j]), a7);
      }
      a0.intoArray(out, o0 + i);
      a1.intoArray(out, o1 + i);
      a2.intoArray(out, o2 + i);
      a3.intoArray(out, o3 + i);
      a4.intoArray(out, o4 + i);
      a5.intoArray(out, o5 + i);
      a6.intoArray(out, o6 + i);
      a7.intoArray(out, o7 + i);
    }
  }

  /**
   * Dot products of one key with four query rows.
   *
   * @param qOffsets where the rows begin, from {@code row} on
   * @param sums the address of room for four vectors, {@link Scratch#sums}
   */
  static void scores4(
      float[] q,
      int[] qOffsets,
      int row,
      float[] key,
      int k,
      int size,
      float[] out,
      int outOffset,
      int outStride,
      long sums) {
    int q0 = qOffsets[row];
    int q1 = qOffsets[row + 1];
    int q2 = qOffsets[row + 2];
    int q3 = qOffsets[row + 3];
    FloatVector a0 = FloatVector.zero(S);
    FloatVector a1 = FloatVector.zero(S);
    FloatVector a2 = FloatVector.zero(S);
    FloatVector a3 = FloatVector.zero(S);
    for (int i = 0; i < size; i += L) {
      FloatVector v = FloatVector.fromArray(S, key, k + i);
      a0 = v.fma(FloatVector.fromArray(S, q, q0 + i), a0);
      a1 = v.fma(FloatVector.fromArray(S, q, q1 + i), a1);
      a2 = v.fma(FloatVector.fromArray(S, q, q2 + i), a2);
      a3 = v.fma(FloatVector.fromArray(S, q, q3 + i), a3);
    }
    long to = sums & Memory.ANY;
    a0.intoMemorySegment(Memory.ALL, to, LITTLE);
    a1.intoMemorySegment(Memory.ALL, to + 1 * BYTES, LITTLE);
    a2.intoMemorySegment(Memory.ALL, to + 2 * BYTES, LITTLE);
    a3.intoMemorySegment(Memory.ALL, to + 3 * BYTES, LITTLE);
    out[outOffset] = VectorFloats.sumOfLanes(sums);
    out[outOffset + outStride] = VectorFloats.sumOfLanes(sums + 1 * BYTES);
    out[outOffset + 2 * outStride] = VectorFloats.sumOfLanes(sums + 2 * BYTES);
    out[outOffset + 3 * outStride] = VectorFloats.sumOfLanes(sums + 3 * BYTES);
  }

  /**
   * The dot product of one key with one query row.
   *
   * @param sums the address of room for a vector, {@link Scratch#sums}
   */
  static float score(float[] q, int q0, float[] key, int k, int size, long sums) {
    FloatVector a = FloatVector.zero(S);
    for (int i = 0; i < size; i += L) {
      a = FloatVector.fromArray(S, key, k + i).fma(FloatVector.fromArray(S, q, q0 + i), a);
    }
    a.intoMemorySegment(Memory.ALL, sums & Memory.ANY, LITTLE);
    return VectorFloats.sumOfLanes(sums);
  }

  /** Adds the weighted values of some positions to four rows. */
  static void weightedSum4(
      float[] p,
      int p0,
      int pStride,
      float[] values,
      int v,
      int positions,
      int size,
      float[] out,
      int[] outOffsets,
      int row,
      int column) {
    int o0 = column + outOffsets[row];
    int o1 = column + outOffsets[row + 1];
    int o2 = column + outOffsets[row + 2];
    int o3 = column + outOffsets[row + 3];
    for (int i = 0; i < size; i += L) {
      FloatVector a0 = FloatVector.fromArray(S, out, o0 + i);
      FloatVector a1 = FloatVector.fromArray(S, out, o1 + i);
      FloatVector a2 = FloatVector.fromArray(S, out, o2 + i);
      FloatVector a3 = FloatVector.fromArray(S, out, o3 + i);
      for (int j = 0; j < positions; j++) {
        FloatVector value = FloatVector.fromArray(S, values, v + j * size + i);
        a0 = value.fma(FloatVector.broadcast(S, p[p0 + j]), a0);
        a1 = value.fma(FloatVector.broadcast(S, p[p0 + pStride + j]), a1);
        a2 = value.fma(FloatVector.broadcast(S, p[p0 + 2 * pStride + j]), a2);
        a3 = value.fma(FloatVector.broadcast(S, p[p0 + 3 * pStride + j]), a3);
      }
      a0.intoArray(out, o0 + i);
      a1.intoArray(out, o1 + i);
      a2.intoArray(out, o2 + i);
      a3.intoArray(out, o3 + i);
    }
  }

  /** Adds the weighted values of some positions to one row. */
  static void weightedSum1(
      float[] p, int p0, float[] values, int v, int positions, int size, float[] out, int o0) {
    for (int i = 0; i < size; i += L) {
      FloatVector a0 = FloatVector.fromArray(S, out, o0 + i);
      for (int j = 0; j < positions; j++) {
        FloatVector value = FloatVector.fromArray(S, values, v + j * size + i);
        a0 = value.fma(FloatVector.broadcast(S, p[p0 + j]), a0);
      }
      a0.intoArray(out, o0 + i);
    }
  }
}
