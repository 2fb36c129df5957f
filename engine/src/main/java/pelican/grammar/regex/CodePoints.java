package pelican.grammar.regex;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;

/** A set of code points, as sorted ranges that do not touch. Immutable. */
final class CodePoints {
  static final int LAST = Character.MAX_CODE_POINT;
  static final CodePoints NONE = new CodePoints(new int[0]);
  static final CodePoints ALL = range(0, LAST);

  /** First and last of each range, both included, one after the other. */
  private final int[] ends;

  private CodePoints(int[] ends) {
    this.ends = ends;
  }

  static CodePoints range(int first, int last) {
    return new CodePoints(new int[] {first, last});
  }

  static CodePoints of(int... values) {
    CodePoints set = NONE;
    for (int value : values) {
      set = set.or(range(value, value));
    }
    return set;
  }

  static CodePoints where(IntPredicate predicate) {
    List<Integer> all = new ArrayList<>();
    boolean inside = false;
    for (int c = 0; c <= LAST; c++) {
      if (predicate.test(c) != inside) {
        all.add(inside ? c - 1 : c);
        inside = !inside;
      }
    }
    if (inside) {
      all.add(LAST);
    }
    return new CodePoints(all.stream().mapToInt(Integer::intValue).toArray());
  }

  int ranges() {
    return ends.length / 2;
  }

  int first(int range) {
    return ends[2 * range];
  }

  int last(int range) {
    return ends[2 * range + 1];
  }

  boolean contains(int value) {
    int at = Arrays.binarySearch(ends, value);
    return at >= 0 || (-at - 1) % 2 == 1;
  }

  CodePoints or(CodePoints other) {
    int[][] all = new int[ranges() + other.ranges()][];
    for (int i = 0; i < ranges(); i++) {
      all[i] = new int[] {first(i), last(i)};
    }
    for (int i = 0; i < other.ranges(); i++) {
      all[ranges() + i] = new int[] {other.first(i), other.last(i)};
    }
    Arrays.sort(all, (a, b) -> Integer.compare(a[0], b[0]));
    int[] merged = new int[2 * all.length];
    int count = 0;
    for (int[] range : all) {
      if (count > 0 && range[0] <= merged[count - 1] + 1) {
        merged[count - 1] = Math.max(merged[count - 1], range[1]);
      } else {
        merged[count++] = range[0];
        merged[count++] = range[1];
      }
    }
    return new CodePoints(Arrays.copyOf(merged, count));
  }

  CodePoints not() {
    int[] others = new int[ends.length + 2];
    int count = 0;
    int from = 0;
    for (int i = 0; i < ranges(); i++) {
      if (first(i) > from) {
        others[count++] = from;
        others[count++] = first(i) - 1;
      }
      from = last(i) + 1;
    }
    if (from <= LAST) {
      others[count++] = from;
      others[count++] = LAST;
    }
    return new CodePoints(Arrays.copyOf(others, count));
  }

  @Override
  public boolean equals(Object object) {
    return object instanceof CodePoints other && Arrays.equals(ends, other.ends);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(ends);
  }
}
