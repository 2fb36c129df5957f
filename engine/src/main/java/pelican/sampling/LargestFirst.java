package pelican.sampling;

import java.util.Arrays;
import pelican.engine.PelicanException;

/**
 * Finds the largest of many numbers, in order, without sorting the others. Allocates nothing once
 * it has seen its largest selection.
 */
final class LargestFirst {
  /** Numbers of one block are compared with the least one kept all at once. */
  private static final int BLOCK = 512;

  /** The number in the high bits, in an order that longs sort by; the inverted index in the low. */
  private long[] keys = new long[64];

  private int size;

  /**
   * Selects the {@code k} largest numbers; of equal ones those of the smallest index. Negative
   * infinity is never selected.
   *
   * @throws PelicanException if one of the numbers is NaN
   */
  void select(float[] scores, int offset, int length, int k) {
    if (keys.length < k) {
      keys = new long[k];
    }
    size = 0;
    float least = Float.NEGATIVE_INFINITY;
    for (int from = 0; from < length; from += BLOCK) {
      int to = Math.min(length, from + BLOCK);
      // Once k are found, hardly any block has a larger one. NaN passes through the maximum and is
      // not below anything, so that it is always looked at.
      if (size < k || !(largest(scores, offset + from, offset + to) <= least)) {
        least = scan(scores, offset, from, to, k, least);
      }
    }
    Arrays.sort(keys, 0, size);
    for (int i = 0, j = size - 1; i < j; i++, j--) {
      long key = keys[i];
      keys[i] = keys[j];
      keys[j] = key;
    }
  }

  private static float largest(float[] scores, int from, int to) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = from; i < to; i++) {
      max = Math.max(max, scores[i]);
    }
    return max;
  }

  /** Takes what is larger than the least of a block; keys become a min-heap once there are k. */
  private float scan(float[] scores, int offset, int from, int to, int k, float leastSoFar) {
    float least = leastSoFar;
    for (int i = from; i < to; i++) {
      float score = scores[offset + i];
      if (score > least) {
        long key = key(score, i);
        if (size < k) {
          keys[size++] = key;
          if (size == k) {
            for (int root = k / 2 - 1; root >= 0; root--) {
              siftDown(root, keys[root]);
            }
            least = scoreOf(keys[0]);
          }
        } else {
          siftDown(0, key);
          least = scoreOf(keys[0]);
        }
      } else if (Float.isNaN(score)) {
        throw new PelicanException(
            "the model gives no number (NaN) as the logit of token "
                + i
                + ", expected finite numbers: is the model file damaged?");
      }
    }
    return least;
  }

  private void siftDown(int from, long key) {
    int at = from;
    while (2 * at + 1 < size) {
      int child = 2 * at + 1;
      if (child + 1 < size && keys[child + 1] < keys[child]) {
        child++;
      }
      if (keys[child] >= key) {
        break;
      }
      keys[at] = keys[child];
      at = child;
    }
    keys[at] = key;
  }

  private static long key(float score, int index) {
    int bits = Float.floatToRawIntBits(score);
    int ordered = bits >= 0 ? bits : bits ^ 0x7fffffff;
    return (long) ordered << 32 | ~index & 0xffffffffL;
  }

  private static float scoreOf(long key) {
    int ordered = (int) (key >> 32);
    return Float.intBitsToFloat(ordered >= 0 ? ordered : ordered ^ 0x7fffffff);
  }

  /** How many were found: k, or fewer if there are no more. */
  int size() {
    return size;
  }

  /** The index of the number that {@code rank} others precede. */
  int index(int rank) {
    return ~(int) keys[rank];
  }

  /** The number itself. */
  float score(int rank) {
    return scoreOf(keys[rank]);
  }
}
