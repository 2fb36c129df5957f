package pelican.gemma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pelican.kernel.Kernels;
import pelican.kernel.ScalarKernels;
import pelican.kernel.VectorKernels;
import pelican.kernel.Workers;

/** Attention against its formula in double precision, however many threads share it. */
class AttentionTest {
  private static final int SLIDING = 0;
  private static final int GLOBAL = 1;
  private static final int WINDOW = 70;
  private static final int HEADS = 8;

  /** Tokens that two sequences have before the batch: the first has gone round its ring. */
  private static final int[] LENGTHS = {310, 21};

  /** Tokens of the two in the batch. */
  private static final int[] ADDED = {5, 2};

  private final Batch batch = new Batch();
  private final float[][][][] keys = new float[2][][][];
  private final float[][][][] values = new float[2][][][];

  @ParameterizedTest
  @CsvSource({
    "scalar, 64, 2, true", "scalar, 96, 1, false",
    "vector, 64, 1, true", "vector, 192, 1, true",
    "vector, 192, 2, true", "vector, 96, 1, true",
    "vector, 256, 4, true", "vector, 256, 8, false"
  })
  void followsTheFormulaAndThreadsChangeNoBit(
      String kind, int headSize, int kvHeads, boolean half) {
    GemmaConfig config = config(headSize, kvHeads);
    Kernels kernels = kind.equals("scalar") ? new ScalarKernels("test") : new VectorKernels(false);
    fill(config, kernels, half);
    for (int layer : new int[] {SLIDING, GLOBAL}) {
      float[] q = random(batch.size() * HEADS * headSize, layer, 0.3);
      float[] alone = attend(config, kernels, 1, layer, q);
      for (int threads : new int[] {2, 5, 40}) {
        assertThat(attend(config, kernels, threads, layer, q)).isEqualTo(alone);
      }
      int size = HEADS * headSize;
      for (int i = 0; i < batch.size(); i++) {
        for (int head = 0; head < HEADS; head++) {
          int at = i * size + head * headSize;
          double[] want = formula(layer, i, head * kvHeads / HEADS, q, at, headSize);
          for (int c = 0; c < headSize; c++) {
            assertThat(alone[at + c])
                .as("layer %d, token %d, head %d, column %d", layer, i, head, c)
                .isCloseTo((float) want[c], within(half ? 2e-3f : 1e-4f));
          }
        }
      }
    }
  }

  private static GemmaConfig config(int headSize, int kvHeads) {
    return new GemmaConfig(
        2,
        64,
        new int[] {64, 64},
        HEADS,
        new int[] {kvHeads, kvHeads},
        headSize,
        headSize,
        WINDOW,
        new boolean[] {true, false},
        0,
        1e-6f,
        0,
        1e6f,
        1e4f,
        0,
        512,
        0,
        0,
        0);
  }

  private void fill(GemmaConfig config, Kernels kernels, boolean half) {
    for (int s = 0; s < LENGTHS.length; s++) {
      int end = LENGTHS[s] + ADDED[s];
      KvCache cache = new KvCache(config, 8, 512, half);
      keys[s] = new float[2][end][];
      values[s] = new float[2][end][];
      for (int layer = 0; layer < 2; layer++) {
        int size = config.kvHeads()[layer] * config.headSize(layer);
        KvLayer kv = cache.layer(layer);
        for (int p = 0; p < end; p++) {
          kv.reserve(p, p + 1);
          keys[s][layer][p] = random(size, 1000 * s + 10 * p + layer, 1);
          values[s][layer][p] = random(size, 7 + 1000 * s + 10 * p + layer, 1);
          for (int head = 0; head < config.kvHeads()[layer]; head++) {
            int from = head * config.headSize(layer);
            kv.store(kernels, p, head, keys[s][layer][p], values[s][layer][p], from);
          }
        }
      }
      cache.advance(LENGTHS[s]);
      for (int i = 0; i < ADDED[s]; i++) {
        batch.add(cache, 0, true);
      }
    }
  }

  private float[] attend(GemmaConfig config, Kernels kernels, int threads, int layer, float[] q) {
    float[] out = random(q.length, 3, 1);
    try (Workers workers = new Workers(threads)) {
      Attention attention = new Attention(config, kernels, workers);
      attention.run(batch, layer, q, out);
    }
    return out;
  }

  private double[] formula(int layer, int token, int kvHead, float[] q, int at, int headSize) {
    int s = token < ADDED[0] ? 0 : 1;
    int position = batch.position(token);
    int first = layer == SLIDING ? Math.max(0, position - WINDOW + 1) : 0;
    double[] sums = new double[headSize];
    double total = 0;
    for (int p = first; p <= position; p++) {
      double score = 0;
      for (int c = 0; c < headSize; c++) {
        score += (double) q[at + c] * keys[s][layer][p][kvHead * headSize + c];
      }
      double weight = Math.exp(score);
      total += weight;
      for (int c = 0; c < headSize; c++) {
        sums[c] += weight * values[s][layer][p][kvHead * headSize + c];
      }
    }
    for (int c = 0; c < headSize; c++) {
      sums[c] /= total;
    }
    return sums;
  }

  private static float[] random(int size, int seed, double scale) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] result = new float[size];
    for (int i = 0; i < size; i++) {
      result[i] = (float) (scale * (2 * random.nextDouble() - 1));
    }
    return result;
  }
}
