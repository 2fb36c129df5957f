package pelican.server;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Schemas of all keywords that answers can be bound by, each of which some value satisfies. */
final class RandomSchemas {
  private static final List<String> FORMATS =
      List.of(
          "date",
          "time",
          "date-time",
          "duration",
          "email",
          "hostname",
          "ipv4",
          "ipv6",
          "uri",
          "uuid",
          "json-pointer",
          "relative-json-pointer");

  private static final List<String> PATTERNS =
      List.of(
          "^[A-Z]{2}-\\d{1,4}$",
          "colou?r",
          "^(ab|cd)+é?$",
          "\\s",
          "^\\w+( \\w+){0,3}$",
          "^[^a-z\"]{2,6}$",
          "^(\\+|00)?[1-9]\\d{3,8}$",
          "x|^y|z$",
          "^.{1,5}$",
          "\\W\\D\\S");

  private final Random random;

  RandomSchemas(Random random) {
    this.random = random;
  }

  private <T> T one(List<T> options) {
    return options.get(random.nextInt(options.size()));
  }

  /** A schema of so many levels at most. */
  Map<String, Object> schema(int depth) {
    return switch (random.nextInt(depth == 0 ? 8 : 14)) {
      case 0 -> lengths();
      case 1 -> format();
      case 2 -> pattern();
      case 3 -> integer();
      case 4 -> number();
      case 5 -> values();
      case 6 -> Map.of("type", List.of("boolean", "null"));
      case 7 -> not();
      case 8, 9 -> object(depth);
      case 10 -> names(depth);
      case 11 -> array(depth);
      case 12 -> distinct();
      default -> Map.of("anyOf", List.of(schema(depth - 1), schema(depth - 1)));
    };
  }

  private Map<String, Object> format() {
    String format = one(FORMATS);
    // The validator knows the top-level domains that there are.
    return format.equals("email")
        ? Map.of("type", "string", "format", format, "pattern", "\\.(org|com)$")
        : Map.of("type", "string", "format", format);
  }

  private Map<String, Object> lengths() {
    return Map.of(
        "type", "string", "minLength", random.nextInt(4), "maxLength", 4 + random.nextInt(9));
  }

  private Map<String, Object> pattern() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("type", "string");
    map.put("pattern", one(PATTERNS));
    if (random.nextInt(3) == 0) {
      map.put("maxLength", 5 + random.nextInt(9));
      map.put("minLength", random.nextInt(6));
    }
    if (random.nextInt(4) == 0) {
      // What every pattern allows has such a part or lacks it; not both can be asked of all.
      map.put("not", Map.of("pattern", "^qqq"));
    }
    return map;
  }

  private Map<String, Object> integer() {
    int low = random.nextInt(4001) - 2000;
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("type", "integer");
    map.put("minimum", low);
    map.put("maximum", low + 50 + random.nextInt(300));
    if (random.nextBoolean()) {
      map.put("multipleOf", 1 + random.nextInt(40));
    }
    return map;
  }

  private Map<String, Object> number() {
    double low = (random.nextInt(4001) - 2000) / 100.0;
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("type", "number");
    map.put("exclusiveMinimum", low);
    map.put("maximum", low + 0.5);
    if (random.nextBoolean()) {
      map.put("multipleOf", one(List.of(0.25, 0.01, 0.125)));
    }
    return map;
  }

  private Map<String, Object> values() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("enum", List.of("a\"b", 7, true, List.of("é", 1.5), "long one", -3));
    switch (random.nextInt(4)) {
      case 0 -> map.put("minimum", 0);
      case 1 -> map.put("maxLength", 4);
      case 2 -> map.put("not", Map.of("type", List.of("array", "boolean")));
      default -> map.put("type", List.of("string", "array"));
    }
    return map;
  }

  private Map<String, Object> not() {
    return random.nextBoolean()
        ? Map.of("type", "string", "maxLength", 6, "not", Map.of("enum", List.of("", "a", 1)))
        : Map.of("type", List.of("boolean", "null", "integer"), "not", Map.of("type", "integer"));
  }

  private Map<String, Object> object(int depth) {
    Map<String, Object> properties = new LinkedHashMap<>();
    List<String> required = new ArrayList<>();
    int count = random.nextInt(4);
    for (int i = 0; i < count; i++) {
      String name = "p" + (i == 2 ? "1\n" : i);
      properties.put(name, schema(depth - 1));
      if (random.nextBoolean()) {
        required.add(name);
      }
    }
    boolean open = random.nextBoolean();
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("type", "object");
    map.put("properties", properties);
    map.put("required", required);
    map.put("additionalProperties", open ? schema(0) : false);
    if (random.nextBoolean()) {
      map.put("minProperties", random.nextInt(open ? 4 : count + 1));
      map.put("maxProperties", Math.max(count, 4));
    }
    return map;
  }

  private Map<String, Object> names(int depth) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("type", "object");
    map.put("properties", Map.of("xa", Map.of("type", "integer")));
    map.put(
        "patternProperties",
        Map.of("^x", Map.of("type", List.of("integer", "null")), "[0-9]$", schema(depth - 1)));
    map.put("additionalProperties", random.nextBoolean() ? schema(0) : false);
    if (random.nextBoolean()) {
      map.put("propertyNames", Map.of("pattern", "^\\w+$", "maxLength", 8));
    }
    map.put("minProperties", random.nextInt(3));
    return map;
  }

  private Map<String, Object> array(int depth) {
    int least = random.nextInt(2);
    return Map.of(
        "type",
        "array",
        "items",
        schema(depth - 1),
        "minItems",
        least,
        "maxItems",
        least + random.nextInt(4));
  }

  private Map<String, Object> distinct() {
    Map<String, Object> items =
        one(
            List.of(
                Map.of("enum", List.of("a", "ab", 3, true)),
                Map.of("type", "integer", "minimum", 8, "maximum", 11),
                Map.of("type", "string", "pattern", "^[ab]{1,2}$"),
                Map.of("type", List.of("string", "boolean"), "maxLength", 3)));
    return Map.of(
        "type",
        "array",
        "items",
        items,
        "uniqueItems",
        true,
        "minItems",
        random.nextInt(5),
        "maxItems",
        4);
  }
}
