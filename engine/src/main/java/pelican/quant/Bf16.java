package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/** The upper half of an IEEE single, 2 bytes a weight, little-endian. */
final class Bf16 extends BlockFormat {
  Bf16() {
    super(GgmlType.BF16);
  }

  @Override
  public void dequantize(
      MemorySegment source, long offset, float[] destination, int destinationOffset, int count) {
    for (int i = 0; i < count; i++) {
      destination[destinationOffset + i] =
          Float.intBitsToFloat(source.get(SHORT, offset + 2L * i) << 16);
    }
  }
}
