package pelican.server.inference;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import pelican.engine.Session;

/** Cancels generations whose callers have gone, or all of them. */
final class Watch implements AutoCloseable {
  /** Shorter than a token takes on most models; asking costs a few microseconds. */
  private static final long PERIOD_NANOS = 10_000_000;

  private final Map<Session, Caller> active = new ConcurrentHashMap<>();
  private final Thread thread;
  private volatile boolean stopped;
  private volatile boolean closed;

  Watch() {
    thread = Thread.ofPlatform().daemon().name("pelican-watch").start(this::run);
  }

  void add(Session session, Caller caller) {
    active.put(session, caller);
    LockSupport.unpark(thread);
  }

  void remove(Session session) {
    active.remove(session);
  }

  boolean stopped() {
    return stopped;
  }

  /** The number of generations. */
  int size() {
    return active.size();
  }

  /** Cancels all generations, those that begin later too. */
  void stop() {
    stopped = true;
    LockSupport.unpark(thread);
  }

  private void run() {
    while (!closed) {
      if (active.isEmpty()) {
        LockSupport.park(this);
      } else {
        // Again and again: a generation that had not begun yet does not know that it was cancelled.
        active.forEach((session, caller) -> {
          if (stopped || caller.gone()) {
            session.cancel();
          }
        });
        LockSupport.parkNanos(this, PERIOD_NANOS);
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}
