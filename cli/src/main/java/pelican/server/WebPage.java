package pelican.server;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.regex.Pattern;
import pelican.compare.HtmlReport;
import pelican.server.http.ApiException;
import pelican.server.http.Exchange;

/** The chat page and the precision page: static files that a browser may run nothing else with. */
final class WebPage {
  /** No part leads elsewhere: no empty segment, no dots at its beginning. */
  private static final Pattern FILE =
      Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,4}");

  /** Answers of a model are shown by a page that can neither load nor send anything elsewhere. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
          + " font-src 'self'; connect-src 'self' http: https:; frame-src 'self';"
          + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  /** The precision page draws with a library that puts one style sheet of its own into drawings. */
  private static final String PRECISION_POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self' '"
          + HtmlReport.CHART_STYLE_HASH
          + "'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none';"
          + " frame-ancestors 'none'";

  void root(Exchange exchange) throws IOException {
    String accept = Optional.ofNullable(exchange.header("Accept")).orElse("");
    Optional<byte[]> index = accept.contains("text/html") ? read("index.html") : Optional.empty();
    exchange.setHeader("Vary", "Accept");
    if (index.isPresent()) {
      send(exchange, "index.html", index.get());
    } else {
      exchange.text(200, "Ollama is running");
    }
  }

  void precision(Exchange exchange) throws IOException {
    send(exchange, "precision.html", read("precision.html").orElseThrow(), PRECISION_POLICY);
  }

  void file(Exchange exchange) throws IOException {
    String name = exchange.parameter("file");
    Optional<byte[]> bytes = FILE.matcher(name).matches() ? read(name) : Optional.empty();
    if (bytes.isEmpty()) {
      exchange.text(404, "404 page not found");
      return;
    }
    send(exchange, name, bytes.get());
  }

  private static void send(Exchange exchange, String name, byte[] bytes) {
    send(exchange, name, bytes, POLICY);
  }

  private static void send(Exchange exchange, String name, byte[] bytes, String policy) {
    exchange.setHeader("Content-Security-Policy", policy);
    exchange.setHeader("X-Content-Type-Options", "nosniff");
    exchange.setHeader("Referrer-Policy", "no-referrer");
    exchange.setHeader("Cache-Control", "no-store");
    exchange.send(200, type(name), bytes);
  }

  private static Optional<byte[]> read(String name) throws IOException {
    try (InputStream in = WebPage.class.getResourceAsStream("web/" + name)) {
      return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
    }
  }

  private static String type(String name) {
    return switch (name.substring(name.lastIndexOf('.') + 1)) {
      case "html" -> "text/html; charset=utf-8";
      case "js", "mjs" -> "text/javascript; charset=utf-8";
      case "css" -> "text/css; charset=utf-8";
      case "svg" -> "image/svg+xml";
      case "png" -> "image/png";
      case "woff2" -> "font/woff2";
      case "json" -> "application/json; charset=utf-8";
      case "txt", "md" -> "text/plain; charset=utf-8";
      default -> throw new ApiException(404, "404 page not found");
    };
  }
}
