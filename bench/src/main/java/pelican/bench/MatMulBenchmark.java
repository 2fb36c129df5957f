package pelican.bench;

import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import pelican.gguf.GgmlType;
import pelican.kernel.Activations;
import pelican.kernel.KernelChoice;
import pelican.kernel.MatMul;
import pelican.kernel.Matrix;
import pelican.kernel.Workers;

/**
 * The product of a matrix of weights with the vectors of one token (decoding) or many (prefill), as
 * a forward pass computes it: what the kernel does to the vector beforehand is part of it.
 *
 * <p>Uses few classes of the engine, and those by what has long been in them, so that it also runs
 * with older engines.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(
    value = 5,
    jvmArgsAppend = {
      "--add-modules=jdk.incubator.vector",
      "--enable-native-access=ALL-UNNAMED",
      "-XX:-UseTypeSpeculation"
    })
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
public class MatMulBenchmark {
  /** Bytes of weights that no cache holds: a product finds those of the round before gone. */
  static final long STREAMED_BYTES = 256L << 20;

  @Param({"Q4_K", "Q5_K", "Q6_K", "Q8_0", "Q4_0", "F16"})
  private String format;

  /** Rows × columns: the length of the result and of the vector. */
  @Param({"1536x1536", "6144x1536", "1536x12288", "262144x1536"})
  private String shape;

  @Param({"1", "32", "128"})
  private int tokens;

  /** Where the weights are: in memory, another matrix each time, or one matrix in the cache. */
  @Param({"memory", "cache"})
  private String weights;

  /** What the system property that chooses kernels is set to. */
  @Param({"scalar", "vector"})
  private String kernels;

  @Param("1")
  private int threads;

  /** What was done; JMH divides by the time. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Work {
    /** 10⁹ bytes of weights. */
    public double gigabytes;

    /** 10⁹ floating-point operations: a product and a sum for each weight and token. */
    public double gigaflops;
  }

  private Arena arena;
  private Workers workers;
  private MatMul matMul;
  private Matrix[] matrices;
  private Activations x;
  private float[] out;
  private int next;
  private double gigabytes;
  private double gigaflops;

  /** Makes weights and vectors. */
  @Setup
  public void prepare() {
    System.setProperty(KernelChoice.PROPERTY, kernels);
    workers = new Workers(threads);
    matMul = new MatMul(KernelChoice.choose(), workers);
    GgmlType type = GgmlType.valueOf(format);
    String[] sizes = shape.split("x");
    int rows = Integer.parseInt(sizes[0]);
    int columns = Integer.parseInt(sizes[1]);
    long bytes = RandomMatrices.bytes(type, rows, columns);
    int count = weights.equals("cache") ? 1 : (int) Math.ceilDiv(STREAMED_BYTES, bytes) + 1;
    arena = Arena.ofShared();
    matrices = RandomMatrices.create(arena, type, rows, columns, count);
    x = new Activations().reset(tokens, columns);
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < tokens * columns; i++) {
      x.values()[i] = (float) random.nextGaussian();
    }
    out = new float[tokens * rows];
    gigabytes = bytes / 1e9;
    gigaflops = 2.0 * rows * columns * tokens / 1e9;
  }

  /** Gives threads and memory back. */
  @TearDown
  public void close() {
    workers.close();
    arena.close();
  }

  /** One product. */
  @Benchmark
  public float[] multiply(Work work) {
    Matrix matrix = matrices[next];
    next = next + 1 == matrices.length ? 0 : next + 1;
    x.changed();
    matMul.multiply(matrix, x, out, matrix.rows());
    work.gigabytes += gigabytes;
    work.gigaflops += gigaflops;
    return out;
  }
}
