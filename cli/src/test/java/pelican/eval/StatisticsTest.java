package pelican.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Intervals and tests against published and exactly computed values. */
class StatisticsTest {
  /** Table I of Newcombe, Statistics in Medicine 17 (1998), method 3. */
  @ParameterizedTest
  @CsvSource({
    "81,263,0.2553,0.3662",
    "15,148,0.0624,0.1605",
    "0,20,0,0.1611",
    "1,29,0.0061,0.1718",
    "20,20,0.8389,1"
  })
  void intervalsAreThePublishedOnes(int right, int trials, double low, double high) {
    Proportion found = Proportion.of(right, trials);
    assertThat(found.share()).isEqualTo((double) right / trials);
    assertThat(found.low()).isCloseTo(low, within(5e-5));
    assertThat(found.high()).isCloseTo(high, within(5e-5));
  }

  @ParameterizedTest
  @CsvSource({"0,0", "0,1", "1,1", "500,1000", "999999,1000000"})
  void intervalsHoldTheShare(int right, int trials) {
    Proportion found = Proportion.of(right, trials);
    assertThat(found.low()).isBetween(0.0, found.share());
    assertThat(found.high()).isBetween(found.share(), 1.0);
  }

  /** Sums of binomial coefficients in exact fractions. */
  @ParameterizedTest
  @CsvSource({
    "1,6,0.125",
    "0,5,0.0625",
    "10,25,0.01667384780012071",
    "3,3,1",
    "0,0,1",
    "700,800,0.010559255466711544",
    "2,0,0.5"
  })
  void exactTestSumsTheBinomialDistribution(int b, int c, double p) {
    assertThat(McNemar.exact(b, c)).isCloseTo(p, within(1e-12 + 1e-9 * p));
    assertThat(McNemar.exact(c, b)).isEqualTo(McNemar.exact(b, c));
  }
}
