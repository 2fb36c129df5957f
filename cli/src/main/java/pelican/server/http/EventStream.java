package pelican.server.http;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Response;

/**
 * A response that is sent piece by piece. Status and headers go with the first piece, so that until
 * then an error can still have a status of its own.
 */
public final class EventStream {
  private final Response response;
  private final String contentType;
  private boolean begun;

  EventStream(Response response, String contentType) {
    this.response = response;
    this.contentType = contentType;
  }

  /** Whether something was sent. */
  public boolean begun() {
    return begun;
  }

  /**
   * Sends text at once; waits while the client does not read.
   *
   * @throws UncheckedIOException if the client has gone
   */
  public void send(String text) {
    if (!begun) {
      begun = true;
      response.setStatus(200);
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, contentType);
      response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    }
    try {
      Content.Sink.write(response, false, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends an object as a line of JSON. */
  public void sendLine(Object value) {
    send(Json.text(value) + "\n");
  }

  /** Sends an object as a server-sent event without a name. */
  public void sendData(Object value) {
    send("data: " + Json.text(value) + "\n\n");
  }

  /** Sends an object as a server-sent event of a name. */
  public void sendEvent(String name, Object value) {
    send("event: " + name + "\ndata: " + Json.text(value) + "\n\n");
  }
}
