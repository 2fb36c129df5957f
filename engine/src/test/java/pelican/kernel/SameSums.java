package pelican.kernel;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import java.util.zip.CRC32;
import jdk.incubator.vector.FloatVector;
import pelican.gguf.GgmlType;

/**
 * Digests of sums of floats, to be compared bit for bit. Runs in a test, and as a program in JVMs
 * that compile nothing, or all of it.
 */
public final class SameSums {
  /** The formats whose products are the same in any batch, where vectors have 256 bits. */
  static final Set<GgmlType> TYPES =
      EnumSet.of(
          GgmlType.F32,
          GgmlType.F16,
          GgmlType.BF16,
          GgmlType.Q4_0,
          GgmlType.Q4_K,
          GgmlType.Q5_K,
          GgmlType.Q6_K);

  /** Not a multiple of the rows of any tile. */
  static final int ROWS = 13;

  /** The length of a query. */
  static final int SIZE = 96;

  /** How many keys there are. */
  static final int POSITIONS = 19;

  private final VectorKernels kernels =
      new VectorKernels(Math.min(256, FloatVector.SPECIES_PREFERRED.vectorBitSize()), false);
  private final Workers workers = new Workers(1);

  /**
   * Writes the digests to a file; fails if they are not always the same.
   *
   * @param args the file, and how often to repeat the sums
   */
  public static void main(String[] args) throws IOException {
    SameSums sums = new SameSums();
    String first = sums.digests();
    for (int i = 1; i < Integer.parseInt(args[1]); i++) {
      String digests = sums.digests();
      if (!digests.equals(first)) {
        System.out.println("At repetition " + i + ":\n" + digests + "at first:\n" + first);
        System.exit(1);
      }
    }
    for (GgmlType type : TYPES) {
      if (!sums.isTheSameAlone(type)) {
        System.out.println(type + ": a token's product depends on the tokens beside it");
        System.exit(1);
      }
    }
    Files.writeString(Path.of(args[0]), first);
    System.exit(0);
  }

  private boolean isTheSameAlone(GgmlType type) {
    try (Arena arena = Arena.ofConfined()) {
      Matrix w = matrix(arena, type);
      float[] x = values(9 * w.columns());
      float[] together = product(w, x, 0, 9);
      for (int t = 0; t < 9; t++) {
        float[] one = Arrays.copyOfRange(together, t * ROWS, (t + 1) * ROWS);
        if (!Arrays.equals(one, product(w, x, t, 1))) {
          return false;
        }
      }
      return true;
    }
  }

  /** A line for each kind of sum: what it is and a digest of its values. */
  private String digests() {
    StringBuilder lines = new StringBuilder(kernels.description() + "\n");
    try (Arena arena = Arena.ofConfined()) {
      for (GgmlType type : TYPES) {
        Matrix w = matrix(arena, type);
        float[] x = values(9 * w.columns());
        for (int tokens : new int[] {1, 5, 9}) {
          add(lines, type + " with " + tokens + " tokens", product(w, x, 0, tokens));
        }
        add(lines, type + " with one as batch", productAsBatch(w, x, 0, 1));
      }
    }
    for (int size : new int[] {1, 64, 525}) {
      float[] x = values(size);
      kernels.softmax(x, 0, size);
      add(lines, "softmax of " + size, x);
      x = values(size);
      kernels.rmsNorm(x, 0, null, 1e-6f, x, 0, size);
      add(lines, "rmsNorm of " + size, x);
    }
    for (int rows : new int[] {1, 4, 6}) {
      add(lines, "scores of " + rows + " rows", scores(values(rows * SIZE), 0, rows, false));
      add(lines, "half scores of " + rows + " rows", scores(values(rows * SIZE), 0, rows, true));
    }
    return lines.toString();
  }

  private static void add(StringBuilder lines, String name, float[] values) {
    CRC32 crc = new CRC32();
    for (float value : values) {
      int bits = Float.floatToRawIntBits(value);
      for (int shift = 0; shift < 32; shift += 8) {
        crc.update(bits >>> shift);
      }
    }
    lines.append("%s: %08x%n".formatted(name, crc.getValue()));
  }

  /** The same values at each call. */
  static float[] values(int size) {
    Random random = new Random(size);
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /**
   * A matrix of {@link #ROWS} rows for {@link #product}, whose columns are more than any kernel
   * takes at a time, and not twice as many.
   */
  static Matrix matrix(Arena arena, GgmlType type) {
    int columns =
        type.blockSize() == 1
            ? VectorTiles.BLOCK_COLUMNS + 96
            : IntegerTiles.PART_COLUMNS + QuantizedTokens.BLOCK;
    return KernelAgreement.randomMatrix(arena, type, ROWS, columns, new Random(columns));
  }

  /**
   * The product of a matrix with some of the tokens.
   *
   * @param first the first of the tokens
   * @return [count][{@link #ROWS}]
   */
  float[] product(Matrix w, float[] tokens, int first, int count) {
    return product(w, new Activations().reset(count, w.columns()), tokens, first);
  }

  /** The same {@link Activations#asBatch as if there were more of them}. */
  float[] productAsBatch(Matrix w, float[] tokens, int first, int count) {
    return product(w, new Activations().reset(count, w.columns()).asBatch(), tokens, first);
  }

  private float[] product(Matrix w, Activations x, float[] tokens, int first) {
    int count = x.tokens();
    System.arraycopy(tokens, first * w.columns(), x.values(), 0, count * w.columns());
    x.changed();
    float[] out = new float[count * ROWS];
    kernels.prepare(x, new Matrix[] {w}, workers);
    // as two threads would do it
    kernels.multiply(w, 0, 5, x, out, 0, ROWS);
    kernels.multiply(w, 5, ROWS, x, out, 0, ROWS);
    return out;
  }

  /**
   * The products of some query rows with keys, which are always the same.
   *
   * @param first the first of the rows
   * @param half whether the keys are in half precision
   * @return [rows][{@link #POSITIONS}]
   */
  float[] scores(float[] queries, int first, int rows, boolean half) {
    float[] keys = values(POSITIONS * SIZE);
    int[] offsets = new int[rows];
    Arrays.setAll(offsets, r -> (first + r) * SIZE);
    float[] out = new float[rows * POSITIONS];
    if (half) {
      short[] halves = new short[keys.length];
      kernels.toHalf(keys, 0, halves, 0, keys.length);
      kernels.scores(queries, offsets, rows, halves, 0, POSITIONS, SIZE, out, 0, POSITIONS);
    } else {
      kernels.scores(queries, offsets, rows, keys, 0, POSITIONS, SIZE, out, 0, POSITIONS);
    }
    return out;
  }
}
