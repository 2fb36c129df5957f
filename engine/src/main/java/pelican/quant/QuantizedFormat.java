package pelican.quant;

import java.lang.foreign.MemorySegment;
import pelican.gguf.GgmlType;

/**
 * A format of small integers in groups that share a scale and, in some, a minimum: {@code weight[i]
 * = scale[i / groupSize] · q[i] − min[i / groupSize]}.
 */
public abstract class QuantizedFormat extends BlockFormat {
  private final int groupSize;
  private final boolean hasMins;

  QuantizedFormat(GgmlType type, int groupSize, boolean hasMins) {
    super(type);
    this.groupSize = groupSize;
    this.hasMins = hasMins;
  }

  /** Weights that share a scale: 16 or 32. */
  public final int groupSize() {
    return groupSize;
  }

  /** Whether the minimums can be other than 0. */
  public final boolean hasMins() {
    return hasMins;
  }

  /**
   * Takes one block apart.
   *
   * @param source holds the block at byte {@code offset}
   * @param q gets the integers, from {@code qOffset} on
   * @param scales gets the scale of each group, from {@code groupOffset} on
   * @param mins gets the minimum of each group; not written where there are none
   */
  public abstract void unpackBlock(
      MemorySegment source,
      long offset,
      short[] q,
      int qOffset,
      float[] scales,
      float[] mins,
      int groupOffset);

  @Override
  public final void dequantize(
      MemorySegment source, long offset, float[] destination, int destinationOffset, int count) {
    int size = blockSize();
    short[] q = new short[size];
    float[] scales = new float[size / groupSize];
    float[] mins = new float[size / groupSize];
    for (int i = 0; i < count; i += size) {
      unpackBlock(source, offset + (long) (i / size) * blockBytes(), q, 0, scales, mins, 0);
      for (int j = 0; j < size; j++) {
        float scaled = scales[j / groupSize] * q[j];
        destination[destinationOffset + i + j] = scaled - mins[j / groupSize];
      }
    }
  }
}
