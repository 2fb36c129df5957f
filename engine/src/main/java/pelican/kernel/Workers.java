package pelican.kernel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A fixed team of threads that run the parts of one parallel step together with the calling thread.
 *
 * <p>A forward pass has hundreds of steps of some ten microseconds to a millisecond each, so
 * workers spin for the next step for a short time (waking a parked thread costs about as much as a
 * step) and park only when the model is idle. Nothing is allocated for a step. One caller at a
 * time: callers are serialised.
 */
public final class Workers implements AutoCloseable {
  /** A part of a step: handles the items [from, to). */
  @FunctionalInterface
  public interface Range {
    void run(int from, int to);
  }

  /**
   * How long a worker spins before it parks; longer than the serial stretches of a forward pass.
   */
  private static final long SPIN_NANOS = 200_000;

  private final Thread[] threads;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger running = new AtomicInteger();
  private volatile int step;
  private volatile boolean closed;
  private volatile Throwable failure;

  // Plain fields: written before the volatile write of step, read after its volatile read.
  private Range task;
  private int items;
  private int grain;

  /**
   * Starts the team.
   *
   * @param count the number of threads that work on a step, the caller included; at least 1
   */
  public Workers(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("threads is " + count + ", expected at least 1");
    }
    threads = new Thread[count - 1];
    for (int i = 0; i < threads.length; i++) {
      threads[i] = Thread.ofPlatform().daemon().name("pelican-worker-" + (i + 1)).start(this::work);
    }
  }

  /** The number of threads that work on a step, the caller included. */
  public int count() {
    return threads.length + 1;
  }

  /**
   * Runs {@code task} over the items [0, items) in ranges of {@code grain} items or a multiple of
   * that, which the threads take as they become free, and returns when all are done.
   *
   * @throws RuntimeException or Error whatever the task threw first
   */
  public synchronized void run(int items, int grain, Range task) {
    if (items <= 0) {
      return;
    }
    if (threads.length == 0 || items <= grain) {
      task.run(0, items);
      return;
    }
    this.task = task;
    this.items = items;
    this.grain = grain;
    next.set(0);
    running.set(threads.length);
    step++;
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
    takeRanges();
    while (running.get() != 0) {
      Thread.onSpinWait();
    }
    this.task = null;
    Throwable thrown = failure;
    if (thrown != null) {
      failure = null;
      switch (thrown) {
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        default -> throw new IllegalStateException(thrown);
      }
    }
  }

  /** Runs {@code task} once for each item, an item at a time. */
  public void run(int items, Range task) {
    run(items, 1, task);
  }

  /**
   * How many of the items that are left a thread takes: its share of three quarters of them, in
   * multiples of the grain. Long ranges first, since kernels run best over those, short ones last,
   * so that the threads end together.
   */
  private int size(int left) {
    int share = (int) (3L * left / (4 * count()));
    return Math.max(grain, share - share % grain);
  }

  private void takeRanges() {
    try {
      Range current = task;
      int end = items;
      int from = next.get();
      while (from < end) {
        int size = Math.min(end - from, size(end - from));
        int seen = next.compareAndExchange(from, from + size);
        if (seen == from) {
          current.run(from, from + size);
          seen = next.get();
        }
        from = seen;
      }
    } catch (Throwable t) {
      failure = t;
      next.set(items);
    }
  }

  private void work() {
    int seen = 0;
    while (true) {
      long idleSince = 0;
      while (step == seen) {
        if (closed) {
          return;
        }
        Thread.onSpinWait();
        long now = System.nanoTime();
        if (idleSince == 0) {
          idleSince = now;
        } else if (now - idleSince > SPIN_NANOS) {
          LockSupport.park(this);
        }
      }
      seen = step;
      takeRanges();
      running.decrementAndGet();
    }
  }

  /** Ends the threads once the step in progress, if any, is done. */
  @Override
  public synchronized void close() {
    closed = true;
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
  }
}
