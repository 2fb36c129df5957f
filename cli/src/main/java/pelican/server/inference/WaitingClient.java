package pelican.server.inference;

import pelican.server.http.EventStream;
import pelican.server.http.Exchange;

/** A client that waits for one answer, whole or as a stream of server-sent events. */
public abstract class WaitingClient implements Caller {
  /** Where the answer goes if it is whole. */
  protected final Exchange exchange;

  /** Where its parts go; null if the client wants it whole. */
  protected final EventStream stream;

  protected WaitingClient(Exchange exchange, boolean streaming) {
    this.exchange = exchange;
    stream = streaming ? exchange.stream("text/event-stream") : null;
  }

  @Override
  public final boolean gone() {
    return exchange.clientGone();
  }
}
