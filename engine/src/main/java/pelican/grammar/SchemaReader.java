package pelican.grammar;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads, resolves and merges the schemas of a document. */
final class SchemaReader {
  private static final Set<String> ANNOTATIONS =
      Set.of(
          "title",
          "description",
          "default",
          "examples",
          "$schema",
          "$id",
          "$comment",
          "$defs",
          "definitions",
          "deprecated",
          "readOnly",
          "writeOnly");

  private static final Set<String> OBJECT =
      Set.of("properties", "required", "additionalProperties");
  private static final Set<String> ARRAY =
      Set.of("items", "prefixItems", "minItems", "maxItems", "uniqueItems");
  private static final Set<String> STRING = Set.of("minLength", "maxLength");
  private static final Set<String> NUMBER =
      Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");
  private static final Set<String> OTHERS =
      Set.of("type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf");
  private static final List<String> ALL =
      List.of("object", "array", "string", "number", "boolean", "null");

  private static final int DEEPEST = 128;

  private final Map<String, ?> root;

  SchemaReader(Map<String, ?> root) {
    this.root = root;
  }

  Map<String, ?> root() {
    return root;
  }

  /** A schema without annotations, all of whose keywords are supported. */
  Map<String, Object> schema(Object schema, String pointer) {
    if (!(schema instanceof Map<?, ?> map)) {
      throw new SchemaException(pointer, "expected an object or a boolean as schema");
    }
    Map<String, Object> kept = new LinkedHashMap<>();
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      String keyword = (String) entry.getKey();
      if (ANNOTATIONS.contains(keyword)) {
        continue;
      }
      boolean known =
          OBJECT.contains(keyword)
              || ARRAY.contains(keyword)
              || STRING.contains(keyword)
              || NUMBER.contains(keyword)
              || OTHERS.contains(keyword);
      if (!known) {
        throw new SchemaException(pointer, "keyword '" + keyword + "' is not supported");
      }
      if (entry.getValue() == null && !keyword.equals("const")) {
        throw new SchemaException(pointer, "keyword '" + keyword + "' is null");
      }
      kept.put(keyword, entry.getValue());
    }
    return kept;
  }

  static String escape(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  /** The types that a schema without 'type' is about; all if it does not tell. */
  static Set<String> typesOfKeywords(Map<String, Object> map) {
    Set<String> types = new LinkedHashSet<>();
    for (String keyword : map.keySet()) {
      if (OBJECT.contains(keyword)) {
        types.add("object");
      } else if (ARRAY.contains(keyword)) {
        types.add("array");
      } else if (STRING.contains(keyword)) {
        types.add("string");
      } else if (NUMBER.contains(keyword)) {
        types.add("number");
      }
    }
    return types.isEmpty() ? new LinkedHashSet<>(ALL) : types;
  }

  List<?> list(Object value, String pointer, String keyword) {
    if (!(value instanceof List<?> list) || list.isEmpty()) {
      throw new SchemaException(
          pointer, "keyword '" + keyword + "': expected a list that has items");
    }
    return list;
  }

  List<?> listOrEmpty(Map<String, Object> map, String keyword, String pointer) {
    Object value = map.getOrDefault(keyword, List.of());
    if (!(value instanceof List<?> list)) {
      throw new SchemaException(pointer, "keyword '" + keyword + "': expected a list");
    }
    return list;
  }

  Map<String, Object> map(Map<String, Object> map, String keyword, String pointer) {
    Object value = map.getOrDefault(keyword, Map.of());
    if (!(value instanceof Map<?, ?> given)) {
      throw new SchemaException(pointer, "keyword '" + keyword + "': expected an object");
    }
    Map<String, Object> copy = new LinkedHashMap<>();
    given.forEach((name, inner) -> copy.put((String) name, inner));
    return copy;
  }

  /** What a reference within the document refers to. */
  Object resolve(String target, String pointer) {
    Object at = root;
    if (target.equals("#")) {
      return at;
    }
    if (target.startsWith("#/")) {
      for (String part : target.substring(2).split("/", -1)) {
        String name =
            java.net.URLDecoder.decode(
                    part.replace("+", "%2B").replaceAll("%(?![0-9a-fA-F]{2})", "%25"),
                    java.nio.charset.StandardCharsets.UTF_8)
                .replace("~1", "/")
                .replace("~0", "~");
        if (at instanceof Map<?, ?> map) {
          at = map.get(name);
        } else if (at instanceof List<?> list && name.matches("[0-9]{1,6}")) {
          int index = Integer.parseInt(name);
          at = index < list.size() ? list.get(index) : null;
        } else {
          at = null;
        }
      }
      if (at != null) {
        return at;
      }
    }
    throw new SchemaException(
        pointer,
        "keyword '$ref' is " + JsonText.quote(target) + ", expected a place in this schema");
  }

  /** A schema with what its reference refers to in its place. */
  Object inline(Map<String, Object> map, String pointer, int depth) {
    Map<String, Object> base = new LinkedHashMap<>(map);
    if (!(base.remove("$ref") instanceof String target)) {
      throw new SchemaException(pointer, "keyword '$ref': expected a string");
    }
    return merge(base, resolve(target, pointer), pointer, depth + 1);
  }

  /** A schema with the schemas of allOf merged into it. */
  Object mergeAll(Map<String, Object> map, String pointer, int depth) {
    Map<String, Object> base = new LinkedHashMap<>(map);
    Object merged = base;
    for (Object part : list(base.remove("allOf"), pointer, "allOf")) {
      merged = merge(merged, part, pointer, depth + 1);
    }
    return merged;
  }

  /** A schema that allows what both allow. */
  Object merge(Object left, Object right, String pointer, int depth) {
    if (depth > DEEPEST) {
      throw new SchemaException(pointer, "keyword '$ref' leads to itself without any progress");
    }
    if (left instanceof Boolean all) {
      return all ? right : left;
    }
    if (right instanceof Boolean all) {
      return all ? left : right;
    }
    Map<String, Object> a = schema(left, pointer);
    Map<String, Object> b = schema(right, pointer);
    if (a.isEmpty() || b.isEmpty()) {
      return a.isEmpty() ? b : a;
    }
    for (Map<String, Object> side : List.of(a, b)) {
      Object flat =
          side.containsKey("$ref")
              ? inline(side, pointer, depth)
              : side.containsKey("allOf") ? mergeAll(side, pointer, depth) : null;
      if (flat != null) {
        return merge(side == a ? flat : a, side == b ? flat : b, pointer, depth + 1);
      }
    }
    refuseOpenness(a, b, pointer);
    Map<String, Object> merged = new LinkedHashMap<>(a);
    for (Map.Entry<String, Object> entry : b.entrySet()) {
      String keyword = entry.getKey();
      Object value = entry.getValue();
      merged.put(
          keyword,
          a.containsKey(keyword) ? both(keyword, a.get(keyword), value, pointer, depth) : value);
    }
    return merged;
  }

  /** Refuses additionalProperties that would have to hold for the other's properties. */
  private void refuseOpenness(Map<String, Object> a, Map<String, Object> b, String pointer) {
    boolean stated = a.containsKey("properties") || b.containsKey("properties");
    boolean closed =
        !Boolean.TRUE.equals(a.getOrDefault("additionalProperties", true))
            || !Boolean.TRUE.equals(b.getOrDefault("additionalProperties", true));
    boolean same =
        map(a, "properties", pointer).keySet().equals(map(b, "properties", pointer).keySet());
    if (stated && closed && !same) {
      throw new SchemaException(
          pointer,
          "keyword 'additionalProperties' in schemas to be merged, with properties that only one of"
              + " them states, is not supported");
    }
    boolean prefix = a.containsKey("prefixItems") || b.containsKey("prefixItems");
    if (prefix && (a.containsKey("items") || b.containsKey("items"))) {
      throw new SchemaException(
          pointer, "keyword 'prefixItems' beside 'items' in schemas to be merged is not supported");
    }
  }

  private Object both(String keyword, Object a, Object b, String pointer, int depth) {
    switch (keyword) {
      case "type" -> {
        return commonTypes(a, b);
      }
      case "properties" -> {
        Map<String, Object> all = map(Map.of(keyword, a), keyword, pointer);
        for (Map.Entry<String, Object> entry :
            map(Map.of(keyword, b), keyword, pointer).entrySet()) {
          String name = entry.getKey();
          Object old = all.get(name);
          Object value = entry.getValue();
          String place = pointer + "/properties/" + escape(name);
          all.put(name, old == null ? value : allOf(old, value));
          if (value == null) {
            throw new SchemaException(place, "expected an object or a boolean as schema");
          }
        }
        return all;
      }
      case "required" -> {
        Set<Object> all = new LinkedHashSet<>(listOrEmpty(Map.of(keyword, a), keyword, pointer));
        all.addAll(listOrEmpty(Map.of(keyword, b), keyword, pointer));
        return List.copyOf(all);
      }
      case "additionalProperties", "items" -> {
        return allOf(a, b);
      }
      case "minimum", "exclusiveMinimum", "minLength", "minItems" -> {
        return NumberRange.decimal(a, keyword, pointer)
            .max(NumberRange.decimal(b, keyword, pointer));
      }
      case "maximum", "exclusiveMaximum", "maxLength", "maxItems" -> {
        return NumberRange.decimal(a, keyword, pointer)
            .min(NumberRange.decimal(b, keyword, pointer));
      }
      case "enum" -> {
        Set<Object> keys = new HashSet<>();
        list(b, pointer, keyword).forEach(value -> keys.add(key(value)));
        return list(a, pointer, keyword).stream().filter(v -> keys.contains(key(v))).toList();
      }
      default -> {
        if (a != null && b != null && key(a).equals(key(b))) {
          return a;
        }
        throw new SchemaException(
            pointer, "keyword '" + keyword + "' in several schemas to be merged is not supported");
      }
    }
  }

  private static Object allOf(Object a, Object b) {
    return a.equals(b) ? a : Map.of("allOf", List.of(a, b));
  }

  private static Object commonTypes(Object a, Object b) {
    List<?> left = a instanceof List<?> list ? list : List.of(a);
    List<?> right = b instanceof List<?> list ? list : List.of(b);
    List<Object> common = new ArrayList<>();
    for (Object type : left) {
      if (right.contains(type) || type.equals("integer") && right.contains("number")) {
        common.add(type);
      } else if (type.equals("number") && right.contains("integer")) {
        common.add("integer");
      }
    }
    return common;
  }

  /** The values of enum and const. */
  Collection<Object> values(Map<String, Object> map, String pointer) {
    List<Object> values = new ArrayList<>();
    if (map.containsKey("enum")) {
      if (!(map.get("enum") instanceof List<?> list)) {
        throw new SchemaException(pointer, "keyword 'enum': expected a list");
      }
      values.addAll(list);
    } else {
      values.add(map.get("const"));
    }
    if (map.containsKey("const")) {
      Object only = key(map.get("const"));
      values.removeIf(value -> !key(value).equals(only));
    }
    return values;
  }

  /** Equal for values that JSON Schema takes as equal. */
  static Object key(Object value) {
    return switch (value) {
      case null -> "null";
      case Number number -> {
        BigDecimal decimal = new BigDecimal(number.toString());
        yield decimal.signum() == 0 ? BigDecimal.ZERO : decimal.stripTrailingZeros();
      }
      case String text -> "\"" + text;
      case List<?> list -> list.stream().map(SchemaReader::key).toList();
      case Map<?, ?> map -> {
        Map<Object, Object> keys = new LinkedHashMap<>();
        map.forEach((name, inner) -> keys.put(name, key(inner)));
        yield keys;
      }
      default -> value;
    };
  }

  static boolean isOf(Object value, Set<String> types) {
    return switch (value) {
      case null -> types.contains("null");
      case Number number ->
          types.contains("number")
              || types.contains("integer") && ((BigDecimal) key(number)).scale() <= 0;
      case String text -> types.contains("string");
      case Boolean bool -> types.contains("boolean");
      case List<?> list -> types.contains("array");
      default -> types.contains("object");
    };
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
    Map<String, Object> a = schema(left, pointer);
    Map<String, Object> b = schema(right, pointer);
    if (a.get("$ref") instanceof String target) {
      return disjoint(resolve(target, pointer), b, pointer, depth + 1);
    }
    if (b.get("$ref") instanceof String target) {
      return disjoint(a, resolve(target, pointer), pointer, depth + 1);
    }
    boolean aValues = a.containsKey("enum") || a.containsKey("const");
    boolean bValues = b.containsKey("enum") || b.containsKey("const");
    if (aValues && bValues) {
      Set<Object> keys = new HashSet<>();
      values(a, pointer).forEach(value -> keys.add(key(value)));
      return values(b, pointer).stream().noneMatch(value -> keys.contains(key(value)));
    }
    if (aValues || bValues) {
      Map<String, Object> other = aValues ? b : a;
      Set<String> types = namedTypes(other);
      return !types.isEmpty()
          && values(aValues ? a : b, pointer).stream().noneMatch(value -> isOf(value, types));
    }
    Set<String> aTypes = namedTypes(a);
    Set<String> bTypes = namedTypes(b);
    if (aTypes.isEmpty() || bTypes.isEmpty()) {
      return false;
    }
    if (commonTypes(List.copyOf(aTypes), List.copyOf(bTypes)).equals(List.of())) {
      return true;
    }
    if (!aTypes.equals(Set.of("object")) || !bTypes.equals(Set.of("object"))) {
      return false;
    }
    Map<String, Object> mine = map(a, "properties", pointer);
    Map<String, Object> yours = map(b, "properties", pointer);
    for (Object name : listOrEmpty(a, "required", pointer)) {
      if (listOrEmpty(b, "required", pointer).contains(name)
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
