package pelican.gemma;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import pelican.gguf.GgufFile;
import pelican.kernel.Kernels;
import pelican.kernel.Workers;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * A golden file with its reference: what the model must give for 40 tokens, computed in float64.
 */
public final class GoldenModel {
  /** The files that are small enough to live in this repository. */
  public static final List<String> SMALL =
      List.of(
          "tiny-Q8_0",
          "tiny-Q6_K",
          "tiny-Q5_K_M",
          "tiny-Q4_K_M",
          "tiny-Q4_0",
          "tiny-Q3_K_M",
          "dense-Q4_K_M",
          "moe-Q4_K_M");

  /** The files that are only in the folder beside it. */
  public static final List<String> LARGE = List.of("tiny-F16", "moe-F16");

  private final Path file;
  private final int[] tokens;
  private final FloatBuffer logits;
  private final JsonNode greedy;

  private GoldenModel(Path folder, String name) {
    try {
      file = folder.resolve(name + ".gguf");
      JsonNode json = new ObjectMapper().readTree(folder.resolve(name + ".json").toFile());
      tokens = ints(json.get("tokens"));
      greedy = json.get("greedy");
      logits =
          ByteBuffer.wrap(Files.readAllBytes(folder.resolve(name + ".logits.f32")))
              .order(ByteOrder.LITTLE_ENDIAN)
              .asFloatBuffer();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** A golden file by name; the test is skipped where it is not present. */
  public static GoldenModel of(String name) {
    URL url = GoldenModel.class.getResource("/golden/" + name + ".gguf");
    if (url != null) {
      try {
        return new GoldenModel(Path.of(url.toURI()).getParent(), name);
      } catch (URISyntaxException e) {
        throw new AssertionError(e);
      }
    }
    Path shared = Path.of("../../shared/golden");
    Assumptions.assumeTrue(Files.exists(shared.resolve(name + ".gguf")), name + " is not there");
    return new GoldenModel(shared, name);
  }

  public Path file() {
    return file;
  }

  public int[] tokens() {
    return tokens;
  }

  /** The prompt that greedy decoding begins with. */
  public int[] greedyPrompt() {
    return ints(greedy.get("prompt"));
  }

  /** The tokens that greedy decoding gives. */
  public int[] greedyTokens() {
    return ints(greedy.get("next"));
  }

  /** By how much the logit of each greedy token exceeds the runner-up's. */
  public double[] greedyMargins() {
    return IntStream.range(0, greedy.get("margins").size())
        .mapToDouble(i -> greedy.get("margins").get(i).asDouble())
        .toArray();
  }

  /** The relative error of log-probabilities after each token, run in batches of the given size. */
  public double[] errors(Kernels kernels, int batchSize, boolean half) {
    float[][] results = logits(kernels, batchSize, half);
    double[] errors = new double[tokens.length];
    Arrays.setAll(errors, i -> relativeError(results[i], i));
    return errors;
  }

  /** The logits after each token, run in batches of the given size. */
  float[][] logits(Kernels kernels, int batchSize, boolean half) {
    return logits(kernels, batchSize, half, i -> true);
  }

  /**
   * The same where only some tokens' logits are wanted.
   *
   * @return null for each of the others
   */
  float[][] logits(Kernels kernels, int batchSize, boolean half, IntPredicate wanted) {
    float[][] results = new float[tokens.length][];
    try (GgufFile gguf = GgufFile.open(file);
        Workers workers = new Workers(2)) {
      GemmaModel model = new GemmaModel(gguf, kernels, workers);
      KvCache cache = model.newCache(tokens.length, half);
      for (int i = 0; i < tokens.length; i += batchSize) {
        Batch batch = new Batch();
        int end = Math.min(tokens.length, i + batchSize);
        for (int j = i; j < end; j++) {
          batch.add(cache, tokens[j], wanted.test(j));
        }
        float[] result = model.forward(batch);
        int size = model.vocabulary();
        int row = 0;
        for (int j = i; j < end; j++) {
          if (wanted.test(j)) {
            results[j] = Arrays.copyOfRange(result, row * size, (row + 1) * size);
            row++;
          }
        }
      }
    }
    return results;
  }

  /**
   * The logits after the last of some first tokens and after the last of all, as two sequences in
   * one batch.
   */
  float[][] logitsOfTwoSequences(Kernels kernels, int firstTokens, boolean half) {
    try (GgufFile gguf = GgufFile.open(file);
        Workers workers = new Workers(2)) {
      GemmaModel model = new GemmaModel(gguf, kernels, workers);
      Batch batch = new Batch();
      for (int count : new int[] {firstTokens, tokens.length}) {
        KvCache cache = model.newCache(tokens.length, half);
        for (int i = 0; i < count; i++) {
          batch.add(cache, tokens[i], i + 1 == count);
        }
      }
      float[] result = model.forward(batch);
      int size = model.vocabulary();
      return new float[][] {
        Arrays.copyOfRange(result, 0, size), Arrays.copyOfRange(result, size, 2 * size)
      };
    }
  }

  /** {@code rms(y − ref) / std(ref)} of the log-probabilities at a position. */
  double relativeError(float[] result, int position) {
    int vocabulary = result.length;
    double[] y = new double[vocabulary];
    double[] reference = new double[vocabulary];
    for (int i = 0; i < vocabulary; i++) {
      y[i] = result[i];
      reference[i] = logits.get(position * vocabulary + i);
    }
    logProbabilities(y);
    logProbabilities(reference);
    double squares = 0;
    double mean = 0;
    double meanSquare = 0;
    for (int i = 0; i < vocabulary; i++) {
      squares += (y[i] - reference[i]) * (y[i] - reference[i]) / vocabulary;
      mean += reference[i] / vocabulary;
      meanSquare += reference[i] * reference[i] / vocabulary;
    }
    return Math.sqrt(squares) / Math.sqrt(meanSquare - mean * mean);
  }

  private static void logProbabilities(double[] logits) {
    double sum = 0;
    for (double logit : logits) {
      sum += Math.exp(logit);
    }
    for (int i = 0; i < logits.length; i++) {
      logits[i] -= Math.log(sum);
    }
  }

  private static int[] ints(JsonNode array) {
    return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
  }
}
