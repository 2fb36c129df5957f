package pelican.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pelican.engine.PelicanException;

/** Drawing what a constraint allows without masking what it forbids. */
class AllowedDrawTest {
  private static final int VOCABULARY = 2_000;

  /** Allows some tokens, and counts how often it is asked. */
  private static final class Some implements TokenConstraint {
    private final BitSet allowed;
    private int asked;
    private int masked;

    Some(BitSet allowed) {
      this.allowed = allowed;
    }

    @Override
    public void mask(float[] logits, int offset, int vocabulary) {
      masked++;
      for (int i = 0; i < vocabulary; i++) {
        if (!allowed.get(i)) {
          logits[offset + i] = Float.NEGATIVE_INFINITY;
        }
      }
    }

    @Override
    public boolean allows(int token) {
      asked++;
      return allowed.get(token);
    }

    @Override
    public void accept(int token) {
      assertThat(allowed.get(token)).isTrue();
    }
  }

  /** Logits of which a few stand out by more, the larger {@code peak} is. */
  private static float[] logits(Random random, double peak) {
    float[] logits = new float[VOCABULARY];
    for (int i = 0; i < VOCABULARY; i++) {
      double level = random.nextInt(400) == 0 ? peak : 0;
      // Some are equal, some are far below all others.
      logits[i] = Math.round((random.nextGaussian() + level) * 4096) / 4096f;
      if (random.nextInt(50) == 0) {
        logits[i] = random.nextInt(2) == 0 ? Float.NEGATIVE_INFINITY : -300;
      }
    }
    return logits;
  }

  private static BitSet some(Random random, double share) {
    BitSet allowed = new BitSet();
    for (int i = 0; i < VOCABULARY; i++) {
      allowed.set(i, random.nextDouble() < share);
    }
    allowed.set(random.nextInt(VOCABULARY));
    return allowed;
  }

  @ParameterizedTest
  @CsvSource({
    "0.0, 64, 0.95, 0.0, 1.0",
    "1.0, 64, 0.95, 0.0, 1.0",
    "1.0, 64, 1.0, 0.0, 1.0",
    "2.0, 40, 0.9, 0.05, 1.0",
    "0.2, 40, 1.0, 0.1, 1.0",
    "0.001, 64, 0.95, 0.0, 1.0",
    "1.0, 1, 1.0, 0.0, 1.0",
    "1.0, 64, 0.0, 0.0, 1.0",
    "1.3, 900, 0.8, 0.0, 1.0",
    "1.0, 900, 1.0, 1.0, 1.0",
    "1.0, 0, 0.9, 0.0, 1.0",
    "0.7, 0, 0.99, 0.02, 1.0",
    "1.0, 64, 0.95, 0.0, 0.8",
  })
  void drawsWhatMaskingFirstDraws(
      double temperature, int topK, double topP, double minP, double typicalP) {
    Random random = new Random(31);
    int unmasked = 0;
    int runs = 400;
    for (int run = 0; run < runs; run++) {
      SamplingOptions options =
          new SamplingOptions.Builder()
              .temperature(temperature)
              .topK(topK)
              .topP(topP)
              .minP(minP)
              .typicalP(typicalP)
              .repeatPenalty(1.1)
              .presencePenalty(0.1)
              .seed(run)
              .build();
      float[] logits = logits(random, run % 5 * 4);
      Some constraint = new Some(some(random, run % 3 == 0 ? 0.02 : run % 3 == 1 ? 0.5 : 0.9));
      float[] masked = logits.clone();
      constraint.mask(masked, 0, VOCABULARY);
      float top = Float.NEGATIVE_INFINITY;
      for (float logit : masked) {
        top = Math.max(top, logit);
      }
      if (top == Float.NEGATIVE_INFINITY) {
        continue;
      }
      constraint.masked = 0;
      Sampler reference = new Sampler(options);
      Sampler sampler = new Sampler(options, constraint);
      for (int i = 0; i < VOCABULARY; i += 7) {
        reference.see(i);
        sampler.see(i);
      }
      float[] row = new float[VOCABULARY + 9];
      System.arraycopy(logits, 0, row, 9, VOCABULARY);
      assertThat(sampler.sample(row, 9, VOCABULARY))
          .as("run %d", run)
          .isEqualTo(reference.sample(masked, 0, VOCABULARY));
      unmasked += constraint.masked == 0 ? 1 : 0;
    }
    assertThat(unmasked).isGreaterThanOrEqualTo(typicalP < 1 ? 0 : runs / 5);
  }

  @ParameterizedTest
  @CsvSource({
    "1.0, 0, 1.0, 0.0, 0",
    "1.0, 0, 1.0, 0.0, 9",
    "0.8, 0, 1.0, 0.01, 3",
    "1.5, 64, 1.0, 0.0, 6",
    "1.0, 64, 0.95, 0.0, 6",
    "1.0, 64, 0.95, 0.0, 0",
    "1.0, 0, 0.9, 0.0, 2",
  })
  void theDistributionIsTheMaskedOne(
      double temperature, int topK, double topP, double minP, double peak) {
    int draws = 20_000;
    Random random = new Random(12);
    float[] logits = logits(random, peak);
    Some constraint = new Some(some(random, 0.4));
    SamplingOptions options =
        new SamplingOptions.Builder()
            .temperature(temperature)
            .topK(topK)
            .topP(topP)
            .minP(minP)
            .seed(5)
            .build();
    float[] masked = logits.clone();
    constraint.mask(masked, 0, VOCABULARY);
    double[] expected = SamplerTest.reference(masked, options);
    int[] counts = new int[VOCABULARY];
    Sampler sampler = new Sampler(options, constraint);
    for (int i = 0; i < draws; i++) {
      counts[sampler.sample(logits.clone(), 0, VOCABULARY)]++;
    }
    SamplerTest.assertDrawnFrom(expected, counts, draws);
  }

  @Test
  void asksLittleWhereTheModelIsSure() {
    Random random = new Random(4);
    for (SamplingOptions options :
        new SamplingOptions[] {
          SamplingOptions.GREEDY,
          SamplingOptions.GEMMA,
          SamplingOptions.GEMMA.toBuilder().topP(1).build(),
          SamplingOptions.GEMMA.toBuilder().topK(0).topP(1).build()
        }) {
      Some constraint = new Some(some(random, 0.3));
      int runs = 50;
      Sampler sampler = new Sampler(options.toBuilder().seed(1).build(), constraint);
      for (int run = 0; run < runs; run++) {
        float[] logits = logits(random, 0);
        int sure = constraint.allowed.nextSetBit(random.nextInt(VOCABULARY / 2));
        logits[sure] = 30;
        logits[constraint.allowed.nextClearBit(random.nextInt(VOCABULARY / 2))] = 31;
        assertThat(sampler.sample(logits, 0, VOCABULARY)).isEqualTo(sure);
      }
      assertThat(constraint.asked).isEqualTo(2 * runs);
      assertThat(constraint.masked).isZero();
    }
  }

  @Test
  void saysThatNothingIsAllowedAndNotThatTheModelIsDamaged() {
    for (int topK : new int[] {0, 1, 64}) {
      SamplingOptions options = SamplingOptions.GEMMA.toBuilder().topK(topK).build();
      Sampler sampler = new Sampler(options, new Some(new BitSet()));
      assertThatThrownBy(() -> sampler.sample(new float[VOCABULARY], 0, VOCABULARY))
          .isInstanceOf(PelicanException.class)
          .hasMessageContaining("constraint forbids all");
      float[] none = new float[VOCABULARY];
      Arrays.fill(none, Float.NEGATIVE_INFINITY);
      assertThatThrownBy(() -> sampler.sample(none, 0, VOCABULARY))
          .hasMessageContaining("negative infinity");
      float[] infinite = new float[VOCABULARY];
      infinite[3] = Float.POSITIVE_INFINITY;
      assertThatThrownBy(() -> sampler.sample(infinite, 0, VOCABULARY))
          .hasMessageContaining("gives infinity");
      float[] damaged = new float[VOCABULARY];
      damaged[1999] = Float.NaN;
      assertThatThrownBy(() -> sampler.sample(damaged, 0, VOCABULARY)).hasMessageContaining("NaN");
    }
  }
}
