package pelican.grammar;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads and resolves the schemas of a document. */
final class SchemaReader {
  /** What is said of one keyword by several schemas that were merged, all of which holds. */
  record Every(List<Object> values) {}

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
      Set.of(
          "properties",
          "patternProperties",
          "propertyNames",
          "required",
          "additionalProperties",
          "minProperties",
          "maxProperties");
  private static final Set<String> ARRAY =
      Set.of("items", "prefixItems", "minItems", "maxItems", "uniqueItems");
  private static final Set<String> STRING = Set.of("minLength", "maxLength", "pattern");
  private static final Set<String> NUMBER =
      Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf");
  private static final Set<String> OTHERS =
      Set.of(
          "type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf", "not", "if", "then", "else",
          "format");
  static final Set<String> TYPES =
      Set.of("object", "array", "string", "number", "integer", "boolean", "null");

  private static final List<String> ALL =
      List.of("object", "array", "string", "number", "boolean", "null");

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
    if (!kept.containsKey("if")) {
      // Without a condition they say nothing.
      kept.remove("then");
      kept.remove("else");
    }
    return kept;
  }

  /** All that is said of a keyword; nothing if it is not there. */
  static List<Object> every(Map<String, Object> map, String keyword) {
    Object value = map.get(keyword);
    return value == null ? List.of() : value instanceof Every all ? all.values() : List.of(value);
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
      } else if (keyword.equals("format")) {
        for (Object name : every(map, keyword)) {
          types.add(NumberRange.FORMATS.contains(name) ? "number" : "string");
        }
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

  static Object commonTypes(Object a, Object b) {
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

  /** The types that a schema is about. */
  Set<String> types(Map<String, Object> map, String pointer) {
    Object given = map.get("type");
    if (given == null) {
      return typesOfKeywords(map);
    }
    Set<String> types = new LinkedHashSet<>();
    for (Object type : given instanceof List<?> list ? list : List.of(given)) {
      if (!(type instanceof String name) || !TYPES.contains(name)) {
        throw new SchemaException(
            pointer,
            "keyword 'type' has " + JsonText.of(type) + ", expected a type of JSON Schema");
      }
      types.add(name);
    }
    if (types.contains("number")) {
      types.remove("integer");
    }
    return types;
  }
}
