package pelican.grammar;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/** An array no two of whose elements are equal, each of which can be written in one way only. */
final class DistinctElements {
  private static final int MOST = 1000;

  private final Reading element;
  private final int least;
  private final int most;

  /** Bytes of the elements that have to come if all are as short as can be. */
  private final int[] lengths;

  DistinctElements(Node element, int least, int most) {
    this.element = Reading.of(element);
    this.least = least;
    int[] all = this.element.lengths(Math.max(least, Math.min(most, MOST) + 1));
    // There are no more elements than there are texts of them.
    this.most = Math.min(Math.min(most, Math.max(least, MOST)), all.length);
    lengths = all.length > least ? Arrays.copyOf(all, least) : all;
  }

  /** From the opening bracket on. */
  static Node of(Node element, int least, int most) {
    return new Opened('[', new Between(new DistinctElements(element, least, most), 0, Set.of()));
  }

  /**
   * From the end of an element on.
   *
   * @param used the elements so far, one byte a character; null if they are forgotten, and no
   *     element may be completed
   */
  private record Between(DistinctElements shape, int count, Set<String> used) implements Node {
    @Override
    public void step(int value, Stack rest, Set<Stack> out) {
      if (value == ']') {
        if (count >= shape.least) {
          out.add(rest);
        }
      } else if (count < shape.most) {
        Within first = Within.of(this);
        if (count == 0) {
          first.step(value, rest, out);
        } else if (value == ',') {
          out.add(rest.push(first).push(Space.INSTANCE));
        }
      }
    }

    @Override
    public int shortest() {
      if (shape.lengths.length < shape.least) {
        return NEVER;
      }
      int more = Math.max(0, shape.least - count);
      long sum = Arrays.stream(shape.lengths, shape.least - more, shape.least).asLongStream().sum();
      return (int) Math.min(NEVER, 1 + sum + Math.max(0, count == 0 ? more - 1 : more));
    }
  }

  /**
   * Within an element.
   *
   * @param before what came before it
   * @param rest what remains of the element
   * @param read its bytes so far, one byte a character; null if they matter no more
   */
  private record Within(Between before, Reading rest, String read, Memory mode) implements Node {
    static Within of(Between before) {
      return before.used == null
          ? new Within(before, before.shape.element, null, Memory.OPEN)
          : new Within(before, before.shape.element, "", Memory.EXACT);
    }

    @Override
    public void step(int value, Stack below, Set<Stack> out) {
      if (mode == Memory.OPEN) {
        // All texts that begin so may be there already.
        return;
      }
      Reading next = rest.step(value);
      if (!next.dead()) {
        String longer = read == null ? null : read + (char) value;
        out.add(below.push(new Within(before, next, longer, mode).forget()));
      }
      boolean differs = read == null || !before.used.contains(read);
      if (rest.complete() && differs) {
        after().step(value, below, out);
      }
    }

    private Between after() {
      Set<String> used = null;
      if (mode == Memory.EXACT) {
        used = new HashSet<>(before.used);
        used.add(read);
      }
      return new Between(before.shape, before.count + 1, used);
    }

    private Within forget() {
      boolean differs =
          mode == Memory.TRIED
              && read != null
              && before.used.stream().noneMatch(text -> text.startsWith(read));
      return differs
          ? new Within(new Between(before.shape, before.count, null), rest, null, Memory.TRIED)
          : this;
    }

    @Override
    public int shortest() {
      int element = read == null ? rest.shortest() : rest.shortestBut(read, before.used);
      int slack = mode == Memory.OPEN && !rest.equals(before.shape.element) ? Memory.DIFFERENCE : 0;
      Between after = new Between(before.shape, before.count + 1, null);
      return (int) Math.min(NEVER, (long) element + slack + after.shortest());
    }

    @Override
    public Node clamp(int bytes) {
      Memory tried = mode == Memory.EXACT ? Memory.TRIED : mode;
      return new Within(before, rest.clamp(bytes), read, tried).forget();
    }
  }
}
