package pelican.gemma;

import java.util.ArrayList;
import java.util.List;
import pelican.kernel.Kernels;

/**
 * Keys and values of one layer of one sequence, in half or single precision, in pages of {@value
 * #PAGE} positions that are allocated when first written. A sliding layer re-uses its pages in a
 * ring.
 *
 * <p>Keys of a page are [heads][positions][head size]. Values are
 * [heads][strips][positions][{@value #STRIP}], so that threads can share the sums of a head by
 * strips and each reads what is contiguous.
 */
final class KvLayer {
  static final int PAGE = 64;

  /** Values of a strip: a cache line of halves. Every head size is a multiple of it. */
  static final int STRIP = 32;

  private final int heads;
  private final int headSize;
  private final int ringPages;
  private final boolean half;
  private final List<Page> pages = new ArrayList<>();

  /** Keys and values of {@value #PAGE} positions: halves or floats, the others are null. */
  private record Page(short[] keys, short[] values, float[] floatKeys, float[] floatValues) {}

  /**
   * @param ringPages how many pages the ring has, or 0 for as many as the sequence needs
   * @param half whether keys and values are kept in half precision
   */
  KvLayer(int heads, int headSize, int ringPages, boolean half) {
    this.half = half;
    this.heads = heads;
    this.headSize = headSize;
    this.ringPages = ringPages;
  }

  /** How many of the last positions are kept at least. */
  int capacity() {
    return ringPages == 0 ? Integer.MAX_VALUE : ringPages * PAGE;
  }

  /** Makes room for the positions [from, to). */
  void reserve(int from, int to) {
    int size = heads * PAGE * headSize;
    for (int page = from / PAGE; page <= (to - 1) / PAGE; page++) {
      int slot = slot(page);
      while (pages.size() <= slot) {
        pages.add(
            half
                ? new Page(new short[size], new short[size], null, null)
                : new Page(null, null, new float[size], new float[size]));
      }
    }
  }

  /** How many strips a head's values are kept in. */
  int strips() {
    return headSize / STRIP;
  }

  /** Stores a head's key and value for a position. */
  void store(Kernels kernels, int position, int head, float[] k, float[] v, int from) {
    Page page = page(position);
    int offset = keyOffset(position, head);
    if (half) {
      kernels.toHalf(k, from, page.keys, offset, headSize);
    } else {
      System.arraycopy(k, from, page.floatKeys, offset, headSize);
    }
    for (int strip = 0; strip < strips(); strip++) {
      int source = from + strip * STRIP;
      int target = valueOffset(position, head, strip);
      if (half) {
        kernels.toHalf(v, source, page.values, target, STRIP);
      } else {
        System.arraycopy(v, source, page.floatValues, target, STRIP);
      }
    }
  }

  /** {@link Kernels#scores} with the keys of positions in one page. */
  void scores(
      Kernels kernels,
      float[] q,
      int[] qOffsets,
      int rows,
      int position,
      int head,
      int positions,
      float[] out,
      int outOffset,
      int outStride) {
    Page page = page(position);
    int offset = keyOffset(position, head);
    if (half) {
      kernels.scores(
          q, qOffsets, rows, page.keys, offset, positions, headSize, out, outOffset, outStride);
    } else {
      kernels.scores(
          q,
          qOffsets,
          rows,
          page.floatKeys,
          offset,
          positions,
          headSize,
          out,
          outOffset,
          outStride);
    }
  }

  /** {@link Kernels#weightedSum} with a strip of the values of positions in one page. */
  void weightedSum(
      Kernels kernels,
      float[] p,
      int pOffset,
      int pStride,
      int rows,
      int position,
      int head,
      int strip,
      int positions,
      float[] out,
      int[] outOffsets) {
    Page page = page(position);
    int offset = valueOffset(position, head, strip);
    int column = strip * STRIP;
    if (half) {
      kernels.weightedSum(
          p,
          pOffset,
          pStride,
          rows,
          page.values,
          offset,
          positions,
          STRIP,
          out,
          outOffsets,
          column);
    } else {
      kernels.weightedSum(
          p,
          pOffset,
          pStride,
          rows,
          page.floatValues,
          offset,
          positions,
          STRIP,
          out,
          outOffsets,
          column);
    }
  }

  private Page page(int position) {
    return pages.get(slot(position / PAGE));
  }

  /** Where in its page a head's key for a position begins. */
  private int keyOffset(int position, int head) {
    return (head * PAGE + position % PAGE) * headSize;
  }

  /** Where in its page a strip of a head's value for a position begins. */
  private int valueOffset(int position, int head, int strip) {
    return ((head * strips() + strip) * PAGE + position % PAGE) * STRIP;
  }

  /** Bytes allocated. */
  long bytes() {
    return (half ? 2L : 4L) * 2 * pages.size() * heads * PAGE * headSize;
  }

  private int slot(int page) {
    return ringPages == 0 ? page : page % ringPages;
  }
}
