package pelican.models.quantize;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import pelican.engine.PelicanException;
import pelican.gguf.GgmlType;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufMetadata;
import pelican.gguf.GgufWriter;
import pelican.gguf.TensorInfo;
import pelican.quant.BlockEncoder;
import pelican.quant.BlockFormat;

/**
 * Turns a GGUF file into one of another quantization. The source may be of any type that the engine
 * decodes, quantized ones included (which loses more than starting from F16 or F32 does).
 *
 * <p>Memory: a few megabytes for each thread; both files may be larger than memory.
 */
public final class Quantizer {
  /** Weights that are encoded at once: a whole number of blocks of any type. */
  private static final int CHUNK = 1 << 18;

  /** Is told how far the work has come, on the thread that called {@link #run}. */
  @FunctionalInterface
  public interface Progress {
    /**
     * Called after each part.
     *
     * @param tensor the tensor that is being written
     * @param done weights written
     * @param total weights in the file
     */
    void update(String tensor, long done, long total);
  }

  /**
   * What became of a tensor.
   *
   * @param name its name
   * @param from its type in the source
   * @param to its type in the target
   * @param bytesFrom its size in the source
   * @param bytesTo its size in the target
   */
  public record Change(String name, GgmlType from, GgmlType to, long bytesFrom, long bytesTo) {}

  private final Path source;
  private final Path target;
  private final QuantizationMix mix;
  private int threads = Runtime.getRuntime().availableProcessors();
  private Progress progress = (tensor, done, total) -> {};
  private long done;
  private long total;

  /**
   * Plans the work.
   *
   * @param source a GGUF file
   * @param target the file to write; one that is there is replaced when the new one is complete
   * @param mix what the target shall be
   */
  public Quantizer(Path source, Path target, QuantizationMix mix) {
    this.source = source;
    this.target = target;
    this.mix = mix;
  }

  /** Sets the number of threads that encode; all processors unless set. */
  public Quantizer threads(int count) {
    if (count < 1) {
      throw new PelicanException("threads is " + count + ", expected at least 1");
    }
    this.threads = count;
    return this;
  }

  /** Sets who is told of the progress. */
  public Quantizer progress(Progress listener) {
    this.progress = listener;
    return this;
  }

  /**
   * Does the work.
   *
   * @return what became of each tensor, in the order of the file
   * @throws PelicanException if the source cannot be read, has weights that cannot be quantized, or
   *     the target cannot be written; no part of a target is left then
   */
  public List<Change> run() {
    checkTarget();
    done = 0;
    total = 0;
    try (GgufFile file = GgufFile.open(source);
        ExecutorService pool = Executors.newFixedThreadPool(threads, Quantizer::worker)) {
      try {
        return convert(file, pool);
      } finally {
        pool.shutdownNow();
      }
    }
  }

  private static Thread worker(Runnable task) {
    return Thread.ofPlatform().daemon().name("pelican-quantizer").unstarted(task);
  }

  private void checkTarget() {
    if (Files.isDirectory(target)) {
      throw new PelicanException(target + ": a directory, expected the name of a file to write");
    }
    Path folder = target.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new PelicanException(target + ": there is no folder " + folder);
    }
    try {
      if (Files.exists(target) && Files.exists(source) && Files.isSameFile(source, target)) {
        throw new PelicanException(target + ": is the source, expected another file to write");
      }
    } catch (IOException e) {
      throw new PelicanException(target + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private List<Change> convert(GgufFile file, ExecutorService pool) {
    GgufMetadata metadata = file.metadata();
    int parts = metadata.integer("split.count", 1);
    if (parts > 1) {
      throw new PelicanException(source + ": split.count is " + parts + ", expected a whole file");
    }
    GgufWriter writer = new GgufWriter();
    for (String key : metadata.keys()) {
      writer.copy(metadata, key);
    }
    writer.putUint32("general.quantization_version", 2);
    writer.putUint32("general.file_type", mix.fileType());
    TypeChoice choice = new TypeChoice(file, mix);
    List<Change> changes = new ArrayList<>();
    for (TensorInfo tensor : file.tensors().values()) {
      GgmlType to = choice.of(tensor);
      if (to != tensor.type() && !BlockFormat.supports(tensor.type())) {
        throw new PelicanException(
            String.format(
                "%s: tensor %s has type %s, which cannot be decoded",
                source, tensor.name(), tensor.type()));
      }
      total = Math.addExact(total, tensor.elements());
      writer.tensor(
          tensor.name(),
          to,
          tensor.dims().stream().mapToLong(Long::longValue).toArray(),
          out -> write(file, tensor, to, out, pool));
      changes.add(
          new Change(
              tensor.name(), tensor.type(), to, tensor.byteSize(), to.bytes(tensor.elements())));
    }
    try {
      writer.write(target);
    } catch (AccessDeniedException e) {
      throw new PelicanException(target + ": permission denied", e);
    } catch (IOException e) {
      throw new PelicanException(target + ": cannot be written: " + e.getMessage(), e);
    }
    return List.copyOf(changes);
  }

  /** Writes the chunks of a tensor in order, while the pool works on the next ones. */
  private void write(
      GgufFile file, TensorInfo tensor, GgmlType to, OutputStream out, ExecutorService pool)
      throws IOException {
    Deque<Future<byte[]>> pending = new ArrayDeque<>();
    long elements = tensor.elements();
    long before = done;
    long next = 0;
    while (done < before + elements) {
      while (next < elements && pending.size() < 2 * threads) {
        long from = next;
        int count = (int) Math.min(CHUNK, elements - from);
        pending.add(pool.submit(() -> file.reading(() -> chunk(file, tensor, to, from, count))));
        next += count;
      }
      out.write(result(pending.remove()));
      done = Math.min(before + elements, done + CHUNK);
      progress.update(tensor.name(), done, total);
    }
  }

  private static byte[] result(Future<byte[]> chunk) {
    try {
      return chunk.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PelicanException("interrupted while quantizing", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        default -> throw new IllegalStateException(e.getCause());
      }
    }
  }

  private byte[] chunk(GgufFile file, TensorInfo tensor, GgmlType to, long from, int count) {
    GgmlType type = tensor.type();
    MemorySegment data = file.data(tensor);
    byte[] bytes = new byte[Math.toIntExact(to.bytes(count))];
    if (to == type) {
      MemorySegment.ofArray(bytes).copyFrom(data.asSlice(type.bytes(from), bytes.length));
      return bytes;
    }
    float[] weights = new float[count];
    BlockFormat.of(type).dequantize(data, type.bytes(from), weights, 0, count);
    check(tensor, to, from, weights);
    BlockEncoder.of(to).encode(weights, 0, count, bytes, 0);
    return bytes;
  }

  private void check(TensorInfo tensor, GgmlType to, long from, float[] weights) {
    // what is less than halfway beyond the largest half-precision number still rounds to it
    float limit = to == GgmlType.F16 ? Math.nextDown(65520f) : Float.MAX_VALUE;
    for (int i = 0; i < weights.length; i++) {
      if (!(Math.abs(weights[i]) <= limit)) {
        throw new PelicanException(
            String.format(
                "%s: weight %d of tensor %s is %s, expected a number that %s can hold",
                source, from + i, tensor.name(), weights[i], to));
      }
    }
  }
}
