package pelican.chat;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A function that the model may call.
 *
 * @param name the function's name
 * @param description what it does, for the model; may be empty
 * @param parameters the JSON Schema of its parameters as maps, lists, strings, numbers and
 *     booleans; empty if it has none
 */
public record Tool(String name, String description, Map<String, Object> parameters) {
  public Tool {
    description = description == null ? "" : description;
    parameters =
        parameters == null
            ? Map.of()
            : Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
  }
}
