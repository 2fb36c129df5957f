package pelican.kernel;

import java.lang.foreign.MemorySegment;
import pelican.quant.BlockFormat;

/**
 * A weight matrix in the layout of its file: {@code rows} rows of {@code columns} weights, row
 * after row, each a whole number of blocks.
 *
 * @param name the tensor's name, for messages
 * @param format the block format of the weights
 * @param rows number of rows, the length of a product
 * @param columns number of columns, the length of the vector it is multiplied with
 * @param data exactly the bytes of the matrix
 */
public record Matrix(String name, BlockFormat format, int rows, int columns, MemorySegment data) {
  public Matrix {
    long bytes = Math.multiplyExact((long) rows, bytesPerRow(format, columns));
    if (data.byteSize() != bytes) {
      throw new IllegalArgumentException(
          name + " has " + data.byteSize() + " bytes, expected " + bytes);
    }
  }

  /** The bytes of one row. */
  public long rowBytes() {
    return bytesPerRow(format, columns);
  }

  /** The offset of a row in {@link #data}. */
  public long rowOffset(int row) {
    return row * rowBytes();
  }

  /** The weights as decoded floats: {@code columns} values from {@code offset} on. */
  public void decodeRow(int row, float[] destination, int offset) {
    format.dequantize(data, rowOffset(row), destination, offset, columns);
  }

  private static long bytesPerRow(BlockFormat format, int columns) {
    return (long) (columns / format.blockSize()) * format.blockBytes();
  }
}
