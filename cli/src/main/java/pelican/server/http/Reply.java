package pelican.server.http;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** A JSON object to be sent, its fields in order. */
public final class Reply extends LinkedHashMap<String, Object> {
  private static final long serialVersionUID = 1L;

  /** Adds a field, whatever its value. */
  public Reply with(String name, Object value) {
    put(name, value);
    return this;
  }

  /** Adds a field unless it is null, zero, false, or empty: Go's {@code omitempty}. */
  public Reply withUnlessEmpty(String name, Object value) {
    boolean empty =
        switch (value) {
          case null -> true;
          case String text -> text.isEmpty();
          case Number number -> number.doubleValue() == 0;
          case Boolean flag -> !flag;
          case Collection<?> all -> all.isEmpty();
          case Map<?, ?> map -> map.isEmpty();
          case int[] all -> all.length == 0;
          default -> false;
        };
    if (!empty) {
      put(name, value);
    }
    return this;
  }
}
