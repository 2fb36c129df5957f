package pelican.grammar;

import pelican.engine.PelicanException;

/** A schema that is wrong, not supported, or that no value satisfies. Names keyword and place. */
public final class SchemaException extends PelicanException {
  private static final long serialVersionUID = 1L;

  /**
   * @param pointer where in the schema, as a JSON pointer
   */
  SchemaException(String pointer, String problem) {
    super("format: schema at #" + pointer + ": " + problem);
  }
}
