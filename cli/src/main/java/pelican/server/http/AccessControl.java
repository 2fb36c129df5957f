package pelican.server.http;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Who may send requests: the host name under which the server is addressed (against DNS rebinding),
 * the origin of the page that a browser shows, and the API key.
 */
public final class AccessControl {
  private static final String ALLOWED_HEADERS =
      "Authorization, Content-Type, User-Agent, Accept, X-Requested-With, OpenAI-Beta,"
          + " x-stainless-arch, x-stainless-async, x-stainless-custom-poll-interval,"
          + " x-stainless-helper-method, x-stainless-lang, x-stainless-os,"
          + " x-stainless-package-version, x-stainless-poll-helper, x-stainless-retry-count,"
          + " x-stainless-runtime, x-stainless-runtime-version, x-stainless-timeout,"
          // Anthropic's clients in browsers cannot do without these.
          + " x-api-key, anthropic-version, anthropic-beta,"
          + " anthropic-dangerous-direct-browser-access";

  private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");

  private final Origins origins;
  private final boolean guardHost;
  private final byte[] apiKey;
  private final String machine;

  /**
   * @param guardHost whether the Host header has to name this machine: when bound to loopback
   * @param apiKey what clients have to send, if anything
   */
  public AccessControl(Origins origins, boolean guardHost, Optional<String> apiKey) {
    this.origins = origins;
    this.guardHost = guardHost;
    this.apiKey = apiKey.map(key -> key.getBytes(StandardCharsets.UTF_8)).orElse(null);
    machine = machineName();
  }

  private static String machineName() {
    try {
      return InetAddress.getLocalHost().getHostName().toLowerCase(Locale.ROOT);
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }

  /**
   * Whether a request may go on to its route; otherwise it was answered.
   *
   * @param match the route, or null
   */
  boolean admit(Exchange exchange, Router.Match match) {
    String host = Optional.ofNullable(exchange.header("Host")).orElse("");
    boolean options = exchange.method().equals("OPTIONS");
    if (guardHost && !isLocal(hostName(host))) {
      exchange.empty(403);
      return false;
    }
    String origin = exchange.header("Origin");
    boolean crossOrigin =
        origin != null && !origin.equals("http://" + host) && !origin.equals("https://" + host);
    if (crossOrigin) {
      if (!origins.allows(origin)) {
        exchange.empty(403);
        return false;
      }
      exchange.setHeader("Access-Control-Allow-Origin", origins.allowsAll() ? "*" : origin);
      exchange.setHeader("Vary", "Origin");
      if (options) {
        exchange.setHeader(
            "Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
        exchange.setHeader(
            "Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS");
        exchange.setHeader("Access-Control-Allow-Headers", ALLOWED_HEADERS);
        exchange.setHeader("Access-Control-Max-Age", "43200");
      }
    }
    if (options && (crossOrigin || guardHost)) {
      exchange.empty(204);
      return false;
    }
    if (apiKey != null && match != null && needsKey(match.route().pattern()) && !hasKey(exchange)) {
      exchange.setHeader("WWW-Authenticate", "Bearer");
      exchange.json(
          401,
          match
              .route()
              .errors()
              .body(401, "missing or wrong API key, expected it as Bearer token"));
      return false;
    }
    return true;
  }

  /** The pages and the signs of life tell nothing that needs protection. */
  private static boolean needsKey(String pattern) {
    return !(pattern.equals("/")
        || pattern.equals("/precision")
        || pattern.equals("/healthz")
        || pattern.startsWith("/ui"));
  }

  private boolean hasKey(Exchange exchange) {
    String authorization = exchange.header("Authorization");
    String given = exchange.header("x-api-key");
    if (authorization != null && authorization.regionMatches(true, 0, "Bearer ", 0, 7)) {
      given = authorization.substring(7).strip();
    }
    // Takes as long wherever the two differ.
    return given != null
        && MessageDigest.isEqual(sha256(given.getBytes(StandardCharsets.UTF_8)), sha256(apiKey));
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** The host of a Host header, without its port and an IPv6 address's brackets. */
  static String hostName(String header) {
    String host = header.strip().toLowerCase(Locale.ROOT);
    if (host.startsWith("[")) {
      int end = host.indexOf(']');
      return end < 0 ? host : host.substring(1, end);
    }
    int colon = host.indexOf(':');
    boolean one = colon >= 0 && colon == host.lastIndexOf(':');
    return one ? host.substring(0, colon) : host;
  }

  private boolean isLocal(String host) {
    if (host.isEmpty() || host.equals("localhost") || host.equals(machine)) {
      return true;
    }
    for (String end : List.of(".localhost", ".local", ".internal")) {
      if (host.endsWith(end)) {
        return true;
      }
    }
    boolean address = IPV4.matcher(host).matches() || host.indexOf(':') >= 0;
    if (!address) {
      return false;
    }
    try {
      // A literal: no name is looked up.
      InetAddress literal = InetAddress.ofLiteral(host);
      return literal.isLoopbackAddress()
          || literal.isSiteLocalAddress()
          || literal.isAnyLocalAddress()
          || NetworkInterface.getByInetAddress(literal) != null;
    } catch (IllegalArgumentException | SocketException e) {
      return false;
    }
  }
}
