package pelican.server.http;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Memory for the bodies of all requests that are being answered. Each is bounded by itself, but
 * together, one for each connection, they could take more than there is.
 */
final class BodyBudget {
  private final long most;
  private final AtomicLong taken = new AtomicLong();

  /**
   * @param most bytes that bodies may have together
   */
  BodyBudget(long most) {
    this.most = most;
  }

  /** A part of the heap, and at least one body as large as it may be. */
  static BodyBudget ofHeap(HttpLimits limits) {
    return new BodyBudget(Math.max(limits.maxBody(), Runtime.getRuntime().maxMemory() / 8));
  }

  /**
   * Takes so many bytes.
   *
   * @throws ApiException of status 503 if they are not there; then none are taken
   */
  void take(long bytes) {
    if (taken.addAndGet(bytes) > most) {
      taken.addAndGet(-bytes);
      throw new ApiException(503, "server busy, please try again.  too many large requests");
    }
  }

  void giveBack(long bytes) {
    taken.addAndGet(-bytes);
  }
}
