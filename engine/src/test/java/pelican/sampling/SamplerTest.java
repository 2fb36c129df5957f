package pelican.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
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

  private static float[] randomLogits(int size, long seed) {
    Random random = new Random(seed);
    float[] logits = new float[size];
    for (int i = 0; i < size; i++) {
      logits[i] = (float) random.nextGaussian() * 2;
    }
    return logits;
  }

  /** The distribution that the options ask for, computed the plain way. */
  private static double[] reference(float[] logits, SamplingOptions o) {
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
      while (n < p.length && sum < o.topP()) {
        sum += p[n++];
      }
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
    for (int i = 0; i < logits.length; i++) {
      double deviation = Math.sqrt(expected[i] * (1 - expected[i]) / DRAWS);
      assertThat((double) counts[i] / DRAWS).isCloseTo(expected[i], within(5 * deviation));
    }
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
    Candidates candidates = new Candidates();
    candidates.select(logits, 0, logits.length, 64);
    int[] expected =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer i) -> -logits[i]).thenComparing(i -> i))
            .limit(64)
            .mapToInt(i -> i)
            .toArray();
    assertThat(java.util.Arrays.copyOf(candidates.ids, candidates.size)).isEqualTo(expected);
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

  @Test
  void aConstraintForbidsTokens() {
    List<Integer> accepted = new ArrayList<>();
    TokenConstraint odd =
        new TokenConstraint() {
          @Override
          public void mask(float[] logits) {
            for (int i = 0; i < logits.length; i += 2) {
              logits[i] = Float.NEGATIVE_INFINITY;
            }
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
    float[] logits = {Float.NaN, Float.NaN};
    assertThatThrownBy(() -> new Sampler(SamplingOptions.GREEDY).sample(logits, 0, 2))
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining("no usable logits");
  }

  @Test
  void optionsOutOfRangeAreNamed() {
    assertThatThrownBy(() -> new SamplingOptions.Builder().topP(1.5).build())
        .isInstanceOf(PelicanException.class)
        .hasMessage("top_p is 1.5, expected 0 to 1");
    assertThatThrownBy(() -> new SamplingOptions.Builder().temperature(Double.NaN).build())
        .hasMessageContaining("temperature is NaN");
    assertThatThrownBy(() -> new SamplingOptions.Builder().topK(-1).build())
        .hasMessage("top_k is -1, expected 0 to 2147483647");
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
