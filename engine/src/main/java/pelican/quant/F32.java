package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/** IEEE single precision, 4 bytes a weight, little-endian. */
final class F32 extends BlockFormat {
  F32() {
    super(GgmlType.F32);
  }

  @Override
  public void dequantize(
      MemorySegment source, long offset, float[] destination, int destinationOffset, int count) {
    for (int i = 0; i < count; i++) {
      destination[destinationOffset + i] = source.get(FLOAT, offset + 4L * i);
    }
  }
}
