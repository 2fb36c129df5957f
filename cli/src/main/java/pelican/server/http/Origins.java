package pelican.server.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import pelican.engine.PelicanException;

/**
 * The origins whose pages may send requests: those of this machine and of desktop applications
 * always, others as configured, each with at most one {@code *}. A star at the end of {@code
 * http://localhost:*} stands for a port and nothing else.
 */
public final class Origins {
  private static final List<String> SCHEMES =
      List.of(
          "http://",
          "https://",
          "chrome-extension://",
          "moz-extension://",
          "safari-extension://",
          "safari-web-extension://",
          "ms-browser-extension://");

  private static final List<String> ALWAYS =
      List.of("app://*", "file://*", "tauri://*", "vscode-webview://*", "vscode-file://*");

  private final List<String> patterns = new ArrayList<>();
  private final boolean all;

  /**
   * @param configured origins, or {@code *} for all
   * @throws PelicanException if one is none
   */
  public Origins(List<String> configured) {
    all = configured.contains("*");
    for (String origin : configured) {
      boolean plain = origin.indexOf('*') < 0;
      if (origin.indexOf('*') != origin.lastIndexOf('*')) {
        throw new PelicanException("origin '" + origin + "' has more than one *, expected one");
      }
      if (plain && SCHEMES.stream().noneMatch(origin::startsWith)) {
        throw new PelicanException(
            "origin '"
                + origin
                + "' is none, expected it to begin with one of "
                + String.join(", ", SCHEMES));
      }
      patterns.add(origin.toLowerCase(Locale.ROOT));
    }
    for (String host : List.of("localhost", "127.0.0.1", "0.0.0.0")) {
      for (String scheme : List.of("http://", "https://")) {
        patterns.add(scheme + host);
        patterns.add(scheme + host + ":*");
      }
    }
    patterns.addAll(ALWAYS);
  }

  /** Whether every origin is allowed. */
  boolean allowsAll() {
    return all;
  }

  boolean allows(String origin) {
    String wanted = origin.toLowerCase(Locale.ROOT);
    return all || patterns.stream().anyMatch(pattern -> matches(pattern, wanted));
  }

  private static boolean matches(String pattern, String origin) {
    int star = pattern.indexOf('*');
    if (star < 0) {
      return pattern.equals(origin);
    }
    String before = pattern.substring(0, star);
    String after = pattern.substring(star + 1);
    if (origin.length() < before.length() + after.length()
        || !origin.startsWith(before)
        || !origin.endsWith(after)) {
      return false;
    }
    String middle = origin.substring(before.length(), origin.length() - after.length());
    boolean port = before.endsWith(":") && after.isEmpty();
    return port ? middle.matches("[0-9]{1,5}") : true;
  }
}
