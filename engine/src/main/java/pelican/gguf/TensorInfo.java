package pelican.gguf;

import java.util.List;

/**
 * What a GGUF file says of one tensor.
 *
 * @param name the tensor's name, unique in its file
 * @param type how its elements are stored
 * @param dims elements along each dimension, the contiguous one first
 * @param offset where its data begins, in bytes from the start of the file
 * @param byteSize the exact size of its data in bytes
 */
public record TensorInfo(String name, GgmlType type, List<Long> dims, long offset, long byteSize) {
  public TensorInfo {
    dims = List.copyOf(dims);
  }

  /** Elements of one row: the contiguous dimension. */
  public long columns() {
    return dims.getFirst();
  }

  /** The number of rows: the product of all dimensions after the first. */
  public long rows() {
    long rows = 1;
    for (int i = 1; i < dims.size(); i++) {
      rows = Math.multiplyExact(rows, dims.get(i));
    }
    return rows;
  }

  /** The number of elements. */
  public long elements() {
    return Math.multiplyExact(columns(), rows());
  }
}
