package pelican.server.http;

import java.time.Duration;

/**
 * What a client may take of the server.
 *
 * @param maxBody bytes of a JSON body
 * @param maxBlob bytes of an uploaded file
 * @param maxHeader bytes of a request's line and headers
 * @param headerTime how long they may take to come
 * @param bodyTime how long a body may take to come, and each 16 MiB of a file
 * @param idleTime how long a connection may do nothing
 * @param maxConnections connections at once; others wait to be accepted
 */
public record HttpLimits(
    long maxBody,
    long maxBlob,
    int maxHeader,
    Duration headerTime,
    Duration bodyTime,
    Duration idleTime,
    int maxConnections) {
  public static final HttpLimits DEFAULT =
      new HttpLimits(
          64L << 20,
          64L << 30,
          16 << 10,
          Duration.ofSeconds(10),
          Duration.ofSeconds(60),
          Duration.ofSeconds(75),
          1024);
}
