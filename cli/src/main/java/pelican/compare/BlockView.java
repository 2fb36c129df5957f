package pelican.compare;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import pelican.engine.PelicanException;
import pelican.gguf.GgufFile;
import pelican.gguf.TensorInfo;
import pelican.quant.BlockFormat;
import pelican.quant.QuantizedFormat;

/**
 * A run of 32 weights of one tensor as several files store it: bytes, integers, scales, minimums
 * and the weights that they stand for, decoded by the engine's own code. 32 weights are one block
 * of Q8_0, one group of Q4_K and two of Q6_K, so that every format is shown in whole groups.
 *
 * @param tensor the tensor's name
 * @param block which run of 32 weights, from 0
 * @param blocks how many runs the tensor has
 * @param first the index of the first weight
 * @param stored how each file stores it, the reference first
 */
public record BlockView(String tensor, long block, long blocks, long first, List<Stored> stored) {
  /** Weights in a view. */
  public static final int WEIGHTS = 32;

  /**
   * A file to look into.
   *
   * @param label what to call it
   */
  public record Source(String label, GgufFile file) {}

  /**
   * A tensor that may be looked into.
   *
   * @param blocks how many views it has
   * @param types how each file stores it
   */
  public record Choice(String tensor, long blocks, List<String> types) {}

  /**
   * Weights that share a scale: {@code weight = scale · integer − min}.
   *
   * @param integers the integers, one for each weight
   */
  public record Group(float scale, float min, int[] integers) {}

  /**
   * The weights in one file.
   *
   * @param model what the file is called
   * @param type how it stores the tensor
   * @param blockSize weights in a stored block
   * @param offset where the stored blocks that hold the weights begin in the file, in bytes
   * @param bytes these blocks in hexadecimal; they may hold more weights than are shown
   * @param hasMins whether the type has minimums
   * @param groups the groups; empty for floating-point types
   * @param weights the weights
   * @param maxError the greatest absolute difference from the reference
   * @param rmsError the root of the mean squared difference from the reference
   */
  public record Stored(
      String model,
      String type,
      int blockSize,
      long offset,
      String bytes,
      boolean hasMins,
      List<Group> groups,
      float[] weights,
      double maxError,
      double rmsError) {}

  /** The tensors that all files have in the same shape and the engine can decode. */
  public static List<Choice> choices(List<Source> sources) {
    List<Choice> choices = new ArrayList<>();
    for (TensorInfo tensor : sources.getFirst().file().tensors().values()) {
      List<Optional<TensorInfo>> all =
          sources.stream().map(source -> source.file().find(tensor.name())).toList();
      boolean comparable =
          all.stream().allMatch(t -> t.isPresent() && WeightError.comparable(tensor, t.get()));
      if (comparable) {
        List<String> types = all.stream().map(t -> t.orElseThrow().type().toString()).toList();
        choices.add(new Choice(tensor.name(), blocks(tensor), types));
      }
    }
    return choices;
  }

  /**
   * Looks into a tensor.
   *
   * @param sources the files, the reference first
   * @param block which run of 32 weights
   * @throws PelicanException if a file lacks the tensor, stores it in another shape or in a type
   *     that cannot be decoded, or if there is no such block
   */
  public static BlockView of(List<Source> sources, String tensor, long block) {
    TensorInfo reference = sources.getFirst().file().tensor(tensor);
    long blocks = blocks(reference);
    if (block < 0 || block >= blocks) {
      throw new PelicanException(
          "block of " + tensor + " is " + block + ", expected 0 to " + (blocks - 1));
    }
    long first = block * WEIGHTS;
    int count = (int) Math.min(WEIGHTS, reference.elements() - first);
    List<Stored> stored = new ArrayList<>();
    for (Source source : sources) {
      TensorInfo info = source.file().tensor(tensor);
      if (!info.dims().equals(reference.dims())) {
        throw new PelicanException(
            "tensor %s has the shape %s in %s, expected %s as in %s"
                .formatted(
                    tensor,
                    info.dims(),
                    source.label(),
                    reference.dims(),
                    sources.getFirst().label()));
      }
      float[] expected = stored.isEmpty() ? null : stored.getFirst().weights();
      stored.add(source.file().reading(() -> read(source, info, first, count, expected)));
    }
    return new BlockView(tensor, block, blocks, first, stored);
  }

  private static long blocks(TensorInfo tensor) {
    return (tensor.elements() + WEIGHTS - 1) / WEIGHTS;
  }

  private static Stored read(
      Source source, TensorInfo tensor, long first, int count, float[] expected) {
    BlockFormat format = BlockFormat.of(tensor.type());
    int size = format.blockSize();
    long from = first / size * size;
    long end = (first + count + size - 1) / size * size;
    long offset = tensor.type().bytes(from);
    MemorySegment data = source.file().data(tensor);
    MemorySegment bytes = data.asSlice(offset, tensor.type().bytes(end - from));
    float[] decoded = new float[(int) (end - from)];
    format.dequantize(data, offset, decoded, 0, decoded.length);
    float[] weights = new float[count];
    System.arraycopy(decoded, (int) (first - from), weights, 0, count);
    List<Group> groups = List.of();
    boolean mins = false;
    if (format instanceof QuantizedFormat quantized) {
      groups = groups(quantized, data, offset, (int) (first - from), count);
      mins = quantized.hasMins();
    }
    double max = 0;
    double squares = 0;
    for (int i = 0; expected != null && i < count; i++) {
      double error = (double) weights[i] - expected[i];
      max = Math.max(max, Math.abs(error));
      squares += error * error;
    }
    return new Stored(
        source.label(),
        tensor.type().toString(),
        size,
        tensor.offset() + offset,
        HexFormat.of().formatHex(bytes.toArray(ValueLayout.JAVA_BYTE)),
        mins,
        groups,
        weights,
        max,
        Math.sqrt(squares / count));
  }

  /** The groups of the weights from {@code start} on, counted from a block's first. */
  private static List<Group> groups(
      QuantizedFormat format, MemorySegment data, long offset, int start, int count) {
    int size = format.blockSize();
    int groupSize = format.groupSize();
    short[] q = new short[size];
    float[] scales = new float[size / groupSize];
    float[] mins = new float[size / groupSize];
    List<Group> groups = new ArrayList<>();
    int unpacked = -1;
    for (int i = start; i < start + count; i += groupSize) {
      int block = i / size;
      if (block != unpacked) {
        format.unpackBlock(
            data, offset + (long) block * format.blockBytes(), q, 0, scales, mins, 0);
        unpacked = block;
      }
      int[] integers = new int[groupSize];
      for (int j = 0; j < groupSize; j++) {
        integers[j] = q[i % size + j];
      }
      int group = i % size / groupSize;
      groups.add(new Group(scales[group], mins[group], integers));
    }
    return groups;
  }
}
