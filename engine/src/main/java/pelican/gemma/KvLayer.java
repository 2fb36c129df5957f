package pelican.gemma;

import java.util.ArrayList;
import java.util.List;

/**
 * Keys and values of one layer of one sequence, in half precision, in pages of {@value #PAGE}
 * positions that are allocated when first written. Within a page, a head's positions are contiguous.
 * A sliding layer re-uses its pages in a ring.
 */
final class KvLayer {
  static final int PAGE = 64;

  private final int heads;
  private final int headSize;
  private final int ringPages;
  private final List<short[]> keys = new ArrayList<>();
  private final List<short[]> values = new ArrayList<>();

  /**
   * @param ringPages how many pages the ring has, or 0 for as many as the sequence needs
   */
  KvLayer(int heads, int headSize, int ringPages) {
    this.heads = heads;
    this.headSize = headSize;
    this.ringPages = ringPages;
  }

  int headSize() {
    return headSize;
  }

  /** How many of the last positions are kept at least. */
  int capacity() {
    return ringPages == 0 ? Integer.MAX_VALUE : ringPages * PAGE;
  }

  /** Makes room for the positions [from, to). */
  void reserve(int from, int to) {
    for (int page = from / PAGE; page <= (to - 1) / PAGE; page++) {
      int slot = slot(page);
      while (keys.size() <= slot) {
        keys.add(new short[heads * PAGE * headSize]);
        values.add(new short[heads * PAGE * headSize]);
      }
    }
  }

  /** The page that holds a position's keys. */
  short[] keys(int position) {
    return keys.get(slot(position / PAGE));
  }

  /** The page that holds a position's values. */
  short[] values(int position) {
    return values.get(slot(position / PAGE));
  }

  /** Where in its page a head's vector for a position begins. */
  int offset(int position, int head) {
    return (head * PAGE + position % PAGE) * headSize;
  }

  /** Bytes allocated. */
  long bytes() {
    return 2L * 2 * keys.size() * heads * PAGE * headSize;
  }

  private int slot(int page) {
    return ringPages == 0 ? page : page % ringPages;
  }
}
