package pelican.server.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;

/**
 * The fields of a JSON object that a client sent. Unknown fields do not matter, null counts as
 * absent, and names match whatever their case, the exact spelling first. A value of the wrong type
 * is a {@link ApiException} of status 400 that names the field.
 */
public final class Fields {
  private final JsonNode object;
  private final String path;

  private Fields(JsonNode object, String path) {
    this.object = object;
    this.path = path;
  }

  /**
   * @throws ApiException if the value is no object
   */
  public static Fields of(JsonNode node, String name) {
    if (!node.isObject()) {
      throw wrong(name, node, "an object");
    }
    return new Fields(node, name);
  }

  private String name(String field) {
    return path.isEmpty() ? field : path + "." + field;
  }

  private static ApiException wrong(String name, JsonNode node, String expected) {
    String what = name.isEmpty() ? "the body" : "\"" + name + "\"";
    return ApiException.badRequest(what + " is " + kind(node) + ", expected " + expected);
  }

  private static String kind(JsonNode node) {
    return switch (node.getNodeType()) {
      case ARRAY -> "an array";
      case OBJECT -> "an object";
      case STRING -> "a string";
      case BOOLEAN -> node.asString();
      case NUMBER -> "the number " + node.asString();
      default -> "null";
    };
  }

  /** The value of a field, if it is there and not null. */
  public Optional<JsonNode> get(String field) {
    JsonNode value = object.get(field);
    if (value == null) {
      for (Map.Entry<String, JsonNode> entry : object.properties()) {
        if (entry.getKey().equalsIgnoreCase(field)) {
          value = entry.getValue();
        }
      }
    }
    return value == null || value.isNull() ? Optional.empty() : Optional.of(value);
  }

  public boolean has(String field) {
    return get(field).isPresent();
  }

  /** A string, empty where it is absent. */
  public String string(String field) {
    return string(field, "");
  }

  public String string(String field, String missing) {
    Optional<JsonNode> value = get(field);
    if (value.isEmpty()) {
      return missing;
    }
    if (!value.get().isString()) {
      throw wrong(name(field), value.get(), "a string");
    }
    return value.get().asString();
  }

  public boolean bool(String field, boolean missing) {
    return optionalBool(field).orElse(missing);
  }

  public Optional<Boolean> optionalBool(String field) {
    Optional<JsonNode> value = get(field);
    if (value.isPresent() && !value.get().isBoolean()) {
      throw wrong(name(field), value.get(), "true or false");
    }
    return value.map(JsonNode::asBoolean);
  }

  /** A whole number. */
  public OptionalInt integer(String field) {
    Optional<JsonNode> value = get(field);
    if (value.isEmpty()) {
      return OptionalInt.empty();
    }
    JsonNode node = value.get();
    boolean whole = node.isNumber() && node.decimalValue().stripTrailingZeros().scale() <= 0;
    if (!whole || !node.canConvertToExactIntegral() || !node.canConvertToInt()) {
      throw wrong(name(field), node, "a whole number of at most 31 bits");
    }
    return OptionalInt.of(node.asInt());
  }

  /** A finite number. */
  public Optional<Double> number(String field) {
    Optional<JsonNode> value = get(field);
    if (value.isPresent() && !(value.get().isNumber() && finite(value.get()))) {
      throw wrong(name(field), value.get(), "a finite number");
    }
    return value.map(JsonNode::asDouble);
  }

  private static boolean finite(JsonNode node) {
    return Double.isFinite(node.doubleValue());
  }

  /** An object. */
  public Optional<Fields> object(String field) {
    return get(field).map(node -> of(node, name(field)));
  }

  /** The elements of an array, empty where it is absent. */
  public List<JsonNode> array(String field) {
    Optional<JsonNode> value = get(field);
    if (value.isEmpty()) {
      return List.of();
    }
    if (!value.get().isArray()) {
      throw wrong(name(field), value.get(), "an array");
    }
    List<JsonNode> elements = new ArrayList<>();
    value.get().forEach(elements::add);
    return elements;
  }

  /** The objects of an array, empty where it is absent. */
  public List<Fields> objects(String field) {
    List<Fields> objects = new ArrayList<>();
    for (JsonNode element : array(field)) {
      objects.add(of(element, name(field) + "[" + objects.size() + "]"));
    }
    return objects;
  }

  /** The strings of an array, empty where it is absent. */
  public List<String> strings(String field) {
    List<String> strings = new ArrayList<>();
    for (JsonNode element : array(field)) {
      if (!element.isString()) {
        throw wrong(name(field) + "[" + strings.size() + "]", element, "a string");
      }
      strings.add(element.asString());
    }
    return strings;
  }

  /** The object itself. */
  public JsonNode node() {
    return object;
  }
}
