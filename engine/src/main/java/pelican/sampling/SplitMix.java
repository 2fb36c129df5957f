package pelican.sampling;

/**
 * Random numbers that depend on the seed alone, for all versions of Java and this engine. Steele,
 * Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators" (SplitMix64): unlike those
 * of {@link java.util.Random}, the first numbers of neighbouring seeds have nothing in common.
 */
final class SplitMix {
  private long state;

  SplitMix(long seed) {
    state = seed;
  }

  /** The next number, from 0 inclusive to 1 exclusive, in steps of 2⁻⁵³. */
  double next() {
    state += 0x9E3779B97F4A7C15L;
    long z = (state ^ state >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return ((z ^ z >>> 31) >>> 11) * 0x1p-53;
  }
}
