package pelican.server.http;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import pelican.engine.PelicanException;

/** Passes requests that are allowed to their routes, and turns what goes wrong into responses. */
public final class Dispatcher implements HttpServer.RequestHandler {
  /** Told of every answered request. */
  public interface Listener {
    /**
     * @param client address of the client
     * @param pattern of the route; {@code other} if there is none
     * @param status that was sent; 499 if the client went away before
     * @param nanos from the request's header to the end of the answer
     */
    void answered(
        String client, String method, String path, String pattern, int status, long nanos);

    /** A defect of the server: an exception that nothing expects. */
    void failed(String method, String path, Throwable failure);
  }

  private final Router router;
  private final AccessControl access;
  private final HttpLimits limits;
  private final Listener listener;
  private final BodyBudget budget;
  private volatile boolean refusing;

  public Dispatcher(Router router, AccessControl access, HttpLimits limits, Listener listener) {
    this.router = router;
    this.access = access;
    this.limits = limits;
    this.listener = listener;
    budget = BodyBudget.ofHeap(limits);
  }

  /** Answers those requests that come from now on with 503. */
  public void refuse() {
    refusing = true;
  }

  @Override
  public void handle(Request request, Response response) {
    long start = System.nanoTime();
    String method = request.getMethod();
    String path = Request.getPathInContext(request);
    Router.Match match = router.find(method, path);
    Exchange exchange =
        new Exchange(
            request, response, limits, budget, match == null ? Map.of() : match.parameters());
    int status;
    try {
      if (access.admit(exchange, match)) {
        if (refusing) {
          exchange.setHeader("Connection", "close");
          throw new ApiException(503, ApiException.SHUTTING_DOWN);
        }
        if (match == null) {
          unrouted(exchange);
        } else {
          match.route().handler().handle(exchange);
        }
      }
      status = response.getStatus() == 0 ? 200 : response.getStatus();
    } catch (Exception | StackOverflowError | OutOfMemoryError e) {
      status = fail(exchange, match, e);
    } finally {
      exchange.release();
    }
    listener.answered(
        Request.getRemoteAddr(request),
        method,
        path,
        match == null ? "other" : match.route().pattern(),
        status,
        System.nanoTime() - start);
  }

  private void unrouted(Exchange exchange) {
    String path = exchange.path();
    List<String> methods = router.methods(path);
    if (!methods.isEmpty()) {
      exchange.setHeader("Allow", String.join(", ", methods));
      exchange.text(405, "405 method not allowed");
      return;
    }
    boolean slash = path.length() > 1 && path.endsWith("/") && !path.startsWith("//");
    String shorter = slash ? path.substring(0, path.length() - 1) : path;
    if (slash && !router.methods(shorter).isEmpty()) {
      exchange.setHeader("Location", shorter);
      exchange.empty(exchange.method().equals("GET") ? 301 : 307);
      return;
    }
    exchange.text(404, "404 page not found");
  }

  private int fail(Exchange exchange, Router.Match match, Throwable failure) {
    if (failure instanceof UncheckedIOException || failure instanceof IOException) {
      // Nobody is there to be told.
      return ApiException.CLIENT_CLOSED_REQUEST;
    }
    int status;
    String message;
    if (failure instanceof ApiException told) {
      status = told.status();
      message = told.getMessage();
    } else if (failure instanceof PelicanException told) {
      status = 500;
      message = told.getMessage();
    } else if (failure instanceof OutOfMemoryError) {
      status = 503;
      message = "out of memory";
    } else {
      listener.failed(exchange.method(), exchange.path(), failure);
      status = 500;
      message = "internal error";
    }
    message = message.replaceAll("\\s*\\R\\s*", " ");
    ErrorStyle style = match == null ? ErrorStyle.OLLAMA : match.route().errors();
    try {
      if (exchange.streaming()) {
        exchange.stream().send(style.inStream(status, message));
        return status;
      }
      if (!exchange.committed()) {
        exchange.json(status, style.body(status, message));
      }
    } catch (UncheckedIOException e) {
      return ApiException.CLIENT_CLOSED_REQUEST;
    }
    return status;
  }
}
