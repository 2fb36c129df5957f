package pelican.grammar;

import java.util.List;
import java.util.Set;

/** An array: its first elements, what the others are, and how many there may be. */
final class ArrayShape {
  final List<Node> first;
  final Node others;
  final int least;
  final int most;

  /**
   * @param others never read if {@code most} is at most the number of first elements
   */
  ArrayShape(List<Node> first, Node others, int least, int most) {
    this.first = List.copyOf(first);
    this.others = others;
    this.least = least;
    this.most = most;
  }

  Node element(int index) {
    return index < first.size() ? first.get(index) : others;
  }

  /** From the opening bracket on. */
  record Opening(ArrayShape shape) implements Node {
    @Override
    public void step(int value, Stack rest, Set<Stack> out) {
      if (value == '[') {
        out.add(rest.push(new Elements(shape, 0)));
      }
    }

    @Override
    public int shortest() {
      return Math.min(NEVER, 1 + new Elements(shape, 0).shortest());
    }
  }

  /** From the end of element {@code count} on, counted from 1. */
  record Elements(ArrayShape shape, int count) implements Node {
    @Override
    public void step(int value, Stack rest, Set<Stack> out) {
      if (value == ']') {
        if (count >= shape.least) {
          out.add(rest);
        }
        return;
      }
      if (count < shape.most) {
        Stack next = rest.push(new Elements(shape, count + 1));
        Node element = shape.element(count);
        if (count == 0) {
          element.step(value, next, out);
        } else if (value == ',') {
          out.add(next.push(element).push(Space.INSTANCE));
        }
      }
    }

    @Override
    public int shortest() {
      long sum = 1;
      for (int i = count; i < shape.least && sum < NEVER; i++) {
        sum += shape.element(i).shortest() + (i == 0 ? 0 : 1);
      }
      return (int) Math.min(NEVER, sum);
    }

    @Override
    public Node clamp(int bytes) {
      int alike = Math.max(1, Math.max(shape.least, shape.first.size()));
      return count > alike && (long) count + bytes < shape.most ? new Elements(shape, alike) : this;
    }
  }
}
