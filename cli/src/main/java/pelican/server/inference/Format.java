package pelican.server.inference;

import java.util.Map;

/** What an answer's text has to be. */
public sealed interface Format {
  Format NONE = new None();

  /** Any text. */
  record None() implements Format {}

  /** Any JSON object. */
  record AnyJson() implements Format {}

  /**
   * JSON that a schema describes.
   *
   * @param schema as maps (in order), lists, strings, numbers, booleans and null
   */
  record Schema(Map<String, Object> schema) implements Format {}
}
