package pelican.grammar.regex;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Sets of texts as automata. */
public final class Texts {
  private Texts() {}

  /**
   * The texts in which an expression of ECMA-262 matches somewhere.
   *
   * @throws RegexException if the expression is wrong, too large or not supported
   */
  public static Automaton matching(String pattern, Dialect dialect, Budget budget)
      throws RegexException {
    return AutomatonBuilder.of(new Nfa(RegexParser.parse(pattern, dialect), true), budget);
  }

  /** The texts that an expression matches as a whole. */
  static Automaton whole(String pattern) {
    try {
      Nfa nfa = new Nfa(RegexParser.parse(pattern, Dialect.ALL), false);
      return AutomatonBuilder.of(nfa, new Budget());
    } catch (RegexException e) {
      throw new IllegalArgumentException(pattern, e);
    }
  }

  /** All texts. */
  public static Automaton any() {
    try {
      return ofLength(0, -1, new Budget());
    } catch (RegexException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * The texts of so many code points.
   *
   * @param most -1 for any number
   * @throws RegexException if that needs too many states
   */
  public static Automaton ofLength(int least, int most, Budget budget) throws RegexException {
    return AutomatonBuilder.ofLength(least, most, budget);
  }

  /**
   * These texts alone.
   *
   * @throws RegexException if they are too many
   */
  public static Automaton of(Collection<String> texts, Budget budget) throws RegexException {
    Trie root = new Trie();
    for (String text : texts) {
      Trie at = root;
      for (int c : text.codePoints().toArray()) {
        at = at.next.computeIfAbsent(c, key -> new Trie());
      }
      at.ends = true;
    }
    return AutomatonBuilder.of(new Nfa(root.regex(0), false), budget);
  }

  private static final class Trie {
    final Map<Integer, Trie> next = new TreeMap<>();
    boolean ends;

    Regex regex(int depth) throws RegexException {
      if (depth > 1000) {
        throw new RegexException("a text is longer than 1000 characters");
      }
      List<Regex> options = new ArrayList<>();
      if (ends) {
        options.add(new Regex.Sequence(List.of()));
      }
      for (Map.Entry<Integer, Trie> entry : next.entrySet()) {
        Regex first = new Regex.Chars(CodePoints.of(entry.getKey()));
        options.add(new Regex.Sequence(List.of(first, entry.getValue().regex(depth + 1))));
      }
      if (options.isEmpty()) {
        return new Regex.Chars(CodePoints.NONE);
      }
      return options.size() == 1 ? options.getFirst() : new Regex.Either(options);
    }
  }

  /**
   * The texts that both allow.
   *
   * @throws RegexException if that needs too many states
   */
  public static Automaton both(Automaton a, Automaton b, Budget budget) throws RegexException {
    return AutomatonBuilder.product(a, b, false, budget);
  }

  /**
   * The texts of the first that the second does not allow.
   *
   * @throws RegexException if that needs too many states
   */
  public static Automaton without(Automaton a, Automaton b, Budget budget) throws RegexException {
    return AutomatonBuilder.product(a, b, true, budget);
  }
}
