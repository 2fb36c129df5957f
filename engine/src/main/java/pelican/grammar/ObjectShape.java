package pelican.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import pelican.grammar.regex.Automaton;
import pelican.grammar.regex.Texts;

/**
 * An object: its properties, in the order in which they are written, then others of any name. How
 * many there may be is bounded.
 */
final class ObjectShape {
  /**
   * A property that the schema names.
   *
   * @param text the name as JSON without the opening quote, UTF-8, one byte a character
   * @param key the name as JSON, quotes and colon included
   */
  record Property(String text, Literal key, Node value, boolean required) {
    static Property of(String name, Node value, boolean required) {
      String quoted = JsonText.quote(name);
      byte[] bytes = quoted.substring(1).getBytes(StandardCharsets.UTF_8);
      return new Property(
          new String(bytes, StandardCharsets.ISO_8859_1),
          Literal.of(quoted + ":"),
          value,
          required);
    }

    int cost() {
      return Math.min(Node.NEVER, key.shortest() + value.shortest());
    }
  }

  /** Others whose names are of one kind. No name is of two kinds. */
  static final class Kind {
    final Node value;
    final Reading start;

    /** Lengths in bytes of the shortest names, each with its closing quote; if they matter. */
    private int[] lengths = {};

    Kind(Automaton names, Node value) {
      this(Reading.of(PatternText.of(names, names.fewest() + LONGEST_NAME)), value);
    }

    private Kind(Reading start, Node value) {
      this.value = value;
      this.start = start;
    }

    static Kind any(Node value) {
      return new Kind(ANY_NAME, value);
    }

    boolean possible() {
      return !start.dead() && value.shortest() < Node.NEVER;
    }
  }

  /** The most properties of names that the schema does not state, if it needs no more. */
  static final int MOST_OTHERS = 64;

  /** The most characters of such a name, beyond the fewest that it needs. */
  static final int LONGEST_NAME = 64;

  private static final Reading ANY_NAME = Reading.of(PatternText.of(Texts.any(), LONGEST_NAME));

  final List<Property> properties;
  final List<Kind> kinds;
  final int least;
  final int most;

  private final int mostOthers;
  private final Set<String> stated;

  /** How many properties have to come from each on. */
  private final int[] due;

  ObjectShape(List<Property> properties, List<Kind> kinds, int least, int most) {
    this.properties = List.copyOf(properties);
    this.kinds = List.copyOf(kinds);
    this.least = least;
    this.most = most;
    mostOthers = Math.max(MOST_OTHERS, least);
    stated = this.properties.stream().map(Property::text).collect(Collectors.toUnmodifiableSet());
    due = new int[properties.size() + 1];
    for (int i = properties.size() - 1; i >= 0; i--) {
      due[i] = due[i + 1] + (this.properties.get(i).required ? 1 : 0);
    }
    for (Kind kind : least > 0 ? this.kinds : List.<Kind>of()) {
      kind.lengths = kind.start.lengths(mostOthers + stated.size());
    }
  }

  /** An object of any properties. */
  static ObjectShape of(Node value) {
    return new ObjectShape(List.of(), List.of(Kind.any(value)), 0, Integer.MAX_VALUE);
  }

  /** The fewest bytes of other properties, commas before them included, after so many others. */
  private int others(int count, int before) {
    int best = count == 0 ? 0 : Node.NEVER;
    for (Kind kind : count == 0 || before + count > mostOthers ? List.<Kind>of() : kinds) {
      if (kind.possible()) {
        // The names stated may be among the shortest.
        int first = stated.size() + before;
        if (first + count <= kind.lengths.length) {
          long sum = Arrays.stream(kind.lengths, first, first + count).sum();
          sum += (3L + kind.value.shortest()) * count;
          best = (int) Math.min(best, sum);
        }
      }
    }
    return best;
  }

  /** From the opening brace on. */
  record Opening(ObjectShape shape) implements Node {
    @Override
    public void step(int value, Stack rest, Set<Stack> out) {
      if (value == '{') {
        out.add(rest.push(Members.first(shape)));
      }
    }

    @Override
    public int shortest() {
      return Math.min(NEVER, 1 + Members.first(shape).shortest());
    }
  }

  /**
   * From the end of a property on.
   *
   * @param next the first property of the shape that may still come
   * @param count how many there are so far
   * @param others how many of them the shape does not name
   * @param used names of others so far, as {@link Property#text}; null if they are forgotten, and
   *     no name of others may be completed
   */
  record Members(ObjectShape shape, int next, int count, int others, Set<String> used)
      implements Node {
    static Members first(ObjectShape shape) {
      return new Members(shape, 0, 0, 0, Set.of());
    }

    private Members after(int property) {
      return new Members(shape, property + 1, count + 1, others, used);
    }

    @Override
    public void step(int value, Stack rest, Set<Stack> out) {
      if (count == 0) {
        keys(value, rest, out);
      } else if (value == ',') {
        out.add(rest.push(new Key(this)).push(Space.INSTANCE));
      }
      if (value == '}' && due() == 0 && count >= shape.least) {
        out.add(rest);
      }
    }

    private int due() {
      return shape.due[next];
    }

    private boolean mayCome(Property property) {
      return property.required || (long) count + 1 + due() <= shape.most;
    }

    /** Reads the first byte of a key. */
    void keys(int value, Stack rest, Set<Stack> out) {
      for (int i = next; i < shape.properties.size(); i++) {
        Property property = shape.properties.get(i);
        if (property.value.shortest() < NEVER && mayCome(property)) {
          property.key.step(
              value, rest.push(after(i)).push(property.value).push(Space.INSTANCE), out);
        }
        if (property.required) {
          return;
        }
      }
      if (value == '"' && mayHaveOthers()) {
        for (Kind kind : shape.kinds) {
          if (kind.possible()) {
            out.add(rest.push(Name.of(this, kind)));
          }
        }
      }
    }

    private boolean mayHaveOthers() {
      return others < shape.mostOthers && count < shape.most;
    }

    /** The fewest bytes of a key and what follows it. */
    int shortestKey() {
      int best = NEVER;
      for (int i = next; i < shape.properties.size(); i++) {
        Property property = shape.properties.get(i);
        if (mayCome(property)) {
          best = (int) Math.min(best, (long) property.cost() + after(i).shortest());
        }
        if (property.required) {
          return best;
        }
      }
      for (Kind kind : mayHaveOthers() ? shape.kinds : List.<Kind>of()) {
        if (kind.possible()) {
          best = Math.min(best, Name.of(this, kind).shortestWithQuote());
        }
      }
      return best;
    }

    @Override
    public int shortest() {
      if ((long) count + due() > shape.most) {
        return NEVER;
      }
      int more = Math.max(0, shape.least - count - due());
      long sum = 1;
      List<Integer> optional = new ArrayList<>();
      for (int i = next; i < shape.properties.size(); i++) {
        Property property = shape.properties.get(i);
        if (property.required) {
          sum += property.cost() + 1;
        } else if (more > 0) {
          optional.add(property.cost() + 1);
        }
      }
      if (more > 0) {
        sum += more(more, optional);
      }
      boolean first = count == 0 && due() + more > 0;
      return (int) Math.min(NEVER, first ? sum - 1 : sum);
    }

    /** The fewest bytes of so many properties that are not required, with commas. */
    private long more(int more, List<Integer> optional) {
      optional.sort(null);
      long best = NEVER;
      long stated = 0;
      for (int i = 0; i <= Math.min(more, optional.size()); i++) {
        best = Math.min(best, stated + shape.others(more - i, others));
        stated += i < optional.size() ? optional.get(i) : 0;
      }
      return best;
    }

    @Override
    public Members clamp(int bytes) {
      boolean counted = shape.least > 0 || shape.most < Integer.MAX_VALUE;
      return new Members(
          shape,
          next,
          counted ? count : Math.min(count, 1),
          others + bytes < shape.mostOthers && !counted ? 0 : others,
          shape.kinds.isEmpty() ? used : null);
    }
  }

  /** A key after a comma, which has to come. */
  record Key(Members members) implements Node {
    @Override
    public void step(int value, Stack rest, Set<Stack> out) {
      members.keys(value, rest, out);
    }

    @Override
    public int shortest() {
      return members.shortestKey();
    }

    @Override
    public Node clamp(int bytes) {
      return new Key(members.clamp(bytes));
    }
  }

  /**
   * The rest of a name that the shape does not state, and all that follows it in the object.
   *
   * @param rest what remains of the name, its closing quote included
   * @param read its bytes so far, one byte a character; null if it matters no more
   */
  record Name(Members members, Kind kind, Reading rest, String read, Memory mode) implements Node {
    static Name of(Members members, Kind kind) {
      return members.used == null
          ? new Name(members, kind, kind.start, null, Memory.OPEN)
          : new Name(members, kind, kind.start, "", Memory.EXACT);
    }

    private Set<String> taken() {
      Set<String> taken = new HashSet<>(members.shape.stated);
      taken.addAll(members.used);
      return taken;
    }

    private Members after(Set<String> used) {
      return new Members(
          members.shape,
          members.shape.properties.size(),
          members.count + 1,
          members.others + 1,
          used);
    }

    @Override
    public void step(int value, Stack below, Set<Stack> out) {
      Reading next = rest.step(value);
      if (next.dead() || mode == Memory.OPEN && kind.start != ANY_NAME) {
        // All names of this kind that begin so may be there already.
        return;
      }
      String longer = read == null ? null : read + (char) value;
      if (!next.complete()) {
        out.add(below.push(new Name(members, kind, next, longer, mode).forget()));
      } else if (mode != Memory.OPEN && (longer == null || !taken().contains(longer))) {
        Set<String> used = null;
        if (mode == Memory.EXACT) {
          used = new HashSet<>(members.used);
          used.add(longer);
        }
        out.add(
            below.push(after(used)).push(kind.value).push(Space.INSTANCE).push(Literal.of(":")));
      }
    }

    private Name forget() {
      boolean differs =
          mode == Memory.TRIED
              && read != null
              && taken().stream().noneMatch(name -> name.startsWith(read));
      return differs ? new Name(members.clamp(0), kind, rest, null, Memory.TRIED) : this;
    }

    @Override
    public int shortest() {
      int name = read == null ? rest.shortest() : rest.shortestBut(read, taken());
      return end(mode == Memory.OPEN ? name + Memory.DIFFERENCE : name);
    }

    private int end(int name) {
      return (int) Math.min(NEVER, 1L + name + kind.value.shortest() + after(null).shortest());
    }

    /** As the shortest, from the opening quote on, and not told too high. */
    private int shortestWithQuote() {
      return mode == Memory.OPEN ? Math.min(NEVER, 1 + end(rest.shortest())) : 1 + shortest();
    }

    @Override
    public Node clamp(int bytes) {
      Memory tried = mode == Memory.EXACT ? Memory.TRIED : mode;
      return new Name(members, kind, rest.clamp(bytes), read, tried).forget();
    }
  }
}
