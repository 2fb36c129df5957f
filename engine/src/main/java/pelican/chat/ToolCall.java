package pelican.chat;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A call of a tool by the model.
 *
 * @param id identifies the call among those of a conversation; may be empty
 * @param name the tool's name
 * @param arguments values by parameter name, in order: String, Number, Boolean, null, List, Map
 */
public record ToolCall(String id, String name, Map<String, Object> arguments) {
  public ToolCall {
    id = id == null ? "" : id;
    arguments =
        arguments == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(arguments));
  }
}
