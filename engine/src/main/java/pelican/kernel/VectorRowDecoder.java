package pelican.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import pelican.gguf.GgmlType;

/**
 * Decodes runs of weights to floats by way of {@link ByteRows}, eight weights at a time: eight
 * bytes become eight ints in one instruction. Products with many vectors decode each weight once,
 * yet a scalar decoder took a third of their time. Needs vectors of 256 bits; formats that do not
 * become bytes go to {@link RowDecoder}. One instance for each thread.
 */
final class VectorRowDecoder {
  /** Room for the bytes and scales of the columns that are decoded at a time. */
  static final int BYTES =
      VectorTiles.BLOCK_COLUMNS + VectorTiles.BLOCK_COLUMNS / ByteRows.GROUP * ByteRows.SCALE_BYTES;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Byte> B8 = ByteVector.SPECIES_64;
  private static final VectorSpecies<Float> F8 = FloatVector.SPECIES_256;
  private static final VectorSpecies<Integer> I8 = IntVector.SPECIES_256;

  private final boolean vectors;
  private final RowDecoder others = new RowDecoder();
  private final float[] run = new float[VectorTiles.BLOCK_COLUMNS];

  /**
   * @param vectors whether there are vectors of 256 bits
   */
  VectorRowDecoder(boolean vectors) {
    this.vectors = vectors;
  }

  /**
   * Decodes the weights [column, column + count) of a row.
   *
   * @param column a multiple of the format's block size, as is {@code count}, at most {@link
   *     VectorTiles#BLOCK_COLUMNS}
   * @param out the address of room for {@code count} floats
   * @param bytes the address of room for {@link #BYTES}
   */
  void decode(Matrix w, int row, int column, int count, long out, long bytes) {
    GgmlType type = w.format().type();
    if (!vectors || !ByteRows.has(type)) {
      others.decode(w, row, column, count, run, 0);
      MemorySegment.copy(run, 0, Memory.ALL, ValueLayout.JAVA_FLOAT, out, count);
      return;
    }
    long at =
        Memory.address(w, row, row + 1) + (long) (column / type.blockSize()) * type.blockBytes();
    long scales = bytes + VectorTiles.BLOCK_COLUMNS;
    ByteRows.unpack(type, at, count / type.blockSize(), bytes, scales);
    floats(bytes, scales, count / ByteRows.GROUP, out);
  }

  /** Half a group in each step. */
  private static void floats(long bytes, long scales, int groups, long out) {
    for (int i = 0; i < 2 * groups; i++) {
      long at = bytes + 16L * i & Memory.ANY;
      long to = out + 64L * i & Memory.ANY;
      long scaleAt = scales + (long) ByteRows.SCALE_BYTES * (i >> 1) + 4L * (i & 1) & Memory.ANY;
      FloatVector scale = FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scaleAt));
      FloatVector minimum = FloatVector.broadcast(F8, Memory.ALL.get(Memory.FLOAT, scaleAt + 8));
      unsigned(at).fma(scale, minimum).intoMemorySegment(Memory.ALL, to, LITTLE);
      unsigned(at + 8).fma(scale, minimum).intoMemorySegment(Memory.ALL, to + 32, LITTLE);
    }
  }

  private static FloatVector unsigned(long at) {
    return (FloatVector)
        ByteVector.fromMemorySegment(B8, Memory.ALL, at, LITTLE)
            .convertShape(VectorOperators.ZERO_EXTEND_B2I, I8, 0)
            .convertShape(VectorOperators.I2F, F8, 0);
  }
}
