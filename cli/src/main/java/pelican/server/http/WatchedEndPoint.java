package pelican.server.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.concurrent.Executor;
import org.eclipse.jetty.io.ManagedSelector;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * A connection that can be asked whether its client has gone while a request is being answered.
 * HTTP/1.1 itself looks at a connection only to read the next request. Reading ahead, without
 * waiting, tells; what a client sends early is kept for the next request.
 */
final class WatchedEndPoint extends SocketChannelEndPoint {
  /** A client that has sent more than this of its next requests is still there. */
  private static final int MAX_EARLY = 1 << 14;

  private ByteBuffer early = BufferUtil.EMPTY_BUFFER;
  private boolean ended;

  /** What is being answered, or null. */
  private Object answered;

  /** When the first byte of a request came whose header is not complete, or 0. */
  private long headerBegun;

  private boolean wasLate;

  // Clients are looked for after each token and hardly ever have sent anything.
  private final ByteBuffer look = ByteBuffer.allocate(512);

  private final Executor executor;

  WatchedEndPoint(
      SocketChannel channel,
      ManagedSelector selector,
      SelectionKey key,
      Scheduler scheduler,
      Executor executor) {
    super(channel, selector, key, scheduler);
    this.executor = executor;
  }

  /**
   * Tells that a request's header is complete, or that its answer is.
   *
   * @param request null if there is none any more
   */
  synchronized void answering(Object request) {
    answered = request;
    headerBegun = 0;
    wasLate = false;
  }

  /**
   * Whether a request's header has been coming for longer than a time in nanoseconds, and was so
   * when this was asked before: after the machine slept, what was in time looks late once.
   */
  synchronized boolean headerLate(long limit) {
    boolean late = headerBegun != 0 && System.nanoTime() - headerBegun > limit;
    boolean twice = late && wasLate;
    wasLate = late;
    return twice;
  }

  /**
   * Whether the client has closed the connection, or its side of it.
   *
   * @param request for whose answer the client may still be waiting
   */
  synchronized boolean clientGone(Object request) {
    if (ended || !isOpen()) {
      return true;
    }
    if (request != answered) {
      // Its answer is complete. The connection may wait for the next request already, and would
      // not learn of what is taken from it here.
      return false;
    }
    try {
      int count = 1;
      while (count > 0 && early.remaining() < MAX_EARLY) {
        look.clear().limit(Math.min(look.capacity(), MAX_EARLY - early.remaining()));
        count = getChannel().read(look);
        ended = count < 0;
        if (count > 0) {
          ByteBuffer joined = ByteBuffer.allocate(early.remaining() + count);
          early = joined.put(early).put(look.flip()).flip();
        }
      }
    } catch (IOException e) {
      ended = true;
    }
    return ended;
  }

  @Override
  public synchronized int fill(ByteBuffer buffer) throws IOException {
    int count = available(buffer);
    if (count > 0 && answered == null && headerBegun == 0) {
      headerBegun = System.nanoTime();
    }
    return count;
  }

  private int available(ByteBuffer buffer) throws IOException {
    if (early.hasRemaining()) {
      int position = BufferUtil.flipToFill(buffer);
      int count = BufferUtil.put(early, buffer);
      BufferUtil.flipToFlush(buffer, position);
      return count;
    }
    if (ended) {
      shutdownInput();
      return -1;
    }
    return super.fill(buffer);
  }

  @Override
  protected void needsFillInterest() {
    boolean kept;
    synchronized (this) {
      kept = early.hasRemaining() || ended;
    }
    if (kept) {
      executor.execute(getFillInterest()::fillable);
    } else {
      super.needsFillInterest();
    }
  }
}
