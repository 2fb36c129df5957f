package pelican.server.http;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Which handler answers which request. A pattern is a path whose segments may be {@code {name}},
 * which stands for one segment, or at the end {@code {name...}}, which stands for all that follow.
 */
public final class Router {
  /** Answers a request, or throws an {@link ApiException} that the route's style writes. */
  @FunctionalInterface
  public interface Handler {
    void handle(Exchange exchange) throws Exception;
  }

  /**
   * A handler and how it writes errors.
   *
   * @param pattern the path as it was added, for logs and metrics
   */
  public record Route(String method, String pattern, ErrorStyle errors, Handler handler) {}

  /** What a request leads to. */
  record Match(Route route, Map<String, String> parameters) {}

  private final Map<String, Map<String, Route>> routes = new LinkedHashMap<>();

  /**
   * Adds a route.
   *
   * @param method {@code GET}, {@code POST}…; HEAD is answered only where it is added too
   * @param pattern as above
   * @param errors how errors of this route look
   */
  public Router add(String method, String pattern, ErrorStyle errors, Handler handler) {
    routes
        .computeIfAbsent(pattern, p -> new LinkedHashMap<>())
        .put(method, new Route(method, pattern, errors, handler));
    return this;
  }

  /** The methods that a path answers, empty if it is unknown. */
  List<String> methods(String path) {
    TreeSet<String> methods = new TreeSet<>();
    routes.forEach((pattern, byMethod) -> {
      if (parameters(pattern, path) != null) {
        methods.addAll(byMethod.keySet());
      }
    });
    return new ArrayList<>(methods);
  }

  /** The route of a request, or null. */
  Match find(String method, String path) {
    for (Map.Entry<String, Map<String, Route>> entry : routes.entrySet()) {
      Route route = entry.getValue().get(method);
      Map<String, String> parameters = route == null ? null : parameters(entry.getKey(), path);
      if (parameters != null) {
        return new Match(route, parameters);
      }
    }
    return null;
  }

  private static Map<String, String> parameters(String pattern, String path) {
    if (!pattern.contains("{")) {
      return pattern.equals(path) ? Map.of() : null;
    }
    String[] wanted = pattern.split("/", -1);
    String[] given = path.split("/", -1);
    Map<String, String> parameters = new HashMap<>();
    for (int i = 0; i < wanted.length; i++) {
      if (i >= given.length) {
        return null;
      }
      if (wanted[i].endsWith("...}")) {
        String name = wanted[i].substring(1, wanted[i].length() - 4);
        parameters.put(name, String.join("/", List.of(given).subList(i, given.length)));
        return parameters;
      }
      if (wanted[i].startsWith("{")) {
        if (given[i].isEmpty()) {
          return null;
        }
        parameters.put(wanted[i].substring(1, wanted[i].length() - 1), given[i]);
      } else if (!wanted[i].equals(given[i])) {
        return null;
      }
    }
    return wanted.length == given.length ? parameters : null;
  }
}
