package pelican.server.http;

import pelican.engine.PelicanException;

/** A request that cannot be answered: the HTTP status and the text for the client. */
public final class ApiException extends PelicanException {
  private static final long serialVersionUID = 1L;

  /** Ollama's status for a request whose client went away before it was answered. */
  public static final int CLIENT_CLOSED_REQUEST = 499;

  /** What is said of every request that the end of the server cuts off, with status 503. */
  public static final String SHUTTING_DOWN = "the server is shutting down";

  private final int status;

  public ApiException(int status, String message) {
    super(message);
    this.status = status;
  }

  /** What the client sent cannot be used. */
  public static ApiException badRequest(String message) {
    return new ApiException(400, message);
  }

  public int status() {
    return status;
  }
}
