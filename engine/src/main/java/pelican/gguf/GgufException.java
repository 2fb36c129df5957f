package pelican.gguf;

import pelican.engine.PelicanException;

/**
 * A GGUF file that cannot be used; the message names the file, the field, its value and what was
 * expected.
 */
public final class GgufException extends PelicanException {
  private static final long serialVersionUID = 1L;

  public GgufException(String message) {
    super(message);
  }

  public GgufException(String message, Throwable cause) {
    super(message, cause);
  }
}
