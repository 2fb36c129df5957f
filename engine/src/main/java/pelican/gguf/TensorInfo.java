package pelican.gguf;

import java.util.List;

/**
 * What a GGUF file says of a tensor.
 *
 * @param name the tensor's name
 * @param type how its weights are stored
 * @param dims its size along each dimension, the fastest-varying first
 * @param offset where its data begins, in bytes from the beginning of the file
 * @param byteSize how many bytes its data takes
 */
public record TensorInfo(String name, GgmlType type, List<Long> dims, long offset, long byteSize) {
  public TensorInfo {
    dims = List.copyOf(dims);
  }

  /** The length of a row: the first dimension. */
  public long columns() {
    return dims.getFirst();
  }

  /** The number of rows: the product of the other dimensions. */
  public long rows() {
    long rows = 1;
    for (int i = 1; i < dims.size(); i++) {
      rows = Math.multiplyExact(rows, dims.get(i));
    }
    return rows;
  }

  /** The number of weights. */
  public long elements() {
    return Math.multiplyExact(rows(), columns());
  }
}
