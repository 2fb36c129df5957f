package pelican.compare;

import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import pelican.engine.PelicanException;
import pelican.gguf.GgufFile;
import pelican.gguf.TensorInfo;
import pelican.quant.BlockFormat;

/**
 * How far a tensor is from the reference's, where a are the reference's weights and b the other's.
 *
 * @param tensor its name
 * @param layer the number of its layer; -1 outside of layers
 * @param kind its name within the layer
 * @param weights how many
 * @param referenceType how the reference stores them
 * @param type how the other model stores them
 * @param relativeRms {@code sqrt(Σ(b − a)² / Σa²)}; 0 for equal tensors, 1 where only the reference
 *     is all zeros
 * @param max {@code max |b − a|}
 * @param cosine {@code Σa·b / sqrt(Σa² · Σb²)}; 1 where one of the two is all zeros and both are
 *     equal
 * @param maxAt the index of the weight with the greatest error
 */
record WeightError(
    String tensor,
    int layer,
    String kind,
    long weights,
    String referenceType,
    String type,
    double relativeRms,
    double max,
    double cosine,
    long maxAt) {
  /** Weights that are decoded at a time by a thread. */
  private static final int PIECE = 1 << 16;

  /** Sums over some weights. */
  private record Sums(double aa, double bb, double ab, double errors, double max, long at) {
    Sums plus(Sums other) {
      return new Sums(
          aa + other.aa,
          bb + other.bb,
          ab + other.ab,
          errors + other.errors,
          Math.max(max, other.max),
          other.max > max ? other.at : at);
    }
  }

  /** Whether the weights of two tensors can be compared one by one. */
  static boolean comparable(TensorInfo a, TensorInfo b) {
    return a.dims().equals(b.dims())
        && BlockFormat.supports(a.type())
        && BlockFormat.supports(b.type());
  }

  /**
   * Compares a tensor of two files.
   *
   * @throws PelicanException if a file was shortened while it is read
   */
  static WeightError of(GgufFile reference, TensorInfo a, GgufFile other, TensorInfo b) {
    long count = a.elements();
    int pieces = Math.toIntExact((count + PIECE - 1) / PIECE);
    Sums sums =
        IntStream.range(0, pieces)
            .parallel()
            .mapToObj(i -> piece(reference, a, other, b, (long) i * PIECE, count))
            .reduce(new Sums(0, 0, 0, 0, 0, 0), Sums::plus);
    double norms = Math.sqrt(sums.aa) * Math.sqrt(sums.bb);
    double cosine = norms == 0 ? (sums.errors == 0 ? 1 : 0) : sums.ab / norms;
    double relative = sums.errors == 0 ? 0 : sums.aa == 0 ? 1 : Math.sqrt(sums.errors / sums.aa);
    TensorName name = TensorName.of(a.name());
    return new WeightError(
        a.name(),
        name.layer(),
        name.kind(),
        count,
        a.type().toString(),
        b.type().toString(),
        relative,
        sums.max,
        Math.min(1, cosine),
        sums.at);
  }

  private static Sums piece(
      GgufFile reference, TensorInfo a, GgufFile other, TensorInfo b, long from, long count) {
    int size = (int) Math.min(PIECE, count - from);
    float[] x = decode(reference, a, from, size);
    float[] y = decode(other, b, from, size);
    double aa = 0;
    double bb = 0;
    double ab = 0;
    double errors = 0;
    double max = 0;
    long at = from;
    for (int i = 0; i < size; i++) {
      double error = (double) y[i] - x[i];
      aa += (double) x[i] * x[i];
      bb += (double) y[i] * y[i];
      ab += (double) x[i] * y[i];
      errors += error * error;
      if (Math.abs(error) > max) {
        max = Math.abs(error);
        at = from + i;
      }
    }
    return new Sums(aa, bb, ab, errors, max, at);
  }

  /** Decodes weights that begin at a block; the piece's size is a multiple of every block's. */
  private static float[] decode(GgufFile file, TensorInfo tensor, long from, int size) {
    BlockFormat format = BlockFormat.of(tensor.type());
    return file.reading(() -> {
      float[] weights = new float[size];
      format.dequantize(file.data(tensor), tensor.type().bytes(from), weights, 0, size);
      return weights;
    });
  }

  /** The weighted mean of relative errors: {@code sqrt(Σ n·e² / Σ n)}. */
  static double overall(List<WeightError> errors) {
    double weights = errors.stream().mapToDouble(WeightError::weights).sum();
    DoubleStream squares =
        errors.stream().mapToDouble(e -> e.weights * e.relativeRms * e.relativeRms);
    return weights == 0 ? 0 : Math.sqrt(squares.sum() / weights);
  }
}
