package pelican.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import pelican.gguf.GgmlType;

/**
 * Decodes rows of weights to floats for the formats that matter most: plain loops over arrays,
 * which the compiler turns into vector code, where the specification in {@link pelican.quant} goes
 * weight by weight. One instance for each thread.
 */
final class RowDecoder {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private byte[] bytes = new byte[0];
  private short[] halves = new short[0];
  private final int[] scales = new int[8];
  private final int[] mins = new int[8];

  /**
   * Decodes the weights [column, column + count) of a row.
   *
   * @param column a multiple of the format's block size, as is {@code count}
   */
  void decode(Matrix w, int row, int column, int count, float[] out, int offset) {
    GgmlType type = w.format().type();
    MemorySegment data = w.data();
    long at = w.rowOffset(row) + (long) (column / type.blockSize()) * type.blockBytes();
    switch (type) {
      case F32 -> MemorySegment.copy(data, FLOAT, at, out, offset, count);
      case F16 -> {
        loadHalves(data, at, count);
        for (int i = 0; i < count; i++) {
          out[offset + i] = Float.float16ToFloat(halves[i]);
        }
      }
      case BF16 -> {
        loadHalves(data, at, count);
        for (int i = 0; i < count; i++) {
          out[offset + i] = Float.intBitsToFloat(halves[i] << 16);
        }
      }
      case Q8_0, Q4_0, Q4_K, Q5_K, Q6_K -> {
        int blocks = count / type.blockSize();
        load(data, at, blocks * type.blockBytes());
        for (int b = 0; b < blocks; b++) {
          int from = b * type.blockBytes();
          int to = offset + b * type.blockSize();
          switch (type) {
            case Q8_0 -> q8(from, out, to);
            case Q4_0 -> q4(from, out, to);
            case Q4_K -> q4K(from, out, to);
            case Q5_K -> q5K(from, out, to);
            default -> q6K(from, out, to);
          }
        }
      }
      default -> w.format().dequantize(data, at, out, offset, count);
    }
  }

  private void load(MemorySegment data, long at, int count) {
    if (bytes.length < count) {
      bytes = new byte[count];
    }
    MemorySegment.copy(data, ValueLayout.JAVA_BYTE, at, bytes, 0, count);
  }

  private void loadHalves(MemorySegment data, long at, int count) {
    if (halves.length < count) {
      halves = new short[count];
    }
    MemorySegment.copy(data, Memory.SHORT, at, halves, 0, count);
  }

  private float half(int at) {
    return Float.float16ToFloat((short) (bytes[at] & 0xff | bytes[at + 1] << 8));
  }

  private void q8(int from, float[] out, int to) {
    byte[] in = bytes;
    float d = half(from);
    for (int i = 0; i < 32; i++) {
      out[to + i] = d * in[from + 2 + i];
    }
  }

  private void q4(int from, float[] out, int to) {
    byte[] in = bytes;
    float d = half(from);
    for (int i = 0; i < 16; i++) {
      out[to + i] = d * ((in[from + 2 + i] & 15) - 8);
    }
    for (int i = 0; i < 16; i++) {
      out[to + 16 + i] = d * ((in[from + 2 + i] >> 4 & 15) - 8);
    }
  }

  private void sixBitScales(int from) {
    byte[] in = bytes;
    for (int j = 0; j < 4; j++) {
      int a = in[from + 4 + j];
      int b = in[from + 8 + j];
      int c = in[from + 12 + j];
      scales[j] = a & 63;
      mins[j] = b & 63;
      scales[4 + j] = c & 15 | a >> 2 & 48;
      mins[4 + j] = c >> 4 & 15 | b >> 2 & 48;
    }
  }

  private void q4K(int from, float[] out, int to) {
    byte[] in = bytes;
    float d = half(from);
    float dMin = half(from + 2);
    sixBitScales(from);
    for (int c = 0; c < 4; c++) {
      int q = from + 16 + 32 * c;
      int o = to + 64 * c;
      float s0 = d * scales[2 * c];
      float m0 = dMin * mins[2 * c];
      float s1 = d * scales[2 * c + 1];
      float m1 = dMin * mins[2 * c + 1];
      for (int i = 0; i < 32; i++) {
        out[o + i] = s0 * (in[q + i] & 15) - m0;
      }
      for (int i = 0; i < 32; i++) {
        out[o + 32 + i] = s1 * (in[q + i] >> 4 & 15) - m1;
      }
    }
  }

  private void q5K(int from, float[] out, int to) {
    byte[] in = bytes;
    float d = half(from);
    float dMin = half(from + 2);
    sixBitScales(from);
    int high = from + 16;
    for (int c = 0; c < 4; c++) {
      int q = from + 48 + 32 * c;
      int o = to + 64 * c;
      float s0 = d * scales[2 * c];
      float m0 = dMin * mins[2 * c];
      float s1 = d * scales[2 * c + 1];
      float m1 = dMin * mins[2 * c + 1];
      int bit = 2 * c;
      for (int i = 0; i < 32; i++) {
        out[o + i] = s0 * (in[q + i] & 15 | (in[high + i] >> bit & 1) << 4) - m0;
      }
      for (int i = 0; i < 32; i++) {
        out[o + 32 + i] = s1 * (in[q + i] >> 4 & 15 | (in[high + i] >> bit + 1 & 1) << 4) - m1;
      }
    }
  }

  private void q6K(int from, float[] out, int to) {
    float d = half(from + 208);
    for (int h = 0; h < 2; h++) {
      int low = from + 64 * h;
      int high = from + 128 + 32 * h;
      int scale = from + 192 + 8 * h;
      int o = to + 128 * h;
      for (int part = 0; part < 2; part++) {
        float s0 = d * bytes[scale + part];
        float s1 = d * bytes[scale + 2 + part];
        float s2 = d * bytes[scale + 4 + part];
        float s3 = d * bytes[scale + 6 + part];
        q6Sixteen(low + 16 * part, high + 16 * part, 0, 0, s0, out, o + 16 * part);
        q6Sixteen(low + 32 + 16 * part, high + 16 * part, 0, 2, s1, out, o + 32 + 16 * part);
        q6Sixteen(low + 16 * part, high + 16 * part, 4, 4, s2, out, o + 64 + 16 * part);
        q6Sixteen(low + 32 + 16 * part, high + 16 * part, 4, 6, s3, out, o + 96 + 16 * part);
      }
    }
  }

  private void q6Sixteen(
      int low, int high, int lowShift, int highShift, float scale, float[] out, int to) {
    byte[] in = bytes;
    for (int i = 0; i < 16; i++) {
      int q = in[low + i] >> lowShift & 15 | (in[high + i] >> highShift & 3) << 4;
      out[to + i] = scale * (q - 32);
    }
  }
}
