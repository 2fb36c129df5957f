package pelican.server;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pelican.engine.PelicanException;
import pelican.server.inference.KeepAlive;
import pelican.server.ollama.RequestReader;

/** Ollama's environment variables. */
public final class Environment {
  private static final int DEFAULT_PORT = 11434;

  private final Map<String, String> variables;

  public Environment(Map<String, String> variables) {
    this.variables = variables;
  }

  public static Environment ofProcess() {
    return new Environment(System.getenv());
  }

  /** A variable without spaces and quotes around it; empty if it is not set or empty. */
  public Optional<String> value(String name) {
    String text = variables.getOrDefault(name, "").strip();
    text = text.replaceAll("^[\"']+|[\"']+$", "").strip();
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }

  /**
   * A whole number.
   *
   * @throws PelicanException if it is none
   */
  public int integer(String name, int missing) {
    Optional<String> text = value(name);
    try {
      return text.map(Integer::parseInt).orElse(missing);
    } catch (NumberFormatException e) {
      throw new PelicanException(name + " is '" + text.get() + "', expected a whole number", e);
    }
  }

  public List<String> origins() {
    return value("OLLAMA_ORIGINS")
        .map(text ->
            Arrays.stream(text.split(",")).map(String::strip).filter(s -> !s.isEmpty()).toList())
        .orElse(List.of());
  }

  /** OLLAMA_KEEP_ALIVE: a duration, or whole seconds. */
  public KeepAlive keepAlive() {
    String text = value("OLLAMA_KEEP_ALIVE").orElse("5m");
    return RequestReader.keepAlive(text.matches("-?[0-9]+") ? text + "s" : text);
  }

  /** Where to listen, or to connect to; an empty host means all addresses. */
  public record Address(String host, int port) {}

  /** OLLAMA_HOST. */
  public Address host() {
    return value("OLLAMA_HOST")
        .map(Environment::parseHost)
        .orElse(new Address("127.0.0.1", DEFAULT_PORT));
  }

  /**
   * Reads {@code [scheme://]host[:port][/…]}.
   *
   * @throws PelicanException if the port is none
   */
  public static Address parseHost(String text) {
    String rest = text.strip();
    int port = DEFAULT_PORT;
    int scheme = rest.indexOf("://");
    if (scheme >= 0) {
      port = rest.startsWith("https") ? 443 : 80;
      rest = rest.substring(scheme + 3);
    }
    int slash = rest.indexOf('/');
    rest = slash < 0 ? rest : rest.substring(0, slash);
    String host = rest;
    int colon = rest.lastIndexOf(':');
    boolean bareIpv6 = !rest.startsWith("[") && rest.indexOf(':') != colon;
    if (colon > rest.lastIndexOf(']') && !bareIpv6) {
      host = rest.substring(0, colon);
      try {
        port = Integer.parseInt(rest.substring(colon + 1));
      } catch (NumberFormatException e) {
        port = -1;
      }
      if (port < 0 || port > 65535) {
        throw new PelicanException("the port in '" + text + "' is none, expected 0 to 65535");
      }
    }
    return new Address(host.replaceAll("^\\[|\\]$", ""), port);
  }
}
