package pelican.grammar;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Merges schemas of which several have to hold. */
final class SchemaMerger {
  private static final int DEEPEST = 128;

  private final SchemaReader reader;

  SchemaMerger(SchemaReader reader) {
    this.reader = reader;
  }

  /** A schema with what its reference refers to in its place. */
  Object inline(Map<String, Object> map, String pointer, int depth) {
    Map<String, Object> base = new LinkedHashMap<>(map);
    if (!(base.remove("$ref") instanceof String target)) {
      throw new SchemaException(pointer, "keyword '$ref': expected a string");
    }
    return merge(base, reader.resolve(target, pointer), pointer, depth + 1);
  }

  /** A schema with the schemas of allOf merged into it. */
  Object mergeAll(Map<String, Object> map, String pointer, int depth) {
    Map<String, Object> base = new LinkedHashMap<>(map);
    Object merged = base;
    for (Object part : reader.list(base.remove("allOf"), pointer, "allOf")) {
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
    Map<String, Object> a = reader.schema(left, pointer);
    Map<String, Object> b = reader.schema(right, pointer);
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
    if (reachesOthers(a, b, pointer) || reachesOthers(b, a, pointer)) {
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

  /** Whether additionalProperties of one is about properties that the other alone names. */
  private boolean reachesOthers(Map<String, Object> a, Map<String, Object> b, String pointer) {
    if (Boolean.TRUE.equals(a.getOrDefault("additionalProperties", true))) {
      return false;
    }
    for (String keyword : List.of("properties", "patternProperties")) {
      Set<String> known = reader.map(a, keyword, pointer).keySet();
      if (!known.containsAll(reader.map(b, keyword, pointer).keySet())) {
        return true;
      }
    }
    return false;
  }

  private Object both(String keyword, Object a, Object b, String pointer, int depth) {
    switch (keyword) {
      case "type" -> {
        return SchemaReader.commonTypes(a, b);
      }
      case "properties", "patternProperties" -> {
        Map<String, Object> all = reader.map(Map.of(keyword, a), keyword, pointer);
        for (Map.Entry<String, Object> entry :
            reader.map(Map.of(keyword, b), keyword, pointer).entrySet()) {
          String name = entry.getKey();
          Object old = all.get(name);
          Object value = entry.getValue();
          String place = pointer + "/" + keyword + "/" + SchemaReader.escape(name);
          all.put(name, old == null ? value : allOf(old, value));
          if (value == null) {
            throw new SchemaException(place, "expected an object or a boolean as schema");
          }
        }
        return all;
      }
      case "required" -> {
        Set<Object> all =
            new LinkedHashSet<>(reader.listOrEmpty(Map.of(keyword, a), keyword, pointer));
        all.addAll(reader.listOrEmpty(Map.of(keyword, b), keyword, pointer));
        return List.copyOf(all);
      }
      case "pattern", "format", "not" -> {
        List<Object> all = new ArrayList<>(SchemaReader.every(Map.of(keyword, a), keyword));
        for (Object value : SchemaReader.every(Map.of(keyword, b), keyword)) {
          if (!all.contains(value)) {
            all.add(value);
          }
        }
        return new SchemaReader.Every(List.copyOf(all));
      }
      case "multipleOf" -> {
        return NumberRange.common(
            NumberRange.decimal(a, keyword, pointer),
            NumberRange.decimal(b, keyword, pointer),
            pointer);
      }
      case "uniqueItems" -> {
        return Boolean.TRUE.equals(a) ? a : b;
      }
      case "additionalProperties", "items", "propertyNames" -> {
        return allOf(a, b);
      }
      case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties" -> {
        return NumberRange.decimal(a, keyword, pointer)
            .max(NumberRange.decimal(b, keyword, pointer));
      }
      case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties" -> {
        return NumberRange.decimal(a, keyword, pointer)
            .min(NumberRange.decimal(b, keyword, pointer));
      }
      case "enum" -> {
        Set<Object> keys = new HashSet<>();
        reader.list(b, pointer, keyword).forEach(value -> keys.add(SchemaReader.key(value)));
        return reader.list(a, pointer, keyword).stream()
            .filter(v -> keys.contains(SchemaReader.key(v)))
            .toList();
      }
      default -> {
        if (a != null && b != null && SchemaReader.key(a).equals(SchemaReader.key(b))) {
          return a;
        }
        throw new SchemaException(
            pointer, "keyword '" + keyword + "' in several schemas to be merged is not supported");
      }
    }
  }

  static Object allOf(Object a, Object b) {
    return a.equals(b) ? a : Map.of("allOf", List.of(a, b));
  }
}
