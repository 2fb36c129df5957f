package pelican.grammar;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import pelican.grammar.regex.Automaton;
import pelican.grammar.regex.Dialect;

/** What a schema forbids by 'not', where that can be held: types, values, and strings. */
final class Negations {
  private static final Set<String> STRINGS = Set.of("type", "pattern", "minLength", "maxLength");

  private final SchemaReader reader;
  private final SchemaCheck check;
  private final StringTexts texts;
  private final Set<String> types = new HashSet<>();
  private final List<Object> values = new ArrayList<>();
  private final List<Automaton> strings = new ArrayList<>();

  private Negations(SchemaReader reader, SchemaCheck check, StringTexts texts) {
    this.reader = reader;
    this.check = check;
    this.texts = texts;
  }

  static Negations of(
      Map<String, Object> map,
      String pointer,
      SchemaReader reader,
      SchemaCheck check,
      StringTexts texts) {
    Negations negations = new Negations(reader, check, texts);
    for (Object not : SchemaReader.every(map, "not")) {
      negations.add(not, pointer + "/not", 0);
    }
    return negations;
  }

  private void add(Object schema, String pointer, int depth) {
    if (Boolean.FALSE.equals(schema)) {
      return;
    }
    if (Boolean.TRUE.equals(schema)) {
      types.addAll(SchemaReader.TYPES);
      return;
    }
    Map<String, Object> map = new LinkedHashMap<>(reader.schema(schema, pointer));
    Set<String> keywords = map.keySet();
    if (keywords.equals(Set.of("$ref")) && map.get("$ref") instanceof String target && depth < 16) {
      add(reader.resolve(target, pointer), pointer, depth + 1);
    } else if (keywords.equals(Set.of("anyOf")) && depth < 16) {
      for (Object option : reader.list(map.get("anyOf"), pointer, "anyOf")) {
        add(option, pointer, depth + 1);
      }
    } else if (keywords.isEmpty()) {
      types.addAll(SchemaReader.TYPES);
    } else if (keywords.contains("enum") || keywords.contains("const")) {
      reader.values(map, pointer).stream()
          .filter(value -> check.holds(value, map, pointer))
          .forEach(values::add);
    } else if (keywords.equals(Set.of("type"))) {
      types.addAll(reader.types(map, pointer));
      if (types.contains("number")) {
        types.add("integer");
      }
    } else if (STRINGS.containsAll(keywords)
        && (!map.containsKey("type") || "string".equals(map.get("type")))) {
      if (!map.containsKey("type")) {
        types.addAll(SchemaReader.TYPES);
        types.remove("string");
      }
      strings.add(texts.exactly(map, pointer, Dialect.ANY));
    } else {
      String keyword =
          keywords.stream().filter(k -> !STRINGS.contains(k)).findFirst().orElse("type");
      throw new SchemaException(
          pointer,
          "keyword '"
              + keyword
              + "' in 'not' is not supported, only types, values and rules for strings are");
    }
  }

  /** Whether a type is forbidden as a whole. */
  boolean excludes(String type, String pointer) {
    if (type.equals("number") && types.contains("integer") && !types.contains("number")) {
      throw new SchemaException(
          pointer, "keyword 'not' of integers among numbers is not supported");
    }
    return types.contains(type);
  }

  /** The strings of some that are not forbidden; null for null if all are allowed. */
  Automaton strings(Automaton given, String pointer) {
    Automaton left = given;
    for (Automaton automaton : strings) {
      left = texts.without(left, automaton, "not", pointer);
    }
    List<String> named =
        values.stream().filter(String.class::isInstance).map(String.class::cast).toList();
    return named.isEmpty()
        ? left
        : texts.without(left, texts.of(named, "not", pointer), "not", pointer);
  }

  /** Whether strings are forbidden one by one. */
  boolean ofStrings() {
    return !strings.isEmpty() || values.stream().anyMatch(String.class::isInstance);
  }

  /** Whether a value of a type of few values is forbidden. */
  boolean excludesValue(Object value) {
    return values.stream().anyMatch(v -> SchemaReader.key(v).equals(SchemaReader.key(value)));
  }

  /** Refuses forbidden values of a type of which they can't be taken out. */
  void refuse(String type, String pointer) {
    for (Object value : values) {
      if (SchemaReader.isOf(value, Set.of(type))) {
        throw new SchemaException(
            pointer,
            "keyword 'not' with the value "
                + JsonText.of(value)
                + " of type "
                + type
                + " is not supported");
      }
    }
  }
}
