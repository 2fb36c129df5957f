package pelican.gemma;

/**
 * Rotary position embedding: pair i of a head of size d is rotated by {@code position ·
 * base^(−2i/d) / factor[i]} (Su et al. 2021; the factors are how Gemma 4 leaves most pairs of
 * global layers alone).
 */
final class Rope {
  private final double[] frequencies;

  /**
   * @param factors divisors of the frequencies, size/2 of them, or null for 1
   */
  Rope(int size, float base, float[] factors) {
    frequencies = new double[size / 2];
    for (int i = 0; i < frequencies.length; i++) {
      double divisor = factors == null ? 1 : factors[i];
      frequencies[i] = Math.pow(base, -2.0 * i / size) / divisor;
    }
  }

  /** Pairs in a head. */
  int pairs() {
    return frequencies.length;
  }

  /** Writes the cosines and sines of a position's angles, {@link #pairs} of each. */
  void angles(int position, float[] cosines, float[] sines, int offset) {
    for (int i = 0; i < frequencies.length; i++) {
      double angle = position * frequencies[i];
      cosines[offset + i] = (float) Math.cos(angle);
      sines[offset + i] = (float) Math.sin(angle);
    }
  }
}
