package pelican.grammar;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import pelican.grammar.regex.Automaton;
import pelican.grammar.regex.Dialect;
import pelican.grammar.regex.Texts;

/** Makes a grammar of a JSON Schema; refuses by name and place what it cannot express. */
final class SchemaCompiler {
  /** The most elements of an array for which the schema states none. */
  static final int MOST_ELEMENTS = 64;

  /** The most code points of a string for which the schema states none. */
  static final int LONGEST_STRING = 1024;

  /** The most that minLength, minItems and minProperties may be; more is read as this in others. */
  private static final int LARGEST_COUNT = 65_536;

  private static final BigDecimal LARGEST = BigDecimal.valueOf(LARGEST_COUNT);

  private static final int MOST_DISTINCT = 1000;

  /** Types of which a value can be written in one way only. */
  private static final Set<String> SINGLE = Set.of("string", "integer", "boolean", "null");

  private static final int DEEPEST = 128;

  private static final int MOST_SCHEMAS = 20_000;

  final SchemaReader reader;
  final SchemaMerger merger;
  final SchemaCheck check;
  final StringTexts texts = new StringTexts();
  private final Map<String, Choice> references = new HashMap<>();

  /** All whose shortest value is found by and by. */
  private final List<Choice> choices = new ArrayList<>();

  private int compiled;

  SchemaCompiler(Map<String, ?> root) {
    reader = new SchemaReader(root);
    merger = new SchemaMerger(reader);
    check = new SchemaCheck(reader, texts);
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

  Choice choice(List<Node> options) {
    Choice choice = new Choice(options);
    choices.add(choice);
    return choice;
  }

  Node anyValue() {
    return AnyValue.ofDepth(AnyValue.DEPTH);
  }

  private Node compile(Object schema, String pointer, int depth) {
    return compile(schema, pointer, depth, false);
  }

  /**
   * @param single whether each value has to be written in one way only
   */
  private Node compile(Object schema, String pointer, int depth, boolean single) {
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
      return compile(merger.inline(map, pointer, depth), pointer, depth + 1);
    }
    if (map.containsKey("allOf")) {
      return compile(merger.mergeAll(map, pointer, depth), pointer, depth + 1);
    }
    if (map.containsKey("anyOf") || map.containsKey("oneOf")) {
      return alternatives(map, pointer, depth);
    }
    if (map.containsKey("enum") || map.containsKey("const")) {
      return values(map, pointer);
    }
    if (map.containsKey("if")) {
      throw new SchemaException(
          pointer, "keyword 'if' is supported beside 'enum' or 'const' alone");
    }
    Negations not = Negations.of(map, pointer, reader, check, texts);
    List<Node> options = new ArrayList<>();
    for (String type : reader.types(map, pointer)) {
      if (!not.excludes(type, pointer)) {
        options.addAll(ofType(type, map, not, pointer, depth, single));
      }
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
      merged.add(merger.merge(base, options.get(i), place, depth));
    }
    if (keyword.equals("oneOf")) {
      for (int i = 0; i < merged.size(); i++) {
        for (int j = 0; j < i; j++) {
          if (!check.disjoint(merged.get(i), merged.get(j), pointer, 0)) {
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
    Set<Object> keys = new HashSet<>();
    List<Node> nodes = new ArrayList<>();
    for (Object value : reader.values(map, pointer)) {
      if (check.holds(value, map, pointer) && keys.add(SchemaReader.key(value))) {
        nodes.add(Literal.of(JsonText.of(value)));
      }
    }
    return choice(nodes);
  }

  private List<Node> ofType(
      String type,
      Map<String, Object> map,
      Negations not,
      String pointer,
      int depth,
      boolean single) {
    switch (type) {
      case "object" -> {
        not.refuse(type, pointer);
        ObjectCompiler.Inner inner = (schema, place) -> compile(schema, place, depth + 1);
        return List.of(new ObjectCompiler(this, map, pointer, inner).compile());
      }
      case "array" -> {
        not.refuse(type, pointer);
        return List.of(array(map, pointer, depth));
      }
      case "string" -> {
        return strings(map, not, pointer, single);
      }
      case "number", "integer" -> {
        not.refuse(type, pointer);
        return NumberRange.of(map, type.equals("integer"), pointer);
      }
      default -> {
        List<Node> nodes = new ArrayList<>();
        List<Boolean> values =
            type.equals("boolean") ? List.of(true, false) : Collections.singletonList(null);
        for (Boolean value : values) {
          if (!not.excludesValue(value)) {
            nodes.add(Literal.of(JsonText.of(value)));
          }
        }
        return nodes;
      }
    }
  }

  private List<Node> strings(
      Map<String, Object> map, Negations not, String pointer, boolean single) {
    int least = count(map, "minLength", 0, pointer);
    int most = count(map, "maxLength", -1, pointer);
    if (most >= 0 && least > most) {
      return List.of();
    }
    Automaton allowed = texts.of(map, pointer, Dialect.ALL);
    if (allowed == null && !single && !not.ofStrings()) {
      return List.of(string(least, most < 0 ? Math.max(least, LONGEST_STRING) : most));
    }
    allowed = not.strings(allowed == null ? Texts.any() : allowed, pointer);
    allowed = texts.atLeast(allowed, least, pointer);
    int fewest = allowed.fewest();
    if (allowed.start() == Automaton.DEAD || most >= 0 && fewest > most) {
      return List.of();
    }
    int longest = most < 0 ? Math.max(LONGEST_STRING, fewest) : most;
    return List.of(new Opened('"', PatternText.of(allowed, longest)));
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
    int end = closed ? Math.min(most, first.size()) : most;
    if (least > end) {
      return choice(List.of());
    }
    if (map.getOrDefault("uniqueItems", false) instanceof Boolean unique) {
      if (unique && end > 1) {
        if (!first.isEmpty()) {
          throw new SchemaException(
              pointer, "keyword 'uniqueItems' beside 'prefixItems' is not supported");
        }
        return distinct(items, least, end, pointer, depth);
      }
    } else {
      throw new SchemaException(
          pointer,
          "keyword 'uniqueItems' is "
              + JsonText.of(map.get("uniqueItems"))
              + ", expected true or false");
    }
    Node others = compile(items, pointer + "/items", depth + 1);
    return new ArrayShape.Opening(new ArrayShape(first, others, least, end));
  }

  private Node distinct(Object items, int least, int most, String pointer, int depth) {
    if (least > MOST_DISTINCT) {
      throw new SchemaException(
          pointer,
          String.format(
              "keyword 'minItems' is %d beside 'uniqueItems', expected at most %d",
              least, MOST_DISTINCT));
    }
    Object flat = items;
    for (int i = 0; flat instanceof Map<?, ?>; i++) {
      Map<String, Object> map = reader.schema(flat, pointer + "/items");
      if (map.containsKey("$ref") && i < DEEPEST) {
        flat = merger.inline(map, pointer + "/items", depth);
      } else if (map.containsKey("allOf") && i < DEEPEST) {
        flat = merger.mergeAll(map, pointer + "/items", depth);
      } else {
        boolean values = map.containsKey("enum") || map.containsKey("const");
        boolean plain =
            SINGLE.containsAll(reader.types(map, pointer + "/items"))
                && !map.containsKey("anyOf")
                && !map.containsKey("oneOf");
        if (values || plain) {
          Node element = compile(map, pointer + "/items", depth + 1, true);
          if (element instanceof Choice choice) {
            choice.update();
          }
          return DistinctElements.of(element, least, most);
        }
        break;
      }
    }
    throw new SchemaException(
        pointer,
        "keyword 'uniqueItems' is supported for strings, integers, booleans, null and values of"
            + " 'enum', not for other items");
  }

  static int count(Map<String, Object> map, String keyword, int otherwise, String pointer) {
    Object given = map.get(keyword);
    if (given == null) {
      return otherwise;
    }
    BigDecimal value = NumberRange.decimal(given, keyword, pointer);
    if (value.signum() < 0
        || value.stripTrailingZeros().scale() > 0
        || value.compareTo(LARGEST) > 0 && !keyword.startsWith("max")) {
      throw new SchemaException(
          pointer,
          String.format(
              "keyword '%s' is %s, expected a whole number from 0 to %d",
              keyword, value, LARGEST_COUNT));
    }
    return value.min(LARGEST).intValueExact();
  }
}
