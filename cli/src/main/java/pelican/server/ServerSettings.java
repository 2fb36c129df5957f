package pelican.server;

import java.util.List;
import java.util.Optional;
import pelican.server.http.HttpLimits;
import pelican.server.inference.Scheduler;

/**
 * How a server runs.
 *
 * @param host address to listen on; empty for all
 * @param port or 0 for any that is free
 * @param origins whose pages may send requests, besides this machine's
 * @param apiKey what clients have to send, if anything
 * @param http limits for clients
 * @param models limits for models
 * @param demo whether the model that the program carries is served
 * @param accessLog whether each request is a line on standard error
 * @param version of the program
 */
public record ServerSettings(
    String host,
    int port,
    List<String> origins,
    Optional<String> apiKey,
    HttpLimits http,
    Scheduler.Limits models,
    boolean demo,
    boolean accessLog,
    String version) {
  /** Whether only this machine can reach the server. */
  public boolean isLoopback() {
    return host.equals("localhost")
        || host.equals("::1")
        || host.equals("0:0:0:0:0:0:0:1")
        || host.matches("127(\\.[0-9]{1,3}){3}");
  }
}
