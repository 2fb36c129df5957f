package pelican.eval;

/**
 * A share of trials with its 95 % confidence interval.
 *
 * @param right trials that succeeded
 * @param trials all trials; may be 0, and then nothing is known: the interval is 0 to 1
 * @param share {@code p = right / trials}; 0 without trials
 * @param low the interval's lower end, see {@link #of}
 * @param high its upper end
 */
public record Proportion(int right, int trials, double share, double low, double high) {
  /** The 97.5 % quantile of the standard normal distribution. */
  private static final double Z = 1.959963984540054;

  /**
   * Wilson's score interval, which unlike {@code p ± z·sqrt(p·(1 − p)/n)} stays within 0 to 1 and
   * holds for shares near them: {@code (p + z²/2n ± z·sqrt(p·(1 − p)/n + z²/4n²)) / (1 + z²/n)}
   * with n trials and z = 1.96. Wilson 1927.
   *
   * @throws IllegalArgumentException unless {@code 0 ≤ right ≤ trials}
   */
  static Proportion of(int right, int trials) {
    if (right < 0 || right > trials) {
      throw new IllegalArgumentException(right + " of " + trials);
    }
    if (trials == 0) {
      return new Proportion(0, 0, 0, 0, 1);
    }
    double n = trials;
    double p = right / n;
    double scale = 1 + Z * Z / n;
    double middle = (p + Z * Z / (2 * n)) / scale;
    double half = Z * Math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / scale;
    // Rounding must not push an end past what it is when none or all succeed.
    double low = right == 0 ? 0 : middle - half;
    double high = right == trials ? 1 : middle + half;
    return new Proportion(right, trials, p, low, high);
  }
}
