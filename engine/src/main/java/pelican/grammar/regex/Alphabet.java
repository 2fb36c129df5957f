package pelican.grammar.regex;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Code points by classes, within which none is told from another. Surrogates have none. */
final class Alphabet {
  /** Where intervals begin, sorted; each lasts until the next begins. */
  private final int[] starts;

  private final int[] kinds;
  private final int classes;

  private Alphabet(int[] starts, int[] kinds, int classes) {
    this.starts = starts;
    this.kinds = kinds;
    this.classes = classes;
  }

  static Alphabet of(Collection<CodePoints> sets) {
    TreeSet<Integer> cuts = new TreeSet<>(List.of(0, 0xd800, 0xe000));
    for (CodePoints set : sets) {
      for (int i = 0; i < set.ranges(); i++) {
        cuts.add(set.first(i));
        if (set.last(i) < CodePoints.LAST) {
          cuts.add(set.last(i) + 1);
        }
      }
    }
    int[] starts = cuts.stream().mapToInt(Integer::intValue).toArray();
    BitSet[] signatures = new BitSet[starts.length];
    Arrays.setAll(signatures, i -> new BitSet());
    int index = 0;
    for (CodePoints set : sets) {
      for (int i = 0; i < set.ranges(); i++) {
        int at = Arrays.binarySearch(starts, set.first(i));
        for (; at < starts.length && starts[at] <= set.last(i); at++) {
          signatures[at].set(index);
        }
      }
      index++;
    }
    Map<BitSet, Integer> known = new HashMap<>();
    int[] kinds = new int[starts.length];
    for (int i = 0; i < starts.length; i++) {
      kinds[i] =
          starts[i] == 0xd800
              ? -1
              : starts[i] > 0xd800 && starts[i] < 0xe000
                  ? -1
                  : known.computeIfAbsent(signatures[i], key -> known.size());
    }
    return new Alphabet(starts, kinds, known.size());
  }

  /**
   * The classes of two at once.
   *
   * @param left gets for each class of the result the class here
   * @param right gets for each class of the result the class of {@code other}
   */
  Alphabet with(Alphabet other, List<Integer> left, List<Integer> right) {
    TreeSet<Integer> cuts = new TreeSet<>();
    Arrays.stream(starts).forEach(cuts::add);
    Arrays.stream(other.starts).forEach(cuts::add);
    int[] all = cuts.stream().mapToInt(Integer::intValue).toArray();
    int[] both = new int[all.length];
    Map<List<Integer>, Integer> known = new HashMap<>();
    for (int i = 0; i < all.length; i++) {
      int a = of(all[i]);
      int b = other.of(all[i]);
      both[i] = a < 0 ? -1 : known.computeIfAbsent(List.of(a, b), key -> known.size());
      if (both[i] == left.size()) {
        left.add(a);
        right.add(b);
      }
    }
    return new Alphabet(all, both, known.size());
  }

  int classes() {
    return classes;
  }

  /** The class of a code point; -1 for surrogates. */
  int of(int codePoint) {
    return kinds[interval(codePoint)];
  }

  int intervals() {
    return starts.length;
  }

  /** The interval of a code point. */
  int interval(int codePoint) {
    int at = Arrays.binarySearch(starts, codePoint);
    return at >= 0 ? at : -at - 2;
  }

  int first(int interval) {
    return starts[interval];
  }

  int last(int interval) {
    return interval + 1 < starts.length ? starts[interval + 1] - 1 : CodePoints.LAST;
  }

  int kind(int interval) {
    return kinds[interval];
  }

  /** The fewest bytes of a character of each class in a string of JSON. */
  int[] costs() {
    int[] costs = new int[classes];
    Arrays.fill(costs, Integer.MAX_VALUE);
    for (int i = 0; i < starts.length; i++) {
      if (kinds[i] >= 0) {
        costs[kinds[i]] = Math.min(costs[kinds[i]], cost(first(i), last(i)));
      }
    }
    return costs;
  }

  private static int cost(int first, int last) {
    int best = Integer.MAX_VALUE;
    for (int c = first; c <= Math.min(last, 0x80) && best > 1; c++) {
      best = Math.min(best, Encoding.bytes(c));
    }
    return Math.min(best, Encoding.bytes(Math.max(first, Math.min(last, 0x80))));
  }

  /** A code point of each class. */
  int[] samples() {
    List<Integer> samples = new ArrayList<>();
    for (int i = 0; i < starts.length; i++) {
      if (kinds[i] == samples.size()) {
        samples.add(starts[i]);
      }
    }
    return samples.stream().mapToInt(Integer::intValue).toArray();
  }
}
