package pelican.grammar;

import java.util.List;
import java.util.Set;

/** One of several values; also a value that is referred to before it is known. */
final class Choice implements Node {
  private List<Node> options = List.of();
  private int shortest = NEVER;

  Choice() {}

  Choice(List<Node> options) {
    set(options);
  }

  void set(List<Node> values) {
    options = List.copyOf(values);
  }

  List<Node> options() {
    return options;
  }

  /** Whether what is known of the shortest value has changed. */
  boolean update() {
    int before = shortest;
    for (Node option : options) {
      shortest = Math.min(shortest, option.shortest());
    }
    return shortest < before;
  }

  @Override
  public void step(int value, Stack rest, Set<Stack> out) {
    for (Node option : options) {
      option.step(value, rest, out);
    }
  }

  @Override
  public int shortest() {
    return shortest;
  }
}
