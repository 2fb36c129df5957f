package pelican.eval;

/** McNemar's exact test: whether two models that answered the same prompts are equally good. */
final class McNemar {
  private McNemar() {}

  /**
   * The probability that prompts which only one of two equally good models gets right are divided
   * at least as unevenly as seen: two-sided, {@code min(1, 2·Σ_{i=0..min(b,c)} C(b+c, i) /
   * 2^(b+c))}. McNemar 1947, with the binomial distribution in place of χ², which needs many
   * prompts.
   *
   * @param b prompts that only the first got right
   * @param c prompts that only the second got right
   * @return 1 if no prompt tells them apart
   */
  static double exact(int b, int c) {
    int n = b + c;
    // In logarithms: 2^-n is 0 in double precision from 1,075 prompts on.
    double logTerm = -n * Math.log(2);
    double sum = Math.exp(logTerm);
    for (int i = 1; i <= Math.min(b, c); i++) {
      logTerm += Math.log((n - i + 1.0) / i);
      sum += Math.exp(logTerm);
    }
    return Math.min(1, 2 * sum);
  }
}
