package pelican.engine;

/** The base of every error that a caller can act on; its message is one line for the user. */
public class PelicanException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public PelicanException(String message) {
    super(message);
  }

  public PelicanException(String message, Throwable cause) {
    super(message, cause);
  }
}
