package pelican.chat;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Gemma 4's declarations of the tools that a model may call. */
final class ToolDeclarations {
  private ToolDeclarations() {}

  static void render(Segments out, Tool tool) {
    out.markup("<|tool>declaration:").text(tool.name()).markup("{description:");
    out.quoted(tool.description());
    if (!tool.parameters().isEmpty()) {
      out.markup(",parameters:{");
      Map<String, Object> parameters = tool.parameters();
      if (parameters.get("properties") instanceof Map<?, ?> properties && !properties.isEmpty()) {
        out.markup("properties:{");
        properties(out, properties);
        out.markup("},");
      }
      if (parameters.get("required") instanceof List<?> required && !required.isEmpty()) {
        required(out, required);
        out.markup(",");
      }
      out.markup("type:").quoted(typeText(parameters.getOrDefault("type", "object"))).markup("}");
    }
    out.markup("}<tool|>");
  }

  private static void properties(Segments out, Map<?, ?> properties) {
    String comma = "";
    for (Map.Entry<String, Object> entry : ValueFormat.sorted(ValueFormat.stringKeys(properties))) {
      out.markup(comma).text(entry.getKey()).markup(":{");
      Map<?, ?> schema = entry.getValue() instanceof Map<?, ?> map ? map : Map.of();
      property(out, schema);
      out.markup("}");
      comma = ",";
    }
  }

  private static void property(Segments out, Map<?, ?> schema) {
    String description = schema.get("description") instanceof String text ? text : "";
    if (!description.isEmpty()) {
      out.markup("description:").quoted(description).markup(",");
    }
    String type = typeText(typeOf(schema));
    if (type.equals("STRING")
        && schema.get("enum") instanceof List<?> values
        && !values.isEmpty()) {
      out.markup("enum:");
      ValueFormat.value(out, values, true);
      out.markup(",");
    }
    if (type.equals("ARRAY")
        && schema.get("items") instanceof Map<?, ?> items
        && !items.isEmpty()) {
      out.markup("items:{");
      items(out, items);
      out.markup("},");
    }
    if (Boolean.TRUE.equals(schema.get("nullable"))) {
      out.markup("nullable:true,");
    }
    if (type.equals("OBJECT")) {
      out.markup("properties:{");
      if (schema.get("properties") instanceof Map<?, ?> properties) {
        properties(out, properties);
      }
      out.markup("},");
      if (schema.get("required") instanceof List<?> required && !required.isEmpty()) {
        required(out, required);
        out.markup(",");
      }
    }
    out.markup("type:").quoted(type);
  }

  private static void items(Segments out, Map<?, ?> items) {
    String comma = "";
    for (Map.Entry<String, Object> entry : ValueFormat.sorted(ValueFormat.stringKeys(items))) {
      if (entry.getValue() == null) {
        continue;
      }
      out.markup(comma);
      comma = ",";
      switch (entry.getKey()) {
        case "properties" -> {
          out.markup("properties:{");
          if (entry.getValue() instanceof Map<?, ?> properties) {
            properties(out, properties);
          }
          out.markup("}");
        }
        case "required" -> {
          if (entry.getValue() instanceof List<?> required) {
            required(out, required);
          }
        }
        case "type" -> {
          out.markup("type:");
          if (entry.getValue() instanceof List<?> types) {
            ValueFormat.value(
                out, types.stream().map(t -> upper(String.valueOf(t))).toList(), true);
          } else {
            out.quoted(upper(String.valueOf(entry.getValue())));
          }
        }
        default -> {
          out.text(entry.getKey()).markup(":");
          ValueFormat.value(out, entry.getValue(), true);
        }
      }
    }
  }

  private static void required(Segments out, List<?> names) {
    out.markup("required:");
    ValueFormat.value(out, names, true);
  }

  /** The type of a property; where only anyOf gives it, the union of its types. */
  private static Object typeOf(Map<?, ?> schema) {
    if (schema.get("type") != null) {
      return schema.get("type");
    }
    if (schema.get("anyOf") instanceof List<?> choices) {
      List<Object> types =
          choices.stream()
              .filter(Map.class::isInstance)
              .map(choice -> (Object) ((Map<?, ?>) choice).get("type"))
              .filter(String.class::isInstance)
              .toList();
      return types.size() == 1 ? types.getFirst() : types;
    }
    return "";
  }

  /** A list of types reads as the template's language prints a list. */
  private static String typeText(Object type) {
    if (type instanceof List<?> types) {
      return types.stream()
          .map(t -> "'" + upper(String.valueOf(t)) + "'")
          .collect(Collectors.joining(", ", "[", "]"));
    }
    return upper(String.valueOf(type));
  }

  private static String upper(String text) {
    return text.toUpperCase(Locale.ROOT);
  }
}
