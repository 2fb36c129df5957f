package pelican.server.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.thread.Scheduler;
import tools.jackson.databind.JsonNode;

/** A request and the response to it. Used by one thread; {@link #clientGone} by any. */
public final class Exchange {
  private static final String JSON = "application/json; charset=utf-8";

  /**
   * So much of a body that is too large is read to its end: a client that is still sending does not
   * see an answer.
   */
  private static final long MAX_DISCARDED = 16 << 20;

  /** So much of a file has to come in the time that a body has. */
  private static final long BLOB_PIECE = 16 << 20;

  private final Request request;
  private final Response response;
  private final HttpLimits limits;
  private final BodyBudget budget;
  private final Map<String, String> parameters;
  private EventStream stream;
  private long held;

  Exchange(
      Request request,
      Response response,
      HttpLimits limits,
      BodyBudget budget,
      Map<String, String> parameters) {
    this.request = request;
    this.response = response;
    this.limits = limits;
    this.budget = budget;
    this.parameters = parameters;
  }

  public String method() {
    return request.getMethod();
  }

  /** The path, decoded, without the query. */
  public String path() {
    return Request.getPathInContext(request);
  }

  /** What stands in the path for a {@code {name}} of the route. */
  public String parameter(String name) {
    return parameters.get(name);
  }

  /** A header's value, or null. */
  public String header(String name) {
    return request.getHeaders().get(name);
  }

  /** Sets a header of the response. */
  public void setHeader(String name, String value) {
    response.getHeaders().put(name, value);
  }

  /**
   * Reads the body as a JSON object, whatever its declared type.
   *
   * @throws ApiException if it is empty, too large, too slow, no JSON or no object, or if the
   *     bodies of other requests leave no room for it
   */
  public Fields body() {
    byte[] bytes = bytes(limits.maxBody());
    if (bytes.length == 0) {
      throw ApiException.badRequest("missing request body");
    }
    JsonNode node = Json.parse(bytes);
    if (node.isMissingNode()) {
      throw ApiException.badRequest("missing request body");
    }
    return Fields.of(node, "");
  }

  private byte[] bytes(long most) {
    if (length() > most + MAX_DISCARDED) {
      throw tooLarge(most);
    }
    java.io.ByteArrayOutputStream bytes =
        new java.io.ByteArrayOutputStream((int) Math.max(32, Math.min(length(), 1 << 20)));
    read(
        most,
        Long.MAX_VALUE,
        (buffer, count) -> {
          budget.take(count);
          held += count;
          bytes.write(buffer, 0, count);
        });
    return bytes.toByteArray();
  }

  /** The bytes that the body has by its header; -1 if that does not say. */
  public long length() {
    return request.getLength();
  }

  /** Lets go of the body, once the request is answered. */
  void release() {
    budget.giveBack(held);
    held = 0;
  }

  /** Takes what was read. */
  public interface Sink {
    void accept(byte[] buffer, int count);
  }

  /**
   * Reads the body, a file, in pieces.
   *
   * @throws ApiException if it is too large, too slow, breaks off, or is compressed
   */
  public void readBlob(Sink sink) {
    checkBlobSize();
    read(limits.maxBlob(), BLOB_PIECE, sink);
  }

  /**
   * Looks at the header alone.
   *
   * @throws ApiException if the body is larger than a file may be
   */
  public void checkBlobSize() {
    if (length() > limits.maxBlob()) {
      throw tooLarge(limits.maxBlob());
    }
  }

  /** Reads at most so many bytes, each piece of them within the time for a body. */
  private void read(long most, long piece, Sink sink) {
    String encoding = header("Content-Encoding");
    if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
      throw new ApiException(
          415, "Content-Encoding '" + encoding + "' is not supported, expected none");
    }
    long total = 0;
    long next = piece;
    byte[] buffer = new byte[length() < 0 ? 1 << 16 : Math.clamp(length(), 1 << 9, 1 << 16)];
    InputStream in = Content.Source.asInputStream(request);
    Deadline deadline = new Deadline();
    try {
      while (true) {
        int count = deadline.read(in, buffer);
        if (count < 0) {
          if (total > most) {
            throw tooLarge(most);
          }
          return;
        }
        total += count;
        if (total > most + MAX_DISCARDED) {
          throw tooLarge(most);
        }
        if (total >= next) {
          next = total + piece;
          deadline.cancel();
          deadline = new Deadline();
        }
        if (total <= most) {
          sink.accept(buffer, count);
        }
      }
    } finally {
      deadline.cancel();
    }
  }

  /** Lets reading fail, whether a body drips or does not come at all, when its time is over. */
  private final class Deadline {
    private final AtomicBoolean late = new AtomicBoolean();
    private final Scheduler.Task task =
        request
            .getComponents()
            .getScheduler()
            .schedule(
                () -> {
                  late.set(true);
                  request.fail(new TimeoutException("the body is late"));
                },
                limits.bodyTime().toNanos(),
                TimeUnit.NANOSECONDS);

    int read(InputStream in, byte[] buffer) {
      try {
        return in.read(buffer);
      } catch (IOException e) {
        if (late.get()) {
          throw new ApiException(
              408, "the request body did not come within " + limits.bodyTime().toSeconds() + " s");
        }
        throw ApiException.badRequest("the request body breaks off");
      }
    }

    void cancel() {
      task.cancel();
    }
  }

  private static ApiException tooLarge(long most) {
    return new ApiException(413, "the request body is larger than " + most + " bytes");
  }

  /** Answers with a JSON value. */
  public void json(int status, Object value) {
    send(status, JSON, Json.bytes(value));
  }

  /** Answers with plain text. */
  public void text(int status, String text) {
    send(status, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
  }

  /** Answers without a body. */
  public void empty(int status) {
    send(status, null, new byte[0]);
  }

  /** Answers with bytes of a type; a HEAD request gets their headers only. */
  public void send(int status, String contentType, byte[] body) {
    response.setStatus(status);
    if (contentType != null) {
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, contentType);
    }
    if (status != 204 && status != 304) {
      response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    }
    try {
      Content.Sink.write(response, true, ByteBuffer.wrap(body));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Answers piece by piece: {@code application/x-ndjson} or {@code text/event-stream}. */
  public EventStream stream(String contentType) {
    stream = new EventStream(response, contentType);
    return stream;
  }

  /** Whether a stream of this exchange has begun, so that the status is sent. */
  boolean streaming() {
    return stream != null && stream.begun();
  }

  EventStream stream() {
    return stream;
  }

  /** Whether the status was sent. */
  boolean committed() {
    return response.isCommitted();
  }

  /**
   * Whether the client has closed the connection; false once the answer is complete, if it was not
   * known before. To be asked only after the body was read; costs one system call.
   */
  public boolean clientGone() {
    EndPoint endPoint = request.getConnectionMetaData().getConnection().getEndPoint();
    return endPoint instanceof WatchedEndPoint watched
        ? watched.clientGone(request)
        : !endPoint.isOpen();
  }

  Response response() {
    return response;
  }
}
