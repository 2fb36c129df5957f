package pelican.grammar;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * All that may remain of a text that has to differ from others: what states are, but within nodes,
 * and not shared. Immutable.
 */
record Reading(Set<Stack> stacks, int shortest) {
  static Reading of(Node node) {
    return of(Set.of(Stack.EMPTY.push(node)));
  }

  private static Reading of(Set<Stack> stacks) {
    int best = Node.NEVER;
    for (Stack stack : stacks) {
      best = Math.min(best, stack.shortest);
    }
    return new Reading(stacks, best);
  }

  boolean complete() {
    return shortest == 0;
  }

  boolean dead() {
    return shortest >= Node.NEVER;
  }

  Reading step(int value) {
    Set<Stack> all = new HashSet<>();
    for (Stack stack : stacks) {
      stack.step(value, all);
    }
    all.removeIf(stack -> stack.shortest >= Node.NEVER);
    return of(all);
  }

  Reading clamp(int bytes) {
    Set<Stack> all = new HashSet<>();
    for (Stack stack : stacks) {
      all.add(stack.clamp(bytes));
    }
    return all.equals(stacks) ? this : of(all);
  }

  /**
   * The fewest bytes that complete a text that is not one of {@code used}.
   *
   * @param read the text so far, one byte a character
   */
  int shortestBut(String read, Set<String> used) {
    if (used.stream().noneMatch(text -> text.startsWith(read))) {
      return shortest;
    }
    int best = complete() && !used.contains(read) ? 0 : Node.NEVER;
    List<Reading> along = new ArrayList<>();
    StringBuilder values = new StringBuilder();
    for (int value = 0; value < 256; value++) {
      Reading next = step(value);
      if (!next.dead()) {
        String longer = read + (char) value;
        if (used.stream().anyMatch(text -> text.startsWith(longer))) {
          along.add(next);
          values.append((char) value);
        } else {
          best = Math.min(best, 1 + next.shortest);
        }
      }
    }
    for (int i = 0; i < along.size(); i++) {
      Reading next = along.get(i);
      if (1 + next.shortest < best) {
        best = Math.min(best, 1 + next.shortestBut(read + values.charAt(i), used));
      }
    }
    return best;
  }

  /** The lengths in bytes of so many different texts, the shortest first; fewer if that is all. */
  int[] lengths(int count) {
    int[] lengths = new int[count];
    int found = 0;
    Map<Reading, Long> level = Map.of(this, 1L);
    for (int length = 0; found < count && !level.isEmpty(); length++) {
      Map<Reading, Long> next = new HashMap<>();
      for (Map.Entry<Reading, Long> entry : level.entrySet()) {
        Reading from = entry.getKey();
        for (long i = 0; i < entry.getValue() && from.complete() && found < count; i++) {
          lengths[found++] = length;
        }
        for (int value = 0; value < 256; value++) {
          Reading to = from.step(value);
          if (!to.dead()) {
            next.merge(to, entry.getValue(), (a, b) -> Math.min(1L << 40, a + b));
          }
        }
      }
      level = next;
    }
    return java.util.Arrays.copyOf(lengths, found);
  }
}
