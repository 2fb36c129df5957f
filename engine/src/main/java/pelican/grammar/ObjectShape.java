package pelican.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * An object: its properties, in the order in which they are written, then others of any name. Names
 * of others are written without escapes, so that they can be compared as they come.
 */
final class ObjectShape {
  /**
   * @param name UTF-8, one byte a character
   * @param key the name as JSON, quotes and colon included
   */
  record Property(String name, Literal key, Node value, boolean required) {
    static Property of(String name, Node value, boolean required) {
      return new Property(
          new String(name.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1),
          Literal.of(JsonText.quote(name) + ":"),
          value,
          required);
    }
  }

  /** The most properties of names that the schema does not state. */
  static final int MOST_OTHERS = 64;

  /** The most characters of such a name. */
  static final int LONGEST_NAME = 64;

  final List<Property> properties;

  /** What other properties are, or null if there may be none. */
  final Node others;

  private final List<String> names;

  ObjectShape(List<Property> properties, Node others) {
    this.properties = List.copyOf(properties);
    this.others = others;
    names = this.properties.stream().map(Property::name).toList();
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
   * @param empty whether there is none so far
   * @param used names of others so far, UTF-8, one byte a character
   */
  record Members(ObjectShape shape, int next, boolean empty, List<String> used) implements Node {
    static Members first(ObjectShape shape) {
      return new Members(shape, 0, true, List.of());
    }

    @Override
    public void step(int value, Stack rest, Set<Stack> out) {
      if (empty) {
        keys(value, rest, out);
      } else if (value == ',') {
        out.add(rest.push(new Key(this)).push(Space.INSTANCE));
      }
      if (value == '}' && !required()) {
        out.add(rest);
      }
    }

    private boolean required() {
      return shape.properties.stream().skip(next).anyMatch(Property::required);
    }

    /** Reads the first byte of a key. */
    void keys(int value, Stack rest, Set<Stack> out) {
      for (int i = next; i < shape.properties.size(); i++) {
        Property property = shape.properties.get(i);
        if (property.value.shortest() < NEVER) {
          Stack after =
              rest.push(new Members(shape, i + 1, false, used))
                  .push(property.value)
                  .push(Space.INSTANCE);
          property.key.step(value, after, out);
        }
        if (property.required) {
          return;
        }
      }
      if (value == '"' && mayHaveOthers()) {
        out.add(rest.push(new Name(this, "", StringText.Phase.TEXT, 0)));
      }
    }

    private boolean mayHaveOthers() {
      return shape.others != null && shape.others.shortest() < NEVER && used.size() < MOST_OTHERS;
    }

    /** The fewest bytes of a key and what follows it, but for what is required. */
    int shortestKey() {
      int best = NEVER;
      for (int i = next; i < shape.properties.size(); i++) {
        Property property = shape.properties.get(i);
        Members after = new Members(shape, i + 1, false, used);
        long sum = (long) property.key.shortest() + property.value.shortest() + after.shortest();
        best = (int) Math.min(best, sum);
        if (property.required) {
          return best;
        }
      }
      if (mayHaveOthers()) {
        best = Math.min(best, 1 + new Name(this, "", StringText.Phase.TEXT, 0).shortest());
      }
      return best;
    }

    @Override
    public int shortest() {
      long sum = 1;
      boolean first = empty;
      for (int i = next; i < shape.properties.size(); i++) {
        Property property = shape.properties.get(i);
        if (property.required) {
          sum += property.key.shortest() + property.value.shortest() + (first ? 0 : 1);
          first = false;
        }
      }
      return (int) Math.min(NEVER, sum);
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
  }

  /**
   * The rest of a name that the shape does not state, and all that follows it in the object.
   *
   * @param read its bytes so far, one byte a character
   * @param characters code points so far
   */
  record Name(Members members, String read, StringText.Phase phase, int characters)
      implements Node {
    private boolean taken(String name) {
      return members.shape.names.contains(name) || members.used.contains(name);
    }

    @Override
    public void step(int value, Stack rest, Set<Stack> out) {
      if (phase != StringText.Phase.TEXT) {
        add(StringText.tail(phase, value), value, characters, rest, out);
        return;
      }
      if (value == '"') {
        if (!taken(read)) {
          List<String> used = new ArrayList<>(members.used);
          used.add(read);
          Members after =
              new Members(members.shape, members.shape.properties.size(), false, List.copyOf(used));
          out.add(
              rest.push(after)
                  .push(members.shape.others)
                  .push(Space.INSTANCE)
                  .push(Literal.of(":")));
        }
        return;
      }
      // Past the longest name only as far as it takes to differ from the others.
      if (value != '\\' && value >= 0x20 && (characters < LONGEST_NAME || taken(read))) {
        StringText.Phase next = value < 0x80 ? StringText.Phase.TEXT : StringText.lead(value);
        add(next, value, characters + 1, rest, out);
      }
    }

    private void add(StringText.Phase next, int value, int count, Stack rest, Set<Stack> out) {
      if (next != null) {
        out.add(rest.push(new Name(members, read + (char) value, next, count)));
      }
    }

    @Override
    public int shortest() {
      // Quote, colon, value, brace; required properties came before.
      long end = 3L + members.shape.others.shortest();
      // A character begun ends with the least continuation, which may give a name that is taken.
      StringBuilder name = new StringBuilder(read);
      return (int) Math.min(NEVER, end + finish(name, phase));
    }

    private int finish(StringBuilder name, StringText.Phase at) {
      if (at == StringText.Phase.TEXT) {
        return differing(name.toString());
      }
      int best = NEVER;
      for (int value = 0x80; value < 0xc0; value++) {
        StringText.Phase next = StringText.tail(at, value);
        if (next != null) {
          name.append((char) value);
          int rest = 1 + (begins(name.toString()) ? finish(name, next) : next.bytes);
          name.setLength(name.length() - 1);
          best = Math.min(best, rest);
          if (best == at.bytes) {
            break;
          }
        }
      }
      return best;
    }

    private boolean begins(String prefix) {
      return members.shape.names.stream().anyMatch(name -> name.startsWith(prefix))
          || members.used.stream().anyMatch(name -> name.startsWith(prefix));
    }

    /** The fewest characters that make a name one that is not taken. */
    private int differing(String name) {
      if (!taken(name)) {
        return 0;
      }
      int best = NEVER;
      for (char c = ' '; c < 0x7f && best > 1; c++) {
        if (c != '"' && c != '\\') {
          best = Math.min(best, 1 + differing(name + c));
        }
      }
      return best;
    }
  }
}
