package pelican.grammar;

import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import pelican.grammar.regex.Automaton;
import pelican.grammar.regex.Dialect;

/** Whether values that a schema itself names satisfy schemas. */
final class SchemaCheck {
  private static final int DEEPEST = 64;

  private final SchemaReader reader;
  private final StringTexts texts;

  SchemaCheck(SchemaReader reader, StringTexts texts) {
    this.reader = reader;
    this.texts = texts;
  }

  /** Whether a value satisfies a schema. */
  boolean holds(Object value, Object schema, String pointer) {
    return holds(value, schema, pointer, 0);
  }

  private boolean holds(Object value, Object schema, String pointer, int depth) {
    if (schema instanceof Boolean all) {
      return all;
    }
    if (depth > DEEPEST) {
      throw new SchemaException(
          pointer, "schemas are nested, or '$ref' leads to itself, more than " + DEEPEST + " deep");
    }
    Map<String, Object> map = reader.schema(schema, pointer);
    if (map.containsKey("type") && !SchemaReader.isOf(value, reader.types(map, pointer))) {
      return false;
    }
    boolean listed = map.containsKey("enum") || map.containsKey("const");
    if (listed) {
      Object key = SchemaReader.key(value);
      boolean found =
          reader.values(map, pointer).stream().anyMatch(v -> SchemaReader.key(v).equals(key));
      if (!found) {
        return false;
      }
    }
    boolean fits =
        switch (value) {
          case String text -> text(text, map, pointer);
          case Number number -> NumberRange.contains(number, map, pointer);
          case List<?> list -> array(list, map, pointer, depth);
          case Map<?, ?> object -> object(object, map, pointer, depth);
          case null, default -> true;
        };
    return fits && combined(value, map, pointer, depth);
  }

  private boolean combined(Object value, Map<String, Object> map, String pointer, int depth) {
    if (map.containsKey("$ref")) {
      if (!(map.get("$ref") instanceof String target)) {
        throw new SchemaException(pointer, "keyword '$ref': expected a string");
      }
      if (!holds(value, reader.resolve(target, pointer), pointer, depth + 1)) {
        return false;
      }
    }
    for (Object not : SchemaReader.every(map, "not")) {
      if (holds(value, not, pointer + "/not", depth + 1)) {
        return false;
      }
    }
    if (map.containsKey("if")) {
      String then = holds(value, map.get("if"), pointer + "/if", depth + 1) ? "then" : "else";
      if (!holds(value, map.getOrDefault(then, true), pointer + "/" + then, depth + 1)) {
        return false;
      }
    }
    for (String keyword : List.of("allOf", "anyOf", "oneOf")) {
      if (map.containsKey(keyword)) {
        List<?> parts = reader.list(map.get(keyword), pointer, keyword);
        int count = 0;
        for (int i = 0; i < parts.size(); i++) {
          String place = pointer + "/" + keyword + "/" + i;
          count += holds(value, parts.get(i), place, depth + 1) ? 1 : 0;
        }
        int least = keyword.equals("allOf") ? parts.size() : 1;
        int most = keyword.equals("oneOf") ? 1 : parts.size();
        if (count < least || count > most) {
          return false;
        }
      }
    }
    return true;
  }

  private boolean text(String text, Map<String, Object> map, String pointer) {
    int length = text.codePointCount(0, text.length());
    if (length < SchemaCompiler.count(map, "minLength", 0, pointer)
        || length > SchemaCompiler.count(map, "maxLength", Integer.MAX_VALUE, pointer)) {
      return false;
    }
    Automaton allowed = texts.of(map, pointer, Dialect.ECMA);
    return allowed == null || allowed.matches(text);
  }

  private boolean array(List<?> list, Map<String, Object> map, String pointer, int depth) {
    boolean counted =
        list.size() >= SchemaCompiler.count(map, "minItems", 0, pointer)
            && list.size() <= SchemaCompiler.count(map, "maxItems", Integer.MAX_VALUE, pointer);
    if (!counted) {
      return false;
    }
    List<Object> keys = list.stream().map(SchemaReader::key).toList();
    if (Boolean.TRUE.equals(map.get("uniqueItems")) && new HashSet<>(keys).size() < keys.size()) {
      return false;
    }
    List<?> first = reader.listOrEmpty(map, "prefixItems", pointer);
    for (int i = 0; i < list.size(); i++) {
      boolean prefix = i < first.size();
      Object schema = prefix ? first.get(i) : map.getOrDefault("items", true);
      String place = pointer + (prefix ? "/prefixItems/" + i : "/items");
      if (!holds(list.get(i), schema, place, depth + 1)) {
        return false;
      }
    }
    return true;
  }

  private boolean object(Map<?, ?> object, Map<String, Object> map, String pointer, int depth) {
    boolean counted =
        object.size() >= SchemaCompiler.count(map, "minProperties", 0, pointer)
            && object.size()
                <= SchemaCompiler.count(map, "maxProperties", Integer.MAX_VALUE, pointer);
    if (!counted || !object.keySet().containsAll(reader.listOrEmpty(map, "required", pointer))) {
      return false;
    }
    Map<String, Object> stated = reader.map(map, "properties", pointer);
    Map<String, Object> patterns = reader.map(map, "patternProperties", pointer);
    for (Map.Entry<?, ?> entry : object.entrySet()) {
      String name = (String) entry.getKey();
      boolean other = true;
      if (map.containsKey("propertyNames")
          && !holds(name, map.get("propertyNames"), pointer + "/propertyNames", depth + 1)) {
        return false;
      }
      if (stated.containsKey(name)) {
        other = false;
        String place = pointer + "/properties/" + SchemaReader.escape(name);
        if (!holds(entry.getValue(), stated.get(name), place, depth + 1)) {
          return false;
        }
      }
      for (Map.Entry<String, Object> pattern : patterns.entrySet()) {
        String place = pointer + "/patternProperties/" + SchemaReader.escape(pattern.getKey());
        if (texts
            .pattern(pattern.getKey(), "patternProperties", pointer, Dialect.ECMA)
            .matches(name)) {
          other = false;
          if (!holds(entry.getValue(), pattern.getValue(), place, depth + 1)) {
            return false;
          }
        }
      }
      Object others = map.getOrDefault("additionalProperties", true);
      if (other && !holds(entry.getValue(), others, pointer + "/additionalProperties", depth + 1)) {
        return false;
      }
    }
    return true;
  }

  /** Whether it is certain that no value satisfies both schemas. */
  boolean disjoint(Object left, Object right, String pointer, int depth) {
    if (depth > 8) {
      return false;
    }
    if (Boolean.FALSE.equals(left) || Boolean.FALSE.equals(right)) {
      return true;
    }
    if (left instanceof Boolean || right instanceof Boolean) {
      return false;
    }
    Map<String, Object> a = reader.schema(left, pointer);
    Map<String, Object> b = reader.schema(right, pointer);
    if (a.get("$ref") instanceof String target) {
      return disjoint(reader.resolve(target, pointer), b, pointer, depth + 1);
    }
    if (b.get("$ref") instanceof String target) {
      return disjoint(a, reader.resolve(target, pointer), pointer, depth + 1);
    }
    boolean aValues = a.containsKey("enum") || a.containsKey("const");
    boolean bValues = b.containsKey("enum") || b.containsKey("const");
    if (aValues && bValues) {
      Set<Object> keys = new HashSet<>();
      reader.values(a, pointer).forEach(value -> keys.add(SchemaReader.key(value)));
      return reader.values(b, pointer).stream()
          .noneMatch(value -> keys.contains(SchemaReader.key(value)));
    }
    if (aValues || bValues) {
      Map<String, Object> other = aValues ? b : a;
      return reader.values(aValues ? a : b, pointer).stream()
          .noneMatch(value -> holds(value, other, pointer));
    }
    Set<String> aTypes = namedTypes(a);
    Set<String> bTypes = namedTypes(b);
    if (aTypes.isEmpty() || bTypes.isEmpty()) {
      return false;
    }
    if (SchemaReader.commonTypes(List.copyOf(aTypes), List.copyOf(bTypes)).equals(List.of())) {
      return true;
    }
    if (!aTypes.equals(Set.of("object")) || !bTypes.equals(Set.of("object"))) {
      return false;
    }
    Map<String, Object> mine = reader.map(a, "properties", pointer);
    Map<String, Object> yours = reader.map(b, "properties", pointer);
    for (Object name : reader.listOrEmpty(a, "required", pointer)) {
      if (reader.listOrEmpty(b, "required", pointer).contains(name)
          && mine.get(name) != null
          && yours.get(name) != null
          && disjoint(mine.get(name), yours.get(name), pointer, depth + 1)) {
        return true;
      }
    }
    return false;
  }

  private static Set<String> namedTypes(Map<String, Object> map) {
    Set<String> types = new LinkedHashSet<>();
    Object given = map.get("type");
    for (Object type :
        given instanceof List<?> list ? list : given == null ? List.of() : List.of(given)) {
      types.add(String.valueOf(type));
    }
    return types;
  }
}
