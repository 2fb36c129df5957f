package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/** IEEE half precision, 2 bytes a weight, little-endian. */
final class F16 extends BlockFormat {
  F16() {
    super(GgmlType.F16);
  }

  @Override
  public void dequantize(
      MemorySegment source, long offset, float[] destination, int destinationOffset, int count) {
    for (int i = 0; i < count; i++) {
      destination[destinationOffset + i] = half(source, offset + 2L * i);
    }
  }
}
