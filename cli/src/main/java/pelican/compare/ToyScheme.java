package pelican.compare;

/**
 * The simplest quantization to whole numbers, to be tried by hand: one scale for all weights, no
 * minimum.
 *
 * @param bits bits of each integer, 2 to 8
 * @param scale {@code max |w| / (2^(bits − 1) − 1)}; 0 if all weights are 0
 * @param integers {@code round(w / scale)}, halves away from zero
 * @param weights what the integers stand for: {@code integer · scale}
 */
record ToyScheme(int bits, double scale, int[] integers, double[] weights) {
  /** The weight that the laboratory begins with. */
  static final double FIRST = 0.156347;

  static ToyScheme of(double[] weights, int bits) {
    if (bits < 2 || bits > 8) {
      throw new IllegalArgumentException(bits + " bits, expected 2 to 8");
    }
    double max = 0;
    for (double weight : weights) {
      max = Math.max(max, Math.abs(weight));
    }
    double scale = max / ((1 << bits - 1) - 1);
    int[] integers = new int[weights.length];
    double[] reconstructed = new double[weights.length];
    for (int i = 0; i < weights.length; i++) {
      double steps = scale == 0 ? 0 : weights[i] / scale;
      integers[i] = (int) (Math.signum(steps) * Math.floor(Math.abs(steps) + 0.5));
      reconstructed[i] = integers[i] * scale;
    }
    return new ToyScheme(bits, scale, integers, reconstructed);
  }
}
