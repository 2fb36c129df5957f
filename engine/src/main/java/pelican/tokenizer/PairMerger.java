package pelican.tokenizer;

import java.util.Arrays;

/**
 * Turns a run of text into tokens: begins with one symbol for each character and merges neighbours,
 * best priority first and leftmost first among equals, until none merge. A heap of candidate pairs
 * makes that O(n log n).
 */
final class PairMerger {
  private static final int GONE = -2;

  private final Vocabulary vocabulary;
  private final MergeRule rule;
  private final CharacterPairs pairs;

  // Symbols of a part of the run: a doubly linked list over arrays.
  private int[] start = new int[64];
  private int[] next = new int[64];
  private int[] previous = new int[64];

  /** The token of each symbol; -1 for a character without one; GONE once merged into its left. */
  private int[] id = new int[64];

  /** What each symbol and its right neighbour merge into, as {@link MergeRule#merge} gives it. */
  private long[] candidate = new long[64];

  /** Candidates: priority in the high 32 bits, left symbol in the low ones; a binary min-heap. */
  private long[] heap = new long[64];

  private int heapSize;
  private byte[] text;
  private int end;

  PairMerger(Vocabulary vocabulary, MergeRule rule, CharacterPairs pairs) {
    this.vocabulary = vocabulary;
    this.rule = rule;
    this.pairs = pairs;
  }

  /** Appends the tokens of the UTF-8 text [from, to). */
  void encode(byte[] utf8, int from, int to, IntList out) {
    text = utf8;
    int count = 0;
    int left = 0;
    for (int at = from; at < to; ) {
      int length = Utf8.length(text, at, to);
      int right = Utf8.packed(text, at, length);
      if (count > 0 && !pairs.mayMerge(left, right)) {
        part(count, at, out);
        count = 0;
      }
      if (count == start.length) {
        grow();
      }
      start[count] = at;
      id[count] = vocabulary.findText(text, at, at + length);
      count++;
      left = right;
      at += length;
    }
    part(count, to, out);
  }

  private void grow() {
    int size = 2 * start.length;
    start = Arrays.copyOf(start, size);
    next = Arrays.copyOf(next, size);
    previous = Arrays.copyOf(previous, size);
    id = Arrays.copyOf(id, size);
    candidate = Arrays.copyOf(candidate, size);
  }

  /** Merges the first {@code count} symbols, which end at {@code to}, and appends their tokens. */
  private void part(int count, int to, IntList out) {
    end = to;
    for (int i = 0; i < count; i++) {
      previous[i] = i - 1;
      next[i] = i + 1 < count ? i + 1 : -1;
    }
    heapSize = 0;
    for (int i = 0; i + 1 < count; i++) {
      offer(i);
    }
    while (heapSize > 0) {
      long best = pop();
      int left = (int) best;
      // A symbol may have merged otherwise since this was offered, or found a new neighbour.
      if (id[left] != GONE
          && candidate[left] != MergeRule.NONE
          && candidate[left] >> 32 == best >> 32) {
        merge(left);
      }
    }
    for (int i = 0; i >= 0 && i < count; i = next[i]) {
      emit(i, out);
    }
  }

  private int endOf(int symbol) {
    return next[symbol] < 0 ? end : start[next[symbol]];
  }

  private void merge(int left) {
    int right = next[left];
    id[left] = (int) candidate[left];
    id[right] = GONE;
    next[left] = next[right];
    if (next[left] >= 0) {
      previous[next[left]] = left;
      offer(left);
    } else {
      candidate[left] = MergeRule.NONE;
    }
    if (previous[left] >= 0) {
      offer(previous[left]);
    }
  }

  private void offer(int left) {
    int right = next[left];
    long merge = rule.merge(id[left], id[right], text, start[left], endOf(right));
    candidate[left] = merge;
    if (merge != MergeRule.NONE) {
      push(merge >> 32 << 32 | left);
    }
  }

  private void push(long value) {
    if (heapSize == heap.length) {
      heap = Arrays.copyOf(heap, 2 * heapSize);
    }
    int at = heapSize++;
    while (at > 0 && heap[at - 1 >> 1] > value) {
      heap[at] = heap[at - 1 >> 1];
      at = at - 1 >> 1;
    }
    heap[at] = value;
  }

  private long pop() {
    long top = heap[0];
    long value = heap[--heapSize];
    int at = 0;
    while (2 * at + 1 < heapSize) {
      int child = 2 * at + 1;
      if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= value) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = value;
    return top;
  }

  private void emit(int symbol, IntList out) {
    if (id[symbol] >= 0) {
      out.add(id[symbol]);
    } else {
      vocabulary.addFallback(text, start[symbol], endOf(symbol), out);
    }
  }
}
