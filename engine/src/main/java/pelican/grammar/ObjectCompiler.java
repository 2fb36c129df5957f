package pelican.grammar;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import pelican.grammar.regex.Automaton;
import pelican.grammar.regex.Dialect;
import pelican.grammar.regex.Texts;

/** Makes grammars of the schemas of objects. */
final class ObjectCompiler {
  /** The most expressions for names, as each set of them is a kind of name. */
  private static final int MOST_PATTERNS = 4;

  private static final int MOST_NEEDED = 1000;

  /** Makes the grammar of a schema at a place. */
  @FunctionalInterface
  interface Inner {
    Node compile(Object schema, String pointer);
  }

  private final SchemaReader reader;
  private final SchemaMerger merger;
  private final SchemaCheck check;
  private final StringTexts texts;
  private final Node any;
  private final Node none;
  private final Inner inner;

  private final Map<String, Object> map;
  private final String pointer;
  private final Map<String, Object> patterns;

  ObjectCompiler(SchemaCompiler compiler, Map<String, Object> map, String pointer, Inner inner) {
    reader = compiler.reader;
    merger = compiler.merger;
    check = compiler.check;
    texts = compiler.texts;
    any = compiler.anyValue();
    none = compiler.choice(List.of());
    this.inner = inner;
    this.map = map;
    this.pointer = pointer;
    patterns = reader.map(map, "patternProperties", pointer);
    if (patterns.size() > MOST_PATTERNS) {
      throw new SchemaException(
          pointer,
          String.format(
              "keyword 'patternProperties' has %d expressions, expected at most %d",
              patterns.size(), MOST_PATTERNS));
    }
  }

  Node compile() {
    Map<String, Object> stated = reader.map(map, "properties", pointer);
    Object others = map.get("additionalProperties");
    int least = SchemaCompiler.count(map, "minProperties", 0, pointer);
    int most = SchemaCompiler.count(map, "maxProperties", Integer.MAX_VALUE, pointer);
    if (least > MOST_NEEDED) {
      throw new SchemaException(
          pointer, "keyword 'minProperties' is " + least + ", expected at most " + MOST_NEEDED);
    }
    Set<String> required = required();
    boolean free =
        others == null && patterns.isEmpty() && (stated.isEmpty() || least > stated.size());
    Node other =
        others == null
            ? free ? any : null
            : Boolean.FALSE.equals(others)
                ? null
                : inner.compile(others, pointer + "/additionalProperties");
    List<ObjectShape.Property> properties = new ArrayList<>();
    for (Map.Entry<String, Object> property : stated.entrySet()) {
      String name = property.getKey();
      Node value = named(name, property.getValue());
      properties.add(ObjectShape.Property.of(name, value, required.remove(name)));
    }
    for (String name : required) {
      boolean closed = others != null && !matches(name);
      Node value = !closed ? named(name, true) : other != null && isName(name) ? other : none;
      properties.add(ObjectShape.Property.of(name, value, true));
    }
    return new ObjectShape.Opening(new ObjectShape(properties, kinds(other), least, most));
  }

  private Set<String> required() {
    Set<String> required = new LinkedHashSet<>();
    for (Object name : reader.listOrEmpty(map, "required", pointer)) {
      if (!(name instanceof String text)) {
        throw new SchemaException(
            pointer, "keyword 'required' has " + JsonText.of(name) + ", expected strings");
      }
      required.add(text);
    }
    return required;
  }

  private String place(String pattern) {
    return pointer + "/patternProperties/" + SchemaReader.escape(pattern);
  }

  private Automaton names(String pattern, Dialect dialect) {
    return texts.pattern(pattern, "patternProperties", pointer, dialect);
  }

  private boolean matches(String name) {
    return patterns.keySet().stream().anyMatch(p -> names(p, Dialect.ANY).matches(name));
  }

  private boolean isName(String name) {
    return !map.containsKey("propertyNames")
        || check.holds(name, map.get("propertyNames"), pointer + "/propertyNames");
  }

  /** The value of a property of a name, with what expressions that match the name say of it. */
  private Node named(String name, Object schema) {
    Object merged = schema;
    String place = pointer + "/properties/" + SchemaReader.escape(name);
    for (Map.Entry<String, Object> pattern : patterns.entrySet()) {
      if (names(pattern.getKey(), Dialect.ANY).matches(name)) {
        merged = merger.merge(merged, pattern.getValue(), place(pattern.getKey()), 0);
      }
    }
    return isName(name) ? inner.compile(merged, place) : none;
  }

  private List<ObjectShape.Kind> kinds(Node other) {
    Automaton all = Texts.any();
    boolean limited = map.containsKey("propertyNames");
    if (limited) {
      Object schema = map.get("propertyNames");
      all = texts.names(schema, pointer + "/propertyNames", reader, merger, check);
    }
    if (patterns.isEmpty()) {
      if (other == null) {
        return List.of();
      }
      return List.of(limited ? new ObjectShape.Kind(all, other) : ObjectShape.Kind.any(other));
    }
    List<String> names = List.copyOf(patterns.keySet());
    List<ObjectShape.Kind> kinds = new ArrayList<>();
    for (int set = other == null ? 1 : 0; set < 1 << names.size(); set++) {
      Automaton kind = all;
      Object schema = true;
      for (int i = 0; i < names.size(); i++) {
        String name = names.get(i);
        if ((set >> i & 1) != 0) {
          kind = texts.both(kind, names(name, Dialect.ALL), "patternProperties", pointer);
          schema = merger.merge(schema, patterns.get(name), place(name), 0);
        } else {
          kind = texts.without(kind, names(name, Dialect.ANY), "patternProperties", pointer);
        }
      }
      if (kind.start() != Automaton.DEAD) {
        String place = place(names.get(Integer.numberOfTrailingZeros(Math.max(1, set))));
        kinds.add(new ObjectShape.Kind(kind, set == 0 ? other : inner.compile(schema, place)));
      }
    }
    return kinds;
  }
}
