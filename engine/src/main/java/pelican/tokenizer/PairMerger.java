package pelican.tokenizer;

import java.util.Arrays;

/**
 * Turns a run of text into tokens: begins with one symbol for each character and merges neighbours,
 * best priority first and leftmost first among equals, until none merge. A heap of candidate pairs
 * makes that O(n log n).
 */
final class PairMerger {
  private final Vocabulary vocabulary;
  private final PairPriority priority;

  // Symbols of the run: a doubly linked list over arrays.
  private int[] start = new int[64];
  private int[] next = new int[64];
  private int[] previous = new int[64];
  private int[] id = new int[64];

  /** Candidates: priority in the high 32 bits, left symbol in the low ones; a binary min-heap. */
  private long[] heap = new long[64];

  private int heapSize;
  private byte[] text;
  private int end;

  PairMerger(Vocabulary vocabulary, PairPriority priority) {
    this.vocabulary = vocabulary;
    this.priority = priority;
  }

  /** Appends the tokens of the UTF-8 text [from, to). */
  void encode(byte[] utf8, int from, int to, IntList out) {
    text = utf8;
    end = to;
    int count = symbols(from);
    heapSize = 0;
    for (int i = 0; i + 1 < count; i++) {
      offer(i);
    }
    while (heapSize > 0) {
      long best = pop();
      int left = (int) best;
      // What was a candidate when it was offered may have merged otherwise since.
      if (start[left] >= 0 && next[left] >= 0 && priorityOf(left) == (int) (best >> 32)) {
        merge(left);
      }
    }
    for (int i = 0; i >= 0 && i < count; i = next[i]) {
      emit(i, out);
    }
  }

  private int symbols(int from) {
    int count = 0;
    for (int at = from; at < end; count++) {
      if (count + 1 >= start.length) {
        grow();
      }
      int length = Math.min(Utf8.length(text[at]), end - at);
      start[count] = at;
      id[count] = vocabulary.findText(text, at, at + length);
      previous[count] = count - 1;
      next[count] = count + 1;
      at += length;
    }
    if (count > 0) {
      next[count - 1] = -1;
    }
    return count;
  }

  private void grow() {
    int size = 2 * start.length;
    start = Arrays.copyOf(start, size);
    next = Arrays.copyOf(next, size);
    previous = Arrays.copyOf(previous, size);
    id = Arrays.copyOf(id, size);
  }

  private int endOf(int symbol) {
    return next[symbol] < 0 ? end : start[next[symbol]];
  }

  private int mergedId(int left) {
    return vocabulary.findText(text, start[left], endOf(next[left]));
  }

  private int priorityOf(int left) {
    return priority.of(id[left], id[next[left]], mergedId(left));
  }

  private void merge(int left) {
    int right = next[left];
    id[left] = mergedId(left);
    next[left] = next[right];
    start[right] = -1;
    if (next[left] >= 0) {
      previous[next[left]] = left;
      offer(left);
    }
    if (previous[left] >= 0) {
      offer(previous[left]);
    }
  }

  private void offer(int left) {
    int value = priorityOf(left);
    if (value != PairPriority.NEVER) {
      push((long) value << 32 | left);
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
      return;
    }
    for (int i = start[symbol]; i < endOf(symbol); i++) {
      int token = vocabulary.byteToken(text[i] & 0xff);
      if (token >= 0) {
        out.add(token);
      }
    }
  }
}
