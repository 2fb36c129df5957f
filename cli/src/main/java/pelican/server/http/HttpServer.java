package pelican.server.http;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.ManagedSelector;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.VirtualThreadPool;
import pelican.engine.PelicanException;

/** Listens for HTTP and passes requests to a handler, each on a virtual thread, within limits. */
public final class HttpServer implements AutoCloseable {
  /** Answers every request that arrives whole. */
  @FunctionalInterface
  public interface RequestHandler {
    void handle(Request request, Response response);
  }

  /** Held here, since a logger that nobody holds forgets its level. */
  private static final Logger JETTY_LOG = Logger.getLogger("org.eclipse.jetty");

  /** What these say of bad requests is answered to the clients; nobody shall fill the log so. */
  private static final List<Logger> REQUEST_LOGS =
      List.of(
          Logger.getLogger("org.eclipse.jetty.http"),
          Logger.getLogger("org.eclipse.jetty.util.HostPort"));

  static {
    JETTY_LOG.setLevel(Level.WARNING);
    REQUEST_LOGS.forEach(log -> log.setLevel(Level.OFF));
  }

  /**
   * Connections that may wait to be accepted. Of those beyond, a client believes that they are open
   * and finds them reset; by itself the JDK lets 50 wait, fewer than may come in a moment.
   */
  private static final int WAITING_CONNECTIONS = 1024;

  private final Server server;
  private final ServerConnector connector;
  private final ScheduledExecutorService sweeper;
  private final String address;
  private final AtomicInteger active = new AtomicInteger();

  /**
   * Makes a server that does not listen yet.
   *
   * @param host an address of this machine, or empty for all
   * @param port or 0 for any that is free
   */
  public HttpServer(String host, int port, HttpLimits limits, RequestHandler handler) {
    address = (host.isEmpty() ? "*" : host) + ":" + port;
    VirtualThreadPool threads = new VirtualThreadPool();
    threads.setName("pelican-http");
    // Connections are what is limited; the selectors need threads of their own besides.
    threads.setMaxConcurrentTasks(0);
    server = new Server(threads);
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setSendDateHeader(true);
    http.setRequestHeaderSize(limits.maxHeader());
    connector =
        new ServerConnector(server, 1, 1, new HttpConnectionFactory(http)) {
          @Override
          protected SocketChannelEndPoint newEndPoint(
              SocketChannel channel, ManagedSelector selector, SelectionKey key) {
            SocketChannelEndPoint endPoint =
                new WatchedEndPoint(channel, selector, key, getScheduler(), getExecutor());
            endPoint.setIdleTimeout(getIdleTimeout());
            return endPoint;
          }
        };
    connector.setHost(host.isEmpty() ? null : host);
    connector.setPort(port);
    connector.setAcceptQueueSize(WAITING_CONNECTIONS);
    connector.setIdleTimeout(limits.idleTime().toMillis());
    server.addConnector(connector);
    server.addBean(new NetworkConnectionLimit(limits.maxConnections(), server));
    server.setErrorHandler(HttpServer::error);
    server.setHandler(
        new Handler.Abstract() {
          @Override
          public boolean handle(Request request, Response response, Callback callback) {
            answer(handler, request, response, callback);
            return true;
          }
        });
    sweeper =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("pelican-http-sweeper").factory());
    long limit = limits.headerTime().toNanos();
    long period = Math.max(50, limits.headerTime().toMillis() / 10);
    sweeper.scheduleWithFixedDelay(() -> closeLate(limit), period, period, TimeUnit.MILLISECONDS);
  }

  private void closeLate(long limit) {
    for (EndPoint endPoint : connector.getConnectedEndPoints()) {
      if (endPoint instanceof WatchedEndPoint watched && watched.headerLate(limit)) {
        watched.close();
      }
    }
  }

  private void answer(
      RequestHandler handler, Request request, Response response, Callback callback) {
    active.incrementAndGet();
    Request.addCompletionListener(request, failure -> active.decrementAndGet());
    EndPoint endPoint = request.getConnectionMetaData().getConnection().getEndPoint();
    if (endPoint instanceof WatchedEndPoint watched) {
      watched.answering(request);
      Request.addCompletionListener(request, failure -> watched.answering(null));
    }
    // A long computation is no reason to give the client up; reads and writes still time out.
    request.addIdleTimeoutListener(timeout -> false);
    try {
      handler.handle(request, response);
      callback.succeeded();
    } catch (Throwable e) {
      callback.failed(e);
    }
  }

  /** Requests that are no HTTP, or exceed the limits of headers. */
  private static boolean error(Request request, Response response, Callback callback) {
    String body = response.getStatus() + " bad request";
    response.getHeaders().put("Content-Type", "text/plain; charset=utf-8");
    response.write(true, BufferUtil.toBuffer(body.getBytes(StandardCharsets.US_ASCII)), callback);
    return true;
  }

  /**
   * Begins to listen.
   *
   * @throws PelicanException if the address is taken or not of this machine
   */
  public void start() {
    try {
      server.start();
    } catch (UnresolvedAddressException e) {
      close();
      throw new PelicanException("cannot listen on " + address + ": unknown host", e);
    } catch (Exception e) {
      close();
      Throwable cause = e;
      while (!(cause instanceof IOException) && cause.getCause() != null) {
        cause = cause.getCause();
      }
      Throwable deepest = cause.getCause() == null ? cause : cause.getCause();
      String reason =
          deepest.getMessage() == null ? deepest.getClass().getSimpleName() : deepest.getMessage();
      throw new PelicanException("cannot listen on " + address + ": " + reason, e);
    }
  }

  /** The port that is listened on. */
  public int port() {
    return connector.getLocalPort();
  }

  /** The number of open connections. */
  public int connections() {
    return connector.getConnectedEndPoints().size();
  }

  /** The number of requests whose answers are not sent whole. */
  public int active() {
    return active.get();
  }

  /**
   * Waits until no request is left.
   *
   * @param most how long at most
   */
  public void awaitAnswers(Duration most) {
    long end = System.nanoTime() + most.toNanos();
    try {
      while (active() > 0 && System.nanoTime() < end) {
        Thread.sleep(POLL_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static final long POLL_MILLIS = 10;

  /** Accepts no further connections; those that are open stay. */
  public void stopAccepting() {
    connector.close();
  }

  /** How long {@link #close} may wait for threads. */
  private static final Duration STOP_TIME = Duration.ofSeconds(2);

  /** Closes all connections. */
  @Override
  public void close() {
    sweeper.shutdownNow();
    server.setStopTimeout(STOP_TIME.toMillis());
    try {
      server.stop();
    } catch (TimeoutException e) {
      // Some connections did not end by themselves in time, and were closed.
      return;
    } catch (Exception e) {
      throw new PelicanException("cannot stop listening on " + address + ": " + e.getMessage(), e);
    }
  }
}
