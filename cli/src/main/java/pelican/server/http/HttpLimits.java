package pelican.server.http;

import java.time.Duration;

/**
 * What a client may take of the server.
 *
 * @param maxBody bytes of a JSON body
 * @param maxHeader bytes of a request's line and headers
 * @param headerTime how long they may take to come
 * @param bodyTime how long a body may take to come
 * @param idleTime how long a connection may do nothing
 * @param maxConnections connections at once; others wait to be accepted
 */
public record HttpLimits(
    long maxBody,
    int maxHeader,
    Duration headerTime,
    Duration bodyTime,
    Duration idleTime,
    int maxConnections) {
  public static final HttpLimits DEFAULT =
      new HttpLimits(
          64L << 20,
          16 << 10,
          Duration.ofSeconds(10),
          Duration.ofSeconds(60),
          Duration.ofSeconds(75),
          1024);
}
