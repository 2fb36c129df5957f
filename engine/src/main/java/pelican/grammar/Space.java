package pelican.grammar;

import java.util.Set;

/** A space or nothing. */
record Space() implements Node {
  static final Space INSTANCE = new Space();

  @Override
  public void step(int value, Stack rest, Set<Stack> out) {
    if (value == ' ') {
      out.add(rest);
    }
  }

  @Override
  public int shortest() {
    return 0;
  }
}
