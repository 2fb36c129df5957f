package pelican.grammar;

import java.util.Set;

/** Parts that remain to be read, one after the other. */
final class Stack {
  static final Stack EMPTY = new Stack(null, null);

  final Node top;
  final Stack rest;

  /** The fewest bytes that complete all parts. */
  final int shortest;

  private final int hash;

  private Stack(Node top, Stack rest) {
    this.top = top;
    this.rest = rest;
    shortest = top == null ? 0 : Math.min(Node.NEVER, top.shortest() + rest.shortest);
    hash = top == null ? 1 : 31 * rest.hash + top.hashCode();
  }

  /** These parts behind {@code first}. */
  Stack push(Node first) {
    return new Stack(first, this);
  }

  /** Parts that cannot be told from these by reading so many bytes, or that allow less. */
  Stack clamp(int bytes) {
    if (top == null) {
      return this;
    }
    Stack below = rest.clamp(bytes);
    Node first = top.clamp(bytes);
    return below == rest && first == top ? this : below.push(first);
  }

  void step(int value, Set<Stack> out) {
    if (top != null) {
      top.step(value, rest, out);
      if (top.nullable()) {
        rest.step(value, out);
      }
    }
  }

  @Override
  public boolean equals(Object object) {
    Stack a = this;
    if (!(object instanceof Stack b)) {
      return false;
    }
    while (a != b) {
      if (a.hash != b.hash || a.top == null || b.top == null || !a.top.equals(b.top)) {
        return false;
      }
      a = a.rest;
      b = b.rest;
    }
    return true;
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
