package pelican.compare;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The divergence of a model from the reference over the positions of texts, with the definitions of
 * llama.cpp's {@code llama-perplexity --kl-divergence}. Uncertainties are one standard deviation,
 * as if positions were independent.
 *
 * @param positions how many positions were compared
 * @param kl mean of {@link Divergence#kl}, in nats for each token
 * @param klMedian its median
 * @param kl95 its 95th percentile, see {@link Estimate#quantile}
 * @param kl99 its 99th percentile
 * @param klMax its greatest value
 * @param sameTop the share a of positions with the same likeliest token; uncertainty {@code sqrt(a
 *     · (1 − a) / (n − 1))}
 * @param shift mean Δp
 * @param shiftRms {@code r = sqrt(mean(Δp²))}; uncertainty σ(mean(Δp²)) / (2·r)
 * @param referencePerplexity {@code exp(mean(−ln p))}; uncertainty: that of the mean, times the
 *     perplexity
 * @param perplexity {@code exp(mean(−ln q))}, in the same way
 * @param logRatio {@code ln(perplexity / referencePerplexity)}; uncertainty {@code sqrt(σ_q² + σ_p²
 *     − 2·cov(q, p))}, as both are of the same text
 * @param histogram how many positions have a divergence in each quarter of a decade
 */
record DivergenceStatistics(
    int positions,
    Estimate kl,
    double klMedian,
    double kl95,
    double kl99,
    double klMax,
    Estimate sameTop,
    Estimate shift,
    Estimate shiftRms,
    Estimate referencePerplexity,
    Estimate perplexity,
    Estimate logRatio,
    List<Bin> histogram) {
  /** The least exponent of ten that the histogram tells apart; smaller divergences count there. */
  private static final int LEAST_EXPONENT = -10;

  private static final int BINS_PER_DECADE = 4;

  /**
   * A bar of the histogram.
   *
   * @param exponent the logarithm to base 10 of the divergence where it begins
   * @param count positions in it
   */
  record Bin(double exponent, int count) {}

  /**
   * The statistics of some positions.
   *
   * @param all at least one
   */
  static DivergenceStatistics of(List<Divergence> all) {
    int n = all.size();
    double[] kl = values(all, Divergence::kl);
    double[] shifts = values(all, Divergence::shift);
    double[] squares = Arrays.stream(shifts).map(x -> x * x).toArray();
    double[] p = values(all, Divergence::referenceLoss);
    double[] q = values(all, Divergence::loss);
    double[] sorted = kl.clone();
    Arrays.sort(sorted);
    double same = all.stream().filter(Divergence::sameTop).count() / (double) n;
    Estimate square = Estimate.ofMean(squares);
    double rms = Math.sqrt(square.value());
    Estimate meanP = Estimate.ofMean(p);
    Estimate meanQ = Estimate.ofMean(q);
    double covariance =
        n < 2 ? 0 : Estimate.covariance(q, meanQ.value(), p, meanP.value()) / (n - 1);
    double ratioVariance =
        meanQ.uncertainty() * meanQ.uncertainty()
            + meanP.uncertainty() * meanP.uncertainty()
            - 2 * covariance;
    return new DivergenceStatistics(
        n,
        Estimate.ofMean(kl),
        Estimate.quantile(sorted, 0.5),
        Estimate.quantile(sorted, 0.95),
        Estimate.quantile(sorted, 0.99),
        sorted[n - 1],
        new Estimate(same, n < 2 ? 0 : Math.sqrt(same * (1 - same) / (n - 1))),
        Estimate.ofMean(shifts),
        new Estimate(rms, rms == 0 ? 0 : square.uncertainty() / (2 * rms)),
        perplexity(meanP),
        perplexity(meanQ),
        new Estimate(meanQ.value() - meanP.value(), Math.sqrt(Math.max(0, ratioVariance))),
        histogram(kl));
  }

  private static double[] values(List<Divergence> all, ToDoubleFunction<Divergence> part) {
    return all.stream().mapToDouble(part).toArray();
  }

  private static Estimate perplexity(Estimate loss) {
    double value = Math.exp(loss.value());
    return new Estimate(value, value * loss.uncertainty());
  }

  private static List<Bin> histogram(double[] kl) {
    int[] counts = new int[(2 - LEAST_EXPONENT) * BINS_PER_DECADE];
    for (double value : kl) {
      // Rounding can make the divergence of equal distributions a little negative.
      double exponent = value <= 0 ? LEAST_EXPONENT : Math.log10(value);
      int bin = (int) Math.floor((exponent - LEAST_EXPONENT) * BINS_PER_DECADE);
      counts[Math.clamp(bin, 0, counts.length - 1)]++;
    }
    int first = 0;
    while (first < counts.length - 1 && counts[first] == 0) {
      first++;
    }
    int end = counts.length;
    while (end > first + 1 && counts[end - 1] == 0) {
      end--;
    }
    return IntStream.range(first, end)
        .mapToObj(i -> new Bin(LEAST_EXPONENT + (double) i / BINS_PER_DECADE, counts[i]))
        .toList();
  }
}
