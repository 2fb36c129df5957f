package pelican.grammar;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** All that may remain to be read of a text. States follow each other by bytes and are shared. */
final class State {
  /** What holds one object for each state, so that transitions are found once. */
  static final class Pool {
    private final Map<Set<Stack>, State> states = new HashMap<>();

    State of(Set<Stack> stacks) {
      return states.computeIfAbsent(stacks, key -> new State(key, this));
    }

    int size() {
      return states.size();
    }
  }

  private final Pool pool;
  private final Set<Stack> stacks;
  private final State[] next = new State[256];

  /** The {@link ByteGroups} that were looked at, and those of them that lead back here. */
  private long known;

  private long loops;
  private State[] relaxed;

  /** The fewest bytes that complete the text; {@link Node#NEVER} if nothing may follow. */
  final int shortest;

  private State(Set<Stack> stacks, Pool pool) {
    this.stacks = stacks;
    this.pool = pool;
    int best = Node.NEVER;
    for (Stack stack : stacks) {
      best = Math.min(best, stack.shortest);
    }
    shortest = best;
  }

  static State start(Node root, Pool pool) {
    return pool.of(Set.of(Stack.EMPTY.push(root)));
  }

  /** The same state in another pool. */
  State in(Pool other) {
    return other.of(stacks);
  }

  boolean complete() {
    return shortest == 0;
  }

  boolean dead() {
    return shortest >= Node.NEVER;
  }

  State step(int value) {
    State result = next[value];
    if (result == null) {
      Set<Stack> all = new HashSet<>();
      for (Stack stack : stacks) {
        stack.step(value, all);
      }
      all.removeIf(stack -> stack.shortest >= Node.NEVER);
      result = pool.of(all);
      next[value] = result;
    }
    return result;
  }

  /**
   * A state that stands for this one while so many bytes are read, as long as it is this part of
   * the text in which they are.
   *
   * @param bytes at most {@code most}
   */
  State relaxed(int bytes, int most) {
    if (relaxed == null) {
      relaxed = new State[most + 1];
    }
    if (relaxed[bytes] == null) {
      Set<Stack> all = new HashSet<>();
      for (Stack stack : stacks) {
        Node top = stack.top == null ? null : stack.top.clamp(bytes);
        all.add(top == stack.top ? stack : stack.rest.push(top));
      }
      relaxed[bytes] = pool.of(all);
    }
    return relaxed[bytes];
  }

  /** Whether every character of some {@link ByteGroups} leads from here to here. */
  boolean loops(long groups) {
    if ((groups & ByteGroups.MALFORMED) != 0 || (groups & known & ~loops) != 0) {
      return false;
    }
    long unknown = groups & ~known;
    if (unknown != 0) {
      loops |= ByteGroups.loops(this, unknown);
      known |= unknown;
    }
    return (groups & ~loops) == 0;
  }

  /** The stacks of a state that stands for this one within so many bytes. */
  Set<Stack> clamped(int bytes) {
    Set<Stack> all = new HashSet<>();
    for (Stack stack : stacks) {
      all.add(stack.clamp(bytes));
    }
    return all;
  }
}
