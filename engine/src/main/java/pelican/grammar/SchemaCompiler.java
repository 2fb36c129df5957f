package pelican.grammar;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes a grammar of a JSON Schema; refuses by name and place what it cannot express. */
final class SchemaCompiler {
  /** The most elements of an array for which the schema states none. */
  static final int MOST_ELEMENTS = 64;

  /** The most code points of a string for which the schema states none. */
  static final int LONGEST_STRING = 1024;

  /** The most that minLength, maxLength, minItems and maxItems may be. */
  private static final int LARGEST_COUNT = 65_536;

  private static final int DEEPEST = 128;

  private static final int MOST_SCHEMAS = 20_000;

  private static final Set<String> TYPES =
      Set.of("object", "array", "string", "number", "integer", "boolean", "null");

  private final SchemaReader reader;
  private final Map<String, Choice> references = new HashMap<>();

  /** All whose shortest value is found by and by. */
  private final List<Choice> choices = new ArrayList<>();

  private final List<Node> any = AnyValue.byDepth();

  private int compiled;

  SchemaCompiler(Map<String, ?> root) {
    reader = new SchemaReader(root);
  }

  static List<Node> scalars() {
    return List.of(
        string(0, LONGEST_STRING),
        Literal.of("true"),
        Literal.of("false"),
        Literal.of("null"),
        NumberRange.unbounded());
  }

  private static Node string(int least, int most) {
    return new Opened('"', StringText.of(least, most));
  }

  /**
   * @throws SchemaException if no value satisfies the schema
   */
  Node compile() {
    Node root = compile(reader.root(), "", 0);
    boolean changed = true;
    while (changed) {
      changed = false;
      for (Choice choice : choices) {
        changed |= choice.update();
      }
    }
    for (Choice choice : choices) {
      refuseLoops(choice, new HashSet<>(), new HashSet<>());
    }
    if (root.shortest() >= Node.NEVER) {
      throw new SchemaException("", "no value of finite size satisfies it");
    }
    return root;
  }

  private void refuseLoops(Choice choice, Set<Choice> within, Set<Choice> done) {
    if (done.contains(choice)) {
      return;
    }
    if (!within.add(choice)) {
      throw new SchemaException("", "keyword '$ref' leads to itself without any progress");
    }
    for (Node option : choice.options()) {
      if (option instanceof Choice inner) {
        refuseLoops(inner, within, done);
      }
    }
    within.remove(choice);
    done.add(choice);
  }

  private Choice choice(List<Node> options) {
    Choice choice = new Choice(options);
    choices.add(choice);
    return choice;
  }

  private Node anyValue() {
    return any.get(AnyValue.DEPTH);
  }

  private Node compile(Object schema, String pointer, int depth) {
    if (++compiled > MOST_SCHEMAS) {
      throw new SchemaException(
          pointer, "more than " + MOST_SCHEMAS + " schemas, counting those of alternatives anew");
    }
    if (schema instanceof Boolean all) {
      return all ? anyValue() : choice(List.of());
    }
    if (depth > DEEPEST) {
      throw new SchemaException(
          pointer, "schemas are nested, or '$ref' leads to itself, more than " + DEEPEST + " deep");
    }
    Map<String, Object> map = reader.schema(schema, pointer);
    if (map.get("$ref") instanceof String target && map.size() == 1) {
      return reference(target, pointer, depth);
    }
    if (map.containsKey("$ref")) {
      return compile(reader.inline(map, pointer, depth), pointer, depth + 1);
    }
    if (map.containsKey("allOf")) {
      return compile(reader.mergeAll(map, pointer, depth), pointer, depth + 1);
    }
    if (map.containsKey("anyOf") || map.containsKey("oneOf")) {
      return alternatives(map, pointer, depth);
    }
    if (map.containsKey("enum") || map.containsKey("const")) {
      return values(map, pointer);
    }
    Set<String> types = types(map, pointer);
    List<Node> options = new ArrayList<>();
    for (String type : types) {
      options.addAll(ofType(type, map, pointer, depth));
    }
    return options.size() == 1 ? options.getFirst() : choice(options);
  }

  private Node reference(String target, String pointer, int depth) {
    Choice known = references.get(target);
    if (known == null) {
      Object schema = reader.resolve(target, pointer);
      known = choice(List.of());
      references.put(target, known);
      known.set(List.of(compile(schema, target.substring(1), depth + 1)));
    }
    return known;
  }

  private Node alternatives(Map<String, Object> map, String pointer, int depth) {
    String keyword = map.containsKey("anyOf") ? "anyOf" : "oneOf";
    Map<String, Object> base = new LinkedHashMap<>(map);
    List<?> options = reader.list(base.remove(keyword), pointer, keyword);
    if (base.containsKey("oneOf")) {
      throw new SchemaException(pointer, "keyword 'oneOf' beside 'anyOf' is not supported");
    }
    List<Object> merged = new ArrayList<>();
    for (int i = 0; i < options.size(); i++) {
      String place = pointer + "/" + keyword + "/" + i;
      merged.add(reader.merge(base, options.get(i), place, depth));
    }
    if (keyword.equals("oneOf")) {
      for (int i = 0; i < merged.size(); i++) {
        for (int j = 0; j < i; j++) {
          if (!reader.disjoint(merged.get(i), merged.get(j), pointer, 0)) {
            throw new SchemaException(
                pointer,
                String.format(
                    "keyword 'oneOf': alternatives %d and %d may both hold, expected ones that"
                        + " differ in type, const or enum",
                    j, i));
          }
        }
      }
    }
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < merged.size(); i++) {
      nodes.add(compile(merged.get(i), pointer + "/" + keyword + "/" + i, depth + 1));
    }
    return choice(nodes);
  }

  private Node values(Map<String, Object> map, String pointer) {
    for (String keyword : map.keySet()) {
      if (!Set.of("enum", "const", "type").contains(keyword)) {
        throw new SchemaException(
            pointer, "keyword '" + keyword + "' beside 'enum' or 'const' is not supported");
      }
    }
    Collection<Object> values = reader.values(map, pointer);
    Set<String> types = types(map, pointer);
    List<Node> nodes = new ArrayList<>();
    Set<String> texts = new LinkedHashSet<>();
    for (Object value : values) {
      if (!map.containsKey("type") || SchemaReader.isOf(value, types)) {
        texts.add(JsonText.of(value));
      }
    }
    texts.forEach(text -> nodes.add(Literal.of(text)));
    return choice(nodes);
  }

  private Set<String> types(Map<String, Object> map, String pointer) {
    Object given = map.get("type");
    if (given == null) {
      return SchemaReader.typesOfKeywords(map);
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

  private List<Node> ofType(String type, Map<String, Object> map, String pointer, int depth) {
    return switch (type) {
      case "object" -> List.of(object(map, pointer, depth));
      case "array" -> List.of(array(map, pointer, depth));
      case "string" -> {
        int least = count(map, "minLength", 0, pointer);
        int most = count(map, "maxLength", Math.max(least, LONGEST_STRING), pointer);
        yield least > most ? List.of() : List.of(string(least, most));
      }
      case "number", "integer" -> NumberRange.of(map, type.equals("integer"), pointer);
      case "boolean" -> List.of(Literal.of("true"), Literal.of("false"));
      default -> List.of(Literal.of("null"));
    };
  }

  private Node object(Map<String, Object> map, String pointer, int depth) {
    Map<String, Object> stated = reader.map(map, "properties", pointer);
    Object others = map.get("additionalProperties");
    Set<String> required = new LinkedHashSet<>();
    for (Object name : reader.listOrEmpty(map, "required", pointer)) {
      if (!(name instanceof String text)) {
        throw new SchemaException(
            pointer, "keyword 'required' has " + JsonText.of(name) + ", expected strings");
      }
      required.add(text);
    }
    String place = pointer + "/additionalProperties";
    Node other =
        others == null
            ? stated.isEmpty() ? anyValue() : null
            : Boolean.FALSE.equals(others) ? null : compile(others, place, depth + 1);
    List<ObjectShape.Property> properties = new ArrayList<>();
    for (Map.Entry<String, Object> property : stated.entrySet()) {
      String name = property.getKey();
      Node value =
          compile(
              property.getValue(), pointer + "/properties/" + SchemaReader.escape(name), depth + 1);
      properties.add(ObjectShape.Property.of(name, value, required.remove(name)));
    }
    for (String name : required) {
      Node value = other != null ? other : others == null ? anyValue() : choice(List.of());
      properties.add(ObjectShape.Property.of(name, value, true));
    }
    return new ObjectShape.Opening(new ObjectShape(properties, other));
  }

  private Node array(Map<String, Object> map, String pointer, int depth) {
    List<Node> first = new ArrayList<>();
    List<?> prefix = reader.listOrEmpty(map, "prefixItems", pointer);
    for (int i = 0; i < prefix.size(); i++) {
      first.add(compile(prefix.get(i), pointer + "/prefixItems/" + i, depth + 1));
    }
    Object items = map.getOrDefault("items", true);
    if (items instanceof List<?>) {
      throw new SchemaException(pointer, "keyword 'items' is a list, expected a schema");
    }
    boolean closed = Boolean.FALSE.equals(items);
    int least = count(map, "minItems", 0, pointer);
    int most =
        count(map, "maxItems", Math.max(Math.max(least, first.size()), MOST_ELEMENTS), pointer);
    Node others = compile(items, pointer + "/items", depth + 1);
    if (Boolean.TRUE.equals(map.get("uniqueItems"))) {
      throw new SchemaException(pointer, "keyword 'uniqueItems' is not supported");
    }
    int end = closed ? Math.min(most, first.size()) : most;
    return least > end
        ? choice(List.of())
        : new ArrayShape.Opening(new ArrayShape(first, others, least, end));
  }

  private static int count(Map<String, Object> map, String keyword, int otherwise, String pointer) {
    Object given = map.get(keyword);
    if (given == null) {
      return otherwise;
    }
    java.math.BigDecimal value = NumberRange.decimal(given, keyword, pointer);
    if (value.signum() < 0
        || value.stripTrailingZeros().scale() > 0
        || value.compareTo(java.math.BigDecimal.valueOf(LARGEST_COUNT)) > 0) {
      throw new SchemaException(
          pointer,
          String.format(
              "keyword '%s' is %s, expected a whole number from 0 to %d",
              keyword, value, LARGEST_COUNT));
    }
    return value.intValueExact();
  }
}
