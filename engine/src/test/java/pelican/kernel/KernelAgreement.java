package pelican.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import pelican.gguf.GgmlType;
import pelican.quant.BlockFormat;

/**
 * Compares kernels with the scalar ones on random input. Runs in a test, and as a program in JVMs
 * whose flags limit the vectors.
 */
public final class KernelAgreement {
  // not asked of IntegerTiles, which there is not without vectors
  private static final Set<GgmlType> WITH_INTEGERS =
      EnumSet.of(GgmlType.Q4_0, GgmlType.Q4_K, GgmlType.Q5_K, GgmlType.Q6_K);

  private final Kernels expected = new ScalarKernels("specification");
  private final Kernels kernels;
  private final Workers workers = new Workers(1);
  private final Random random = new Random(7);
  private final List<String> differences = new ArrayList<>();

  private KernelAgreement(Kernels kernels) {
    this.kernels = kernels;
  }

  public static void main(String[] args) {
    Kernels kernels = KernelChoice.choose();
    List<String> differences = differences(kernels);
    System.out.println(kernels.description());
    differences.forEach(System.out::println);
    System.exit(differences.isEmpty() ? 0 : 1);
  }

  /** What differs by more than rounding: empty if all is well. */
  static List<String> differences(Kernels kernels) {
    KernelAgreement agreement = new KernelAgreement(kernels);
    agreement.products();
    agreement.elementwise();
    agreement.attention();
    return agreement.differences;
  }

  private void products() {
    for (GgmlType type : GgmlType.values()) {
      if (!BlockFormat.supports(type)) {
        continue;
      }
      for (int columns : new int[] {256, 512, 1536, 2304}) {
        for (int tokens : new int[] {1, 2, 9}) {
          product(type, 37, columns, tokens);
        }
      }
      // a whole tile and another, one of floats, and more columns than go at once
      product(type, 37, 512, 16);
      product(type, 37, 512, Activations.SMALL_BATCH + 2);
      product(type, 5, 3328, 5);
      // more parts of a row than one, and more than there is room for
      product(type, 13, 6400, 2);
      if (WITH_INTEGERS.contains(type)) {
        product(type, 5, 513 * IntegerTiles.PART_COLUMNS, 1);
      }
      if (type.blockSize() == 32) {
        product(type, 9, 32, 1);
        product(type, 9, 96, 3);
      }
    }
  }

  private void product(GgmlType type, int rows, int columns, int tokens) {
    try (Arena arena = Arena.ofConfined()) {
      Matrix w = randomMatrix(arena, type, rows, columns, random);
      Activations x = new Activations().reset(tokens, columns);
      fill(x.values(), 1);
      x.changed();
      float[] want = new float[tokens * rows];
      float[] got = new float[tokens * rows];
      Activations rounded = new Activations().reset(tokens, columns);
      boolean rounds = kernels instanceof VectorKernels v && v.rounds(w);
      System.arraycopy(x.values(), 0, rounded.values(), 0, tokens * columns);
      if (rounds) {
        for (int t = 0; t < tokens; t++) {
          int run = Processor.WIDE_INTEGERS ? 256 : 1024;
          for (int c = 0; c < columns; c += run) {
            round(rounded.values(), t * columns + c, Math.min(run, columns - c));
          }
        }
      }
      rounded.changed();
      expected.multiply(w, 0, rows, rounded, want, 0, rows);
      kernels.prepare(x, new Matrix[] {w}, workers);
      kernels.multiply(w, 0, rows / 2, x, got, 0, rows);
      kernels.multiply(w, rows / 2, rows, x, got, 0, rows);
      // Rounding is relative to the size of the terms, not to that of a sum in which they cancel.
      double[] scale = new double[tokens * rows];
      float[] row = new float[columns];
      for (int r = 0; r < rows; r++) {
        w.decodeRow(r, row, 0);
        for (int t = 0; t < tokens; t++) {
          for (int c = 0; c < columns; c++) {
            scale[t * rows + r] += Math.abs(row[c] * x.values()[t * columns + c]);
          }
        }
      }
      for (int i = 0; i < want.length; i++) {
        if (!(Math.abs(want[i] - got[i]) <= 2e-5 * scale[i] + 1e-30)) {
          differences.add(
              "%s %dx%d, %d tokens, value %d: %s, expected %s"
                  .formatted(type, rows, columns, tokens, i, got[i], want[i]));
          return;
        }
      }
    }
  }

  /**
   * What becomes of a token's values that have a factor in common where they are multiplied as
   * integers: multiples of a 255th of the largest.
   */
  private static void round(float[] values, int from, int count) {
    float max = 0;
    for (int i = from; i < from + count; i++) {
      max = Math.max(max, Math.abs(values[i]));
    }
    float factor = max / 255;
    float scale = 255 / max;
    for (int i = from; i < from + count; i++) {
      values[i] = max == 0 ? 0 : factor * (float) Math.rint(values[i] * scale);
    }
  }

  /** Random blocks; bytes that hold half-precision scales are kept finite. */
  static Matrix randomMatrix(Arena arena, GgmlType type, int rows, int columns, Random random) {
    BlockFormat format = BlockFormat.of(type);
    long bytes = (long) rows * columns / type.blockSize() * type.blockBytes();
    MemorySegment data = arena.allocate(bytes, 64);
    byte[] noise = new byte[(int) bytes];
    random.nextBytes(noise);
    MemorySegment.copy(noise, 0, data, ValueLayout.JAVA_BYTE, 0, noise.length);
    for (long at = 0; at < bytes; at += type.blockBytes()) {
      for (int offset : halfOffsets(type)) {
        short half = Float.floatToFloat16((float) random.nextGaussian() * 0.1f);
        data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + offset, half);
      }
      if (type == GgmlType.F32) {
        data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, (float) random.nextGaussian());
      } else if (type == GgmlType.BF16) {
        int bits = Float.floatToIntBits((float) random.nextGaussian());
        data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) (bits >>> 16));
      }
    }
    return new Matrix("random " + type, format, rows, columns, data);
  }

  private static int[] halfOffsets(GgmlType type) {
    return switch (type) {
      case F32, BF16 -> new int[0];
      case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
      case Q2_K -> new int[] {80, 82};
      case Q3_K -> new int[] {108};
      case Q6_K -> new int[] {208};
      default -> new int[] {0};
    };
  }

  private void elementwise() {
    for (int size : new int[] {1, 3, 8, 17, 64, 256, 1536, 1537}) {
      float[] x = fill(new float[size + 5], 3);
      float[] weight = fill(new float[size], 1);
      compare("rmsNorm", size, x, 1e-5, (k, a) -> k.rmsNorm(a, 5, weight, 1e-6f, a, 5, size));
      compare(
          "rmsNorm without weight",
          size,
          x,
          1e-5,
          (k, a) -> k.rmsNorm(a, 5, null, 1e-6f, a, 5, size));
      float[] wide = fill(new float[size + 5], 20);
      wide[5] = 300;
      wide[4 + size] = -300;
      compare("gelu", size, wide, 1e-5, (k, a) -> k.geluMultiply(a, 5, x, 5, size));
      compare("softcap", size, wide, 1e-5, (k, a) -> k.softcap(a, 5, size, 30));
      compare("softmax", size, wide, 1e-5, (k, a) -> k.softmax(a, 5, size));
      compare("add", size, x, 0, (k, a) -> k.add(a, 5, wide, 5, size));
      compare(
          "half",
          size,
          wide,
          0,
          (k, a) -> {
            short[] half = new short[size + 2];
            k.toHalf(a, 5, half, 2, size);
            for (int i = 0; i < size; i++) {
              a[5 + i] = half[2 + i];
            }
          });
      noNumber("softmax", size, (k, a) -> k.softmax(a, 5, size));
      noNumber("softcap", size, (k, a) -> k.softcap(a, 5, size, 30));
      noNumber("gelu", size, (k, a) -> k.geluMultiply(a, 5, x, 5, size));
      noNumber("rmsNorm", size, (k, a) -> k.rmsNorm(a, 5, weight, 1e-6f, a, 5, size));
      if (size % 2 == 0) {
        float[] cos = fill(new float[size], 1);
        float[] sin = fill(new float[size], 1);
        compare("rotate", size, x, 1e-6, (k, a) -> k.rotate(a, 5, size, cos, sin, size / 4));
      }
    }
  }

  private void attention() {
    for (int size : new int[] {32, 64, 256, 512}) {
      for (int rows : new int[] {1, 3, 4, 8, 13}) {
        for (int positions : new int[] {1, 7, 64}) {
          float[] q = fill(new float[rows * size + 3], 1);
          int[] offsets = new int[rows];
          Arrays.setAll(offsets, r -> 3 + r * size);
          float[] keys = fill(new float[positions * size + 8], 1);
          short[] half = new short[keys.length];
          expected.toHalf(keys, 0, half, 0, keys.length);
          float[] p = fill(new float[rows * 70 + 3], 1);
          String shape = rows + " rows, " + positions + " positions of " + size;
          float[] out = new float[rows * 70 + 2];
          int column = size / 4;
          float[] sums = fill(new float[q.length + column], 1);
          compare(
              "scores, " + shape,
              size,
              out,
              1e-4,
              (k, a) -> k.scores(q, offsets, rows, keys, 8, positions, size, a, 2, 70));
          compare(
              "half scores, " + shape,
              size,
              out,
              1e-4,
              (k, a) -> k.scores(q, offsets, rows, half, 8, positions, size, a, 2, 70));
          compare(
              "weighted sum, " + shape,
              size,
              sums,
              1e-4,
              (k, a) ->
                  k.weightedSum(p, 3, 70, rows, keys, 8, positions, size, a, offsets, column));
          compare(
              "half weighted sum, " + shape,
              size,
              sums,
              1e-4,
              (k, a) ->
                  k.weightedSum(p, 3, 70, rows, half, 8, positions, size, a, offsets, column));
        }
      }
    }
  }

  private interface Operation {
    void run(Kernels kernels, float[] data);
  }

  private void compare(String name, int size, float[] input, double tolerance, Operation op) {
    float[] want = input.clone();
    float[] got = input.clone();
    op.run(expected, want);
    op.run(kernels, got);
    double scale = 0;
    for (float value : want) {
      scale = Math.max(scale, Math.abs(value));
    }
    for (int i = 0; i < want.length; i++) {
      if (!(Math.abs(want[i] - got[i]) <= tolerance * scale)) {
        differences.add(
            "%s of %d, value %d: %s, expected %s".formatted(name, size, i, got[i], want[i]));
        return;
      }
    }
  }

  /** What is NaN with the scalar kernels is NaN with the others, wherever it stands. */
  private void noNumber(String name, int size, Operation op) {
    for (int at : new int[] {0, size / 2, size - 1}) {
      float[] want = fill(new float[size + 5], 1);
      want[5 + at] = Float.NaN;
      float[] got = want.clone();
      op.run(expected, want);
      op.run(kernels, got);
      for (int i = 0; i < want.length; i++) {
        if (Float.isNaN(want[i]) != Float.isNaN(got[i])) {
          differences.add(
              "%s of %d with NaN at %d, value %d: %s, expected %s"
                  .formatted(name, size, at, i, got[i], want[i]));
          return;
        }
      }
    }
  }

  private float[] fill(float[] array, float scale) {
    for (int i = 0; i < array.length; i++) {
      array[i] = (float) random.nextGaussian() * scale;
    }
    return array;
  }
}
