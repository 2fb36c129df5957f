package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import pelican.gguf.GgmlType;

/**
 * Decodes runs of weights to floats for the formats that matter most, eight weights at a time:
 * eight bytes become eight ints in one instruction. Products with many vectors decode each weight
 * once, yet a scalar decoder took a third of their time. Needs vectors of 256 bits; formats without
 * a vector version go to {@link RowDecoder}. One instance for each thread.
 */
final class VectorRowDecoder {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Byte> B8 = ByteVector.SPECIES_64;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;

  private final RowDecoder others = new RowDecoder();
  private float[] scales = new float[8];
  private float[] mins = new float[8];

  /**
   * Decodes the weights [column, column + count) of a row.
   *
   * @param column a multiple of the format's block size, as is {@code count}
   */
  void decode(Matrix w, int row, int column, int count, float[] out, int offset) {
    GgmlType type = w.format().type();
    switch (type) {
      case Q4_K, Q5_K, Q6_K, Q8_0, Q4_0 -> {
        int size = type.blockSize();
        int bytes = type.blockBytes();
        long at = Memory.address(w, row, row + 1) + (long) (column / size) * bytes;
        if (type == GgmlType.Q4_K) {
          q4K(at, count / size, out, offset);
          return;
        }
        for (int i = 0; i < count; i += size) {
          switch (type) {
            case Q5_K -> q5K(at, out, offset + i);
            case Q6_K -> q6K(at, out, offset + i);
            case Q8_0 -> q8(at, out, offset + i);
            default -> q4(at, out, offset + i);
          }
          at += bytes;
        }
      }
      default -> others.decode(w, row, column, count, out, offset);
    }
  }

  private static float half(long at) {
    return Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at));
  }

  /** Eight unsigned bytes as ints. */
  private static IntVector bytes(long at) {
    Memory.mayFault(at);
    return (IntVector)
        ByteVector.fromMemorySegment(B8, Memory.ALL, at, LITTLE)
            .convertShape(VectorOperators.ZERO_EXTEND_B2I, I8, 0);
  }

  private static FloatVector floats(IntVector v) {
    return (FloatVector) v.convertShape(VectorOperators.I2F, F8, 0);
  }

  private void q8(long at, float[] out, int to) {
    float d = half(at);
    for (int i = 0; i < 32; i += 8) {
      ByteVector q = ByteVector.fromMemorySegment(B8, Memory.ALL, at + 2 + i, LITTLE);
      ((FloatVector) q.convertShape(VectorOperators.B2F, F8, 0)).mul(d).intoArray(out, to + i);
    }
  }

  private void q4(long at, float[] out, int to) {
    float d = half(at);
    FloatVector scale = FloatVector.broadcast(F8, d);
    FloatVector off = FloatVector.broadcast(F8, -8 * d);
    for (int i = 0; i < 16; i += 8) {
      IntVector q = bytes(at + 2 + i);
      floats(q.and(15)).fma(scale, off).intoArray(out, to + i);
      floats(q.lanewise(VectorOperators.LSHR, 4)).fma(scale, off).intoArray(out, to + 16 + i);
    }
  }

  /**
   * The scales and, negated, the minimums of the eight groups of a Q4_K or Q5_K super-block.
   *
   * @param o where the first goes
   */
  private void sixBitScales(long at, int o) {
    float d = half(at);
    float dMin = -half(at + 2);
    int a = Memory.ALL.get(Memory.INT, at + 4);
    int b = Memory.ALL.get(Memory.INT, at + 8);
    int c = Memory.ALL.get(Memory.INT, at + 12);
    for (int j = 0; j < 4; j++) {
      int shift = 8 * j;
      scales[o + j] = d * (a >>> shift & 63);
      mins[o + j] = dMin * (b >>> shift & 63);
      scales[o + 4 + j] = d * (c >>> shift & 15 | a >>> shift + 2 & 48);
      mins[o + 4 + j] = dMin * (c >>> shift + 4 & 15 | b >>> shift + 2 & 48);
    }
  }

  /** Some super-blocks, in one loop whose array indices are linear in its variable. */
  private void q4K(long at, int blocks, float[] out, int to) {
    if (scales.length < 8 * blocks) {
      scales = new float[8 * blocks];
      mins = new float[8 * blocks];
    }
    for (int b = 0; b < blocks; b++) {
      sixBitScales(at + 144L * b, 8 * b);
    }
    q4K(at, blocks, scales, mins, out, to);
  }

  private static void q4K(long at, int blocks, float[] scales, float[] mins, float[] out, int to) {
    for (int c = 0; c < 4 * blocks; c++) {
      FloatVector s0 = FloatVector.broadcast(F8, scales[2 * c]);
      FloatVector m0 = FloatVector.broadcast(F8, mins[2 * c]);
      FloatVector s1 = FloatVector.broadcast(F8, scales[2 * c + 1]);
      FloatVector m1 = FloatVector.broadcast(F8, mins[2 * c + 1]);
      long from = at + 32L * c + 16L * ((c >> 2) + 1);
      int o = to + 64 * c;
      IntVector q0 = bytes(from + 0);
      floats(q0.and(15)).fma(s0, m0).intoArray(out, o + 0);
      floats(q0.lanewise(VectorOperators.LSHR, 4)).fma(s1, m1).intoArray(out, o + 32);
      IntVector q1 = bytes(from + 8);
      floats(q1.and(15)).fma(s0, m0).intoArray(out, o + 8);
      floats(q1.lanewise(VectorOperators.LSHR, 4)).fma(s1, m1).intoArray(out, o + 40);
      IntVector q2 = bytes(from + 16);
      floats(q2.and(15)).fma(s0, m0).intoArray(out, o + 16);
      floats(q2.lanewise(VectorOperators.LSHR, 4)).fma(s1, m1).intoArray(out, o + 48);
      IntVector q3 = bytes(from + 24);
      floats(q3.and(15)).fma(s0, m0).intoArray(out, o + 24);
      floats(q3.lanewise(VectorOperators.LSHR, 4)).fma(s1, m1).intoArray(out, o + 56);
    }
  }

  private void q5K(long at, float[] out, int to) {
    sixBitScales(at, 0);
    for (int c = 0; c < 4; c++) {
      FloatVector s0 = FloatVector.broadcast(F8, scales[2 * c]);
      FloatVector m0 = FloatVector.broadcast(F8, mins[2 * c]);
      FloatVector s1 = FloatVector.broadcast(F8, scales[2 * c + 1]);
      FloatVector m1 = FloatVector.broadcast(F8, mins[2 * c + 1]);
      long from = at + 48 + 32L * c;
      int o = to + 64 * c;
      for (int i = 0; i < 32; i += 8) {
        IntVector q = bytes(from + i);
        IntVector high = bytes(at + 16 + i).lanewise(VectorOperators.LSHR, 2 * c);
        IntVector q0 = q.and(15).or(high.and(1).lanewise(VectorOperators.LSHL, 4));
        IntVector q1 =
            q.lanewise(VectorOperators.LSHR, 4).or(high.and(2).lanewise(VectorOperators.LSHL, 3));
        floats(q0).fma(s0, m0).intoArray(out, o + i);
        floats(q1).fma(s1, m1).intoArray(out, o + 32 + i);
      }
    }
  }

  private void q6K(long at, float[] out, int to) {
    float d = half(at + 208);
    for (int part = 0; part < 4; part++) {
      int h = part >> 1;
      // the first or the second 16 bytes of each run of 32
      int second = part & 1;
      long scale = at + 192 + 8 * h + second;
      float f0 = d * Memory.ALL.get(Memory.BYTE, scale);
      float f1 = d * Memory.ALL.get(Memory.BYTE, scale + 2);
      float f2 = d * Memory.ALL.get(Memory.BYTE, scale + 4);
      float f3 = d * Memory.ALL.get(Memory.BYTE, scale + 6);
      long low = at + 64 * h + 16 * second;
      long high = at + 128 + 32 * h + 16 * second;
      int o = to + 128 * h + 16 * second;
      for (int i = 0; i < 16; i += 8) {
        IntVector q = bytes(low + i);
        IntVector r = bytes(low + 32 + i);
        IntVector u = bytes(high + i);
        IntVector q0 = q.and(15).or(u.and(3).lanewise(VectorOperators.LSHL, 4));
        IntVector q1 = r.and(15).or(u.and(12).lanewise(VectorOperators.LSHL, 2));
        IntVector q2 = q.lanewise(VectorOperators.LSHR, 4).or(u.and(48));
        IntVector q3 =
            r.lanewise(VectorOperators.LSHR, 4).or(u.and(192).lanewise(VectorOperators.LSHR, 2));
        floats(q0.sub(32)).mul(f0).intoArray(out, o + i);
        floats(q1.sub(32)).mul(f1).intoArray(out, o + 32 + i);
        floats(q2.sub(32)).mul(f2).intoArray(out, o + 64 + i);
        floats(q3.sub(32)).mul(f3).intoArray(out, o + 96 + i);
      }
    }
  }
}
