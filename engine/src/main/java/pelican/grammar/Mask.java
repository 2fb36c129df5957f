package pelican.grammar;

import java.util.Arrays;

/** A set of tokens. Immutable. */
final class Mask {
  /** Those of a small set, sorted, or null. */
  private final int[] few;

  /** A bit for each token of a large one, or null. */
  private final long[] bits;

  /** How much longer the shortest completion gets at most by a token of it, in bytes. */
  final int growth;

  private Mask(int[] few, long[] bits, int growth) {
    this.few = few;
    this.bits = bits;
    this.growth = growth;
  }

  /**
   * @param bits a bit for each token
   */
  static Mask of(long[] bits, int growth) {
    int count = 0;
    for (long word : bits) {
      count += Long.bitCount(word);
    }
    if (count > bits.length) {
      return new Mask(null, bits, growth);
    }
    int[] few = new int[count];
    int at = 0;
    for (int i = 0; i < bits.length; i++) {
      for (long word = bits[i]; word != 0; word &= word - 1) {
        few[at++] = 64 * i + Long.numberOfTrailingZeros(word);
      }
    }
    return new Mask(few, null, growth);
  }

  /** Roughly the memory it takes. */
  long size() {
    return 64 + (few != null ? 4L * few.length : 8L * bits.length);
  }

  /** Sets the logits of all tokens that are not of it to negative infinity. */
  void apply(float[] logits, int offset, int vocabulary) {
    if (few != null) {
      float[] kept = new float[few.length];
      for (int i = 0; i < few.length && few[i] < vocabulary; i++) {
        kept[i] = logits[offset + few[i]];
      }
      Arrays.fill(logits, offset, offset + vocabulary, Float.NEGATIVE_INFINITY);
      for (int i = 0; i < few.length && few[i] < vocabulary; i++) {
        logits[offset + few[i]] = kept[i];
      }
      return;
    }
    for (int i = 0; 64 * i < vocabulary; i++) {
      int first = 64 * i;
      int count = Math.min(64, vocabulary - first);
      long others = i < bits.length ? ~bits[i] : -1L;
      if (others == -1L) {
        Arrays.fill(logits, offset + first, offset + first + count, Float.NEGATIVE_INFINITY);
      } else {
        for (; others != 0; others &= others - 1) {
          int token = Long.numberOfTrailingZeros(others);
          if (token < count) {
            logits[offset + first + token] = Float.NEGATIVE_INFINITY;
          }
        }
      }
    }
  }
}
