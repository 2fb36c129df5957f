package pelican.grammar;

import java.util.Set;

/** A byte and what follows it. */
record Opened(int first, Node inside) implements Node {
  @Override
  public void step(int value, Stack rest, Set<Stack> out) {
    if (value == first) {
      out.add(rest.push(inside));
    }
  }

  @Override
  public int shortest() {
    return Math.min(NEVER, 1 + inside.shortest());
  }
}
