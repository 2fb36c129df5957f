package pelican.grammar.regex;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** Makes automata deterministic, combines them, and takes out what leads nowhere. */
final class AutomatonBuilder {
  /** The most moves compared to find states that are alike. */
  private static final long MOST_COMPARED = 5_000_000;

  private final List<int[]> next = new ArrayList<>();
  private final BitSet accepting = new BitSet();
  private final Budget budget;

  private AutomatonBuilder(Budget budget) {
    this.budget = budget;
  }

  private void checkSize() throws RegexException {
    if (next.size() > Budget.MOST_STATES) {
      throw new RegexException(
          "it is too large: it needs more than " + Budget.MOST_STATES + " states");
    }
  }

  /** By sets of states. */
  static Automaton of(Nfa nfa, Budget budget) throws RegexException {
    return new AutomatonBuilder(budget).determinize(nfa);
  }

  private Automaton determinize(Nfa nfa) throws RegexException {
    Set<CodePoints> sets = new LinkedHashSet<>();
    for (int i = 0; i < nfa.size(); i++) {
      if (nfa.reads(i)) {
        sets.add(nfa.set(i));
      }
    }
    Alphabet alphabet = Alphabet.of(sets);
    int[] samples = alphabet.samples();
    Map<CodePoints, BitSet> classes = new HashMap<>();
    for (CodePoints set : sets) {
      BitSet of = new BitSet();
      for (int c = 0; c < samples.length; c++) {
        if (set.contains(samples[c])) {
          of.set(c);
        }
      }
      classes.put(set, of);
    }
    Map<BitSet, Integer> known = new HashMap<>();
    List<BitSet> order = new ArrayList<>();
    BitSet seen = new BitSet();
    nfa.close(nfa.start(), true, false, seen);
    add(nfa, seen, true, known, order);
    for (int state = 0; state < order.size(); state++) {
      BitSet[] reached = new BitSet[samples.length];
      BitSet from = order.get(state);
      for (int s = from.nextSetBit(0); s >= 0; s = from.nextSetBit(s + 1)) {
        if (nfa.reads(s)) {
          BitSet of = classes.get(nfa.set(s));
          for (int c = of.nextSetBit(0); c >= 0; c = of.nextSetBit(c + 1)) {
            if (reached[c] == null) {
              reached[c] = new BitSet();
            }
            budget.spend(1 + nfa.close(nfa.next(s), false, false, reached[c]));
          }
        }
      }
      int[] to = new int[samples.length];
      for (int c = 0; c < samples.length; c++) {
        to[c] = reached[c] == null ? Automaton.DEAD : add(nfa, reached[c], false, known, order);
      }
      next.set(state, to);
      budget.spend((1 + nfa.size() / 64) * (1L + samples.length));
    }
    return finish(alphabet);
  }

  private int add(
      Nfa nfa, BitSet seen, boolean first, Map<BitSet, Integer> known, List<BitSet> order)
      throws RegexException {
    BitSet kept = nfa.kept(seen);
    Integer old = first ? null : known.get(kept);
    if (old != null) {
      return old;
    }
    BitSet atEnd = new BitSet();
    for (int s = kept.nextSetBit(0); s >= 0; s = kept.nextSetBit(s + 1)) {
      nfa.close(s, first, true, atEnd);
    }
    int state = order.size();
    if (!first) {
      known.put(kept, state);
    }
    order.add(kept);
    next.add(null);
    checkSize();
    accepting.set(state, atEnd.stream().anyMatch(nfa::matches));
    return state;
  }

  /** All texts of so many code points; -1 for any number. */
  static Automaton ofLength(int least, int most, Budget budget) throws RegexException {
    AutomatonBuilder builder = new AutomatonBuilder(budget);
    int last = most < 0 ? least : most;
    for (int i = 0; i <= last; i++) {
      builder.next.add(new int[] {i < last ? i + 1 : most < 0 ? i : Automaton.DEAD});
      builder.accepting.set(i, i >= least);
      builder.checkSize();
    }
    return builder.finish(Alphabet.of(List.of()));
  }

  /** The texts that both allow, or those of the first that the second does not. */
  static Automaton product(Automaton a, Automaton b, boolean not, Budget budget)
      throws RegexException {
    return new AutomatonBuilder(budget).combine(a, b, not);
  }

  private Automaton combine(Automaton a, Automaton b, boolean not) throws RegexException {
    List<Integer> left = new ArrayList<>();
    List<Integer> right = new ArrayList<>();
    Alphabet alphabet = a.alphabet().with(b.alphabet(), left, right);
    Map<Long, Integer> known = new HashMap<>();
    List<int[]> order = new ArrayList<>();
    pair(a, b, a.start(), b.start(), not, known, order);
    for (int state = 0; state < order.size(); state++) {
      int[] from = order.get(state);
      int[] to = new int[alphabet.classes()];
      for (int c = 0; c < to.length; c++) {
        int l = a.next(from[0], left.get(c));
        int r = from[1] == Automaton.DEAD ? Automaton.DEAD : b.next(from[1], right.get(c));
        to[c] = pair(a, b, l, r, not, known, order);
      }
      next.set(state, to);
      budget.spend(4L * to.length);
      checkSize();
    }
    return finish(alphabet);
  }

  private int pair(
      Automaton a,
      Automaton b,
      int l,
      int r,
      boolean not,
      Map<Long, Integer> known,
      List<int[]> order) {
    if (l == Automaton.DEAD || !not && r == Automaton.DEAD) {
      return Automaton.DEAD;
    }
    long key = (long) l << 32 | r & 0xffffffffL;
    Integer old = known.get(key);
    if (old != null) {
      return old;
    }
    int state = order.size();
    known.put(key, state);
    order.add(new int[] {l, r});
    next.add(null);
    accepting.set(state, a.accepts(l) && b.accepts(r) != not);
    return state;
  }

  /** Without states that no text completes. */
  private Automaton finish(Alphabet alphabet) throws RegexException {
    int count = next.size();
    int[] costs = alphabet.costs();
    long[] bytes = ways(costs, true);
    long[] characters = ways(costs, false);
    int[] names = new int[count];
    int kept = 0;
    for (int s = 0; s < count; s++) {
      names[s] = bytes[s] < Long.MAX_VALUE ? kept++ : Automaton.DEAD;
    }
    boolean none = count == 0 || names[0] == Automaton.DEAD;
    kept = none ? 0 : kept;
    int[][] moves = new int[kept][];
    boolean[] ends = new boolean[kept];
    Ways ways = new Ways(kept);
    for (int s = 0; s < count && !none; s++) {
      if (names[s] >= 0) {
        moves[names[s]] =
            Arrays.stream(next.get(s)).map(to -> to < 0 ? Automaton.DEAD : names[to]).toArray();
        ends[names[s]] = accepting.get(s);
        ways.set(names[s], bytes[s], characters[s]);
      }
    }
    return new Automaton(alphabet, moves, ends, ways);
  }

  /**
   * For each state its best way to the end of a text: the larger half counts what has to be few,
   * the other half the other of bytes and characters; the largest number if there is none.
   */
  private long[] ways(int[] costs, boolean fewBytes) throws RegexException {
    long[] best = new long[next.size()];
    for (int s = 0; s < best.length; s++) {
      best[s] = accepting.get(s) ? 0 : Long.MAX_VALUE;
    }
    boolean changed = true;
    while (changed) {
      changed = false;
      budget.spend((long) best.length * costs.length);
      for (int s = best.length - 1; s >= 0; s--) {
        int[] to = next.get(s);
        for (int c = 0; c < to.length; c++) {
          long rest = to[c] < 0 ? Long.MAX_VALUE : best[to[c]];
          long step = fewBytes ? (long) costs[c] << 32 | 1 : 1L << 32 | costs[c];
          if (rest < Long.MAX_VALUE && rest + step < best[s]) {
            best[s] = rest + step;
            changed = true;
          }
        }
      }
    }
    return best;
  }

  /** For each state the first of those that so many characters do not tell from it. */
  static int[] representatives(Automaton automaton, int characters) {
    int count = automaton.size();
    int classes = automaton.alphabet().classes();
    if ((long) count * classes * characters > MOST_COMPARED) {
      // Alike states are then told from each other, which costs time later but is not wrong.
      return IntStream.range(0, count).toArray();
    }
    int[] groups = new int[count];
    int found = 0;
    for (int round = 0; round <= characters; round++) {
      Map<List<Integer>, Integer> known = new HashMap<>();
      int[] refined = new int[count];
      for (int s = 0; s < count; s++) {
        List<Integer> signature = new ArrayList<>(2 * classes + 2);
        signature.add(automaton.accepts(s) ? 1 : 0);
        signature.add(groups[s]);
        for (int c = 0; c < classes && round > 0; c++) {
          int to = automaton.next(s, c);
          signature.add(to == Automaton.DEAD ? -1 : groups[to]);
          signature.add(to == Automaton.DEAD ? 0 : automaton.shortest(to) - automaton.shortest(s));
        }
        refined[s] = known.computeIfAbsent(signature, key -> known.size());
      }
      groups = refined;
      if (round > 0 && known.size() == found) {
        break;
      }
      found = known.size();
    }
    int[] first = new int[found];
    Arrays.fill(first, -1);
    int[] representatives = new int[count];
    for (int s = 0; s < count; s++) {
      if (first[groups[s]] < 0) {
        first[groups[s]] = s;
      }
      representatives[s] = first[groups[s]];
    }
    return representatives;
  }
}
