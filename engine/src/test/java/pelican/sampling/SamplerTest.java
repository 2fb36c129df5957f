package pelican.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pelican.engine.PelicanException;

class SamplerTest {
  private static final int DRAWS = 200_000;

  private static Integer[] boxed(int[] values) {
    return IntStream.of(values).boxed().toArray(Integer[]::new);
  }

  private static float[] randomLogits(int size, long seed) {
    Random random = new Random(seed);
    float[] logits = new float[size];
    for (int i = 0; i < size; i++) {
      logits[i] = (float) random.nextGaussian() * 2;
    }
    return logits;
  }

  /** The distribution that the options ask for, computed the plain way. */
  static double[] reference(float[] logits, SamplingOptions o) {
    List<Integer> ids =
        new ArrayList<>(
            IntStream.range(0, logits.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -logits[i]))
                .toList());
    if (o.topK() > 0 && o.topK() < ids.size()) {
      ids = new ArrayList<>(ids.subList(0, o.topK()));
    }
    if (o.typicalP() < 1) {
      double[] p = softmax(logits, ids, 1);
      double entropy = 0;
      for (double x : p) {
        entropy -= x * Math.log(x);
      }
      double h = entropy;
      List<Integer> order =
          IntStream.range(0, ids.size())
              .boxed()
              .sorted(Comparator.comparingDouble(i -> Math.abs(-Math.log(p[i]) - h)))
              .toList();
      List<Integer> kept = new ArrayList<>();
      double sum = 0;
      for (int i : order) {
        kept.add(ids.get(i));
        sum += p[i];
        if (sum > o.typicalP()) {
          break;
        }
      }
      kept.sort(Comparator.comparingDouble(i -> -logits[i]));
      ids = kept;
    }
    if (o.topP() < 1) {
      double[] p = softmax(logits, ids, 1);
      double sum = 0;
      int n = 0;
      do {
        sum += p[n++];
      } while (n < p.length && sum < o.topP());
      ids = ids.subList(0, n);
    }
    if (o.minP() > 0) {
      double[] p = softmax(logits, ids, 1);
      List<Integer> kept = new ArrayList<>();
      for (int i = 0; i < p.length; i++) {
        if (p[i] >= o.minP() * p[0]) {
          kept.add(ids.get(i));
        }
      }
      ids = kept;
    }
    double[] p = softmax(logits, ids, o.temperature());
    double[] result = new double[logits.length];
    for (int i = 0; i < p.length; i++) {
      result[ids.get(i)] = p[i];
    }
    return result;
  }

  private static double[] softmax(float[] logits, List<Integer> ids, double temperature) {
    double[] p = ids.stream().mapToDouble(i -> Math.exp(logits[i] / temperature)).toArray();
    double sum = IntStream.range(0, p.length).mapToDouble(i -> p[i]).sum();
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
    }
    return p;
  }

  @ParameterizedTest
  @CsvSource({
    "1.0, 0, 1.0, 0.0, 1.0",
    "0.7, 0, 1.0, 0.0, 1.0",
    "1.0, 5, 1.0, 0.0, 1.0",
    "1.5, 0, 0.8, 0.0, 1.0",
    "1.0, 0, 1.0, 0.1, 1.0",
    "1.0, 0, 1.0, 0.0, 0.6",
    "0.9, 12, 0.9, 0.05, 0.9",
  })
  void drawsFromTheDistributionThatTheOptionsAskFor(
      double temperature, int topK, double topP, double minP, double typicalP) {
    float[] logits = randomLogits(40, 3);
    for (int i = 0; i < logits.length; i++) {
      logits[i] *= 0.5f;
    }
    SamplingOptions options =
        new SamplingOptions.Builder()
            .temperature(temperature)
            .topK(topK)
            .topP(topP)
            .minP(minP)
            .typicalP(typicalP)
            .seed(11)
            .build();
    double[] expected = reference(logits, options);
    int[] counts = new int[logits.length];
    Sampler sampler = new Sampler(options);
    for (int i = 0; i < DRAWS; i++) {
      counts[sampler.sample(logits.clone(), 0, logits.length)]++;
    }
    assertDrawnFrom(expected, counts, DRAWS);
  }

  /** Whether so many draws may well come from a distribution. */
  static void assertDrawnFrom(double[] expected, int[] counts, int draws) {
    double chiSquare = 0;
    int cells = 0;
    double rareExpected = 0;
    int rareCount = 0;
    for (int i = 0; i < expected.length; i++) {
      double mean = expected[i] * draws;
      if (mean == 0) {
        assertThat(counts[i]).as("token " + i + " is not to be drawn").isZero();
      } else if (mean < 10) {
        rareExpected += mean;
        rareCount += counts[i];
      } else {
        chiSquare += (counts[i] - mean) * (counts[i] - mean) / mean;
        cells++;
      }
    }
    if (rareExpected > 0) {
      chiSquare += (rareCount - rareExpected) * (rareCount - rareExpected) / rareExpected;
      cells++;
    }
    assertThat(cells).isGreaterThan(1);
    assertThat(chiSquare).isLessThan(chiSquareQuantile(cells - 1));
  }

  /**
   * The value that chi-square exceeds with a probability of 1e-4: Wilson and Hilferty's formula.
   */
  private static double chiSquareQuantile(int degrees) {
    double normal = 3.719;
    double a = 2.0 / (9 * degrees);
    return degrees * Math.pow(1 - a + normal * Math.sqrt(a), 3);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0.95, 0.0, 1.0",
    "0, 0.9999, 0.0, 1.0",
    "0, 0.5, 0.0, 0.9",
    "0, 1.0, 0.02, 1.0",
    "0, 1.0, 0.0, 0.7",
    "3000, 0.9, 0.01, 0.95",
    "-1, 0.0, 0.0, 1.0",
    "0, 1.0, 0.0, 0.0",
  })
  void keepsTheSameTokensOfManyAsSortingThemAllDoes(
      int topK, double topP, double minP, double typicalP) {
    float[] logits = randomLogits(20_000, 8);
    SamplingOptions options =
        new SamplingOptions.Builder()
            .topK(topK)
            .topP(topP)
            .minP(minP)
            .typicalP(typicalP)
            .seed(2)
            .build();
    double[] expected = reference(logits, options);
    Candidates candidates = new Candidates();
    if (topK > 0) {
      candidates.takeBest(logits, 0, logits.length, topK);
    } else {
      candidates.takeAll(logits, 0, logits.length, null);
    }
    if (typicalP < 1) {
      candidates.keepTypical(typicalP);
    }
    if (topP < 1) {
      candidates.keepTop(topP);
    }
    if (minP > 0) {
      candidates.keepAbove(minP);
    }
    candidates.normalize(1);
    double[] actual = new double[logits.length];
    for (int i = 0; i < candidates.size(); i++) {
      actual[candidates.id(i)] = candidates.probability(i);
    }
    assertThat(actual).containsExactly(expected, within(1e-12));
  }

  @Test
  void neighbouringSeedsHaveNothingInCommon() {
    int[] counts = new int[10];
    float[] even = new float[10];
    int seeds = 20_000;
    for (int seed = 0; seed < seeds; seed++) {
      counts[
          new Sampler(new SamplingOptions.Builder().topP(1).seed(seed).build())
              .sample(even, 0, 10)]++;
    }
    double mean = seeds / 10.0;
    double chiSquare = IntStream.of(counts).mapToDouble(c -> (c - mean) * (c - mean) / mean).sum();
    assertThat(chiSquare).isLessThan(chiSquareQuantile(9));
  }

  @Test
  void theSameSeedGivesTheSameTokens() {
    SamplingOptions options = new SamplingOptions.Builder().seed(42).build();
    float[] logits = randomLogits(1000, 5);
    List<Integer> first = draws(options, logits);
    assertThat(draws(options, logits)).isEqualTo(first);
    assertThat(draws(options.toBuilder().seed(43).build(), logits)).isNotEqualTo(first);
  }

  private static List<Integer> draws(SamplingOptions options, float[] logits) {
    Sampler sampler = new Sampler(options);
    return IntStream.range(0, 50)
        .mapToObj(i -> sampler.sample(logits.clone(), 0, logits.length))
        .toList();
  }

  @Test
  void temperatureZeroTakesTheLikeliestTheFirstOfEquals() {
    float[] logits = randomLogits(262_144, 9);
    logits[1234] = 50;
    logits[4321] = 50;
    assertThat(new Sampler(SamplingOptions.GREEDY).sample(logits, 0, logits.length))
        .isEqualTo(1234);
  }

  @Test
  void selectsTheLargestOfAManyTokenVocabulary() {
    float[] logits = randomLogits(262_144, 10);
    LargestFirst largest = new LargestFirst();
    largest.select(logits, 0, logits.length, 64);
    int[] expected =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer i) -> -logits[i]).thenComparing(i -> i))
            .limit(64)
            .mapToInt(i -> i)
            .toArray();
    assertThat(IntStream.range(0, largest.size()).map(largest::index))
        .containsExactly(boxed(expected));
  }

  @Test
  void penaltiesSeeTheirWindowOnly() {
    SamplingOptions options =
        SamplingOptions.GREEDY.toBuilder()
            .repeatLastN(2)
            .repeatPenalty(2)
            .presencePenalty(0.5)
            .frequencyPenalty(0.25)
            .build();
    Sampler sampler = new Sampler(options);
    sampler.see(0);
    sampler.see(1);
    sampler.see(1);
    float[] logits = {4, 3.9f, 1.3f, -1};
    assertThat(sampler.sample(logits, 0, 4)).isZero();
    assertThat(logits[0]).isEqualTo(4);
    assertThat(logits[1]).isCloseTo(3.9f / 2 - 0.5f - 2 * 0.25f, within(1e-6f));
    float[] negative = {-4, -3, -8, -9};
    sampler.sample(negative, 0, 4);
    assertThat(negative[0]).isCloseTo(-8 - 0.75f, within(1e-6f));
  }

  @ParameterizedTest
  @CsvSource({"1", "7", "64", "1000", "2147483647", "-1"})
  void penaltiesCountAsAPlainLoopOverTheWindowDoes(int lastN) {
    SamplingOptions options =
        SamplingOptions.GREEDY.toBuilder()
            .repeatLastN(lastN)
            .repeatPenalty(1.3)
            .presencePenalty(0.4)
            .frequencyPenalty(-0.1)
            .build();
    Penalties penalties = new Penalties(options);
    Random random = new Random(6);
    List<Integer> seen = new ArrayList<>();
    for (int step = 0; step < 600; step++) {
      int token = (int) Math.abs(random.nextGaussian() * 15);
      penalties.see(token);
      seen.add(token);
      float[] logits = randomLogits(40, step);
      float[] expected = logits.clone();
      int from = lastN < 0 ? 0 : Math.max(0, seen.size() - lastN);
      for (int t = 0; t < expected.length; t++) {
        int wanted = t;
        long count = seen.subList(from, seen.size()).stream().filter(s -> s == wanted).count();
        if (count > 0) {
          double l = expected[t] > 0 ? expected[t] / 1.3 : expected[t] * 1.3;
          expected[t] = (float) (l - count * -0.1 - 0.4);
        }
      }
      penalties.apply(logits, 0, logits.length);
      assertThat(logits).containsExactly(expected);
    }
  }

  @Test
  void aConstraintForbidsTokens() {
    List<Integer> accepted = new ArrayList<>();
    TokenConstraint odd =
        new TokenConstraint() {
          @Override
          public void mask(float[] logits, int offset, int vocabulary) {
            for (int i = 0; i < vocabulary; i += 2) {
              logits[offset + i] = Float.NEGATIVE_INFINITY;
            }
          }

          @Override
          public boolean allows(int token) {
            return token % 2 == 1;
          }

          @Override
          public void accept(int token) {
            accepted.add(token);
          }
        };
    Sampler sampler = new Sampler(new SamplingOptions.Builder().temperature(5).build(), odd);
    for (int i = 0; i < 500; i++) {
      assertThat(sampler.sample(randomLogits(60, i), 20, 20) % 2).isOne();
    }
    assertThat(accepted).hasSize(500);
  }

  @Test
  void logitsThatAreNoNumbersAreAClearError() {
    for (SamplingOptions options :
        List.of(
            SamplingOptions.GREEDY,
            SamplingOptions.GEMMA,
            SamplingOptions.GEMMA.toBuilder().topK(0).build())) {
      for (int at : new int[] {0, 1, 700, 4999}) {
        float[] logits = randomLogits(5000, at);
        logits[at] = Float.NaN;
        assertThatThrownBy(() -> new Sampler(options).sample(logits, 0, 5000))
            .isInstanceOf(PelicanException.class)
            .hasMessageContaining("NaN")
            .hasMessageContaining("token " + at + ",");
        logits[at] = Float.POSITIVE_INFINITY;
        assertThatThrownBy(() -> new Sampler(options).sample(logits, 0, 5000))
            .isInstanceOf(PelicanException.class)
            .hasMessageContaining("gives infinity");
      }
      float[] none = new float[100];
      Arrays.fill(none, Float.NEGATIVE_INFINITY);
      assertThatThrownBy(() -> new Sampler(options).sample(none, 0, 100))
          .isInstanceOf(PelicanException.class)
          .hasMessageContaining("negative infinity");
    }
  }

  @Test
  void optionsOutOfRangeAreNamed() {
    assertThatThrownBy(() -> new SamplingOptions.Builder().topP(1.5).build())
        .isInstanceOf(PelicanException.class)
        .hasMessage("top_p is 1.5, expected 0 to 1");
    assertThatThrownBy(() -> new SamplingOptions.Builder().temperature(Double.NaN).build())
        .hasMessageContaining("temperature is NaN");
    assertThatThrownBy(() -> new SamplingOptions.Builder().topK(-2).build())
        .hasMessage("top_k is -2, expected -1 to 2147483647");
  }

  @Test
  void logProbabilitiesAreThoseOfSoftmax() {
    float[] logits = randomLogits(5000, 21);
    logits[17] = Float.NEGATIVE_INFINITY;
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    float[] row = new float[6000];
    System.arraycopy(logits, 0, row, 500, 5000);
    assertThat(LogProbabilities.logSum(row, 500, 5000)).isCloseTo(Math.log(sum), within(1e-9));
    List<LogProbabilities.Entry> top = LogProbabilities.top(row, 500, 5000, 20);
    List<Integer> best =
        IntStream.range(0, 5000)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -logits[i]))
            .limit(20)
            .toList();
    assertThat(top).extracting(LogProbabilities.Entry::token).isEqualTo(best);
    for (LogProbabilities.Entry entry : top) {
      assertThat(entry.logProbability())
          .isCloseTo(Math.log(Math.exp(logits[entry.token()]) / sum), within(1e-9));
    }
    assertThat(LogProbabilities.top(row, 500, 5000, 9000)).hasSize(4999);
  }

  @Test
  void logProbabilitiesAddUpToOne() {
    float[] logits = randomLogits(30, 4);
    List<LogProbabilities.Entry> top = LogProbabilities.top(logits, 0, 30, 30);
    assertThat(top).hasSize(30);
    assertThat(top.stream().mapToDouble(e -> Math.exp(e.logProbability())).sum())
        .isCloseTo(1, within(1e-9));
    assertThat(top.getFirst().logProbability()).isGreaterThan(top.getLast().logProbability());
  }
}
