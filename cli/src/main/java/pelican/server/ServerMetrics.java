package pelican.server;

import java.io.PrintStream;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import pelican.server.http.Dispatcher;
import pelican.server.inference.Inference;
import pelican.server.inference.Totals;

/** Counts requests, writes the access log, and tells Prometheus. */
final class ServerMetrics implements Dispatcher.Listener {
  private final boolean log;
  private final PrintStream out;
  private final Map<String, Count> counts = new TreeMap<>();

  private static final class Count {
    long requests;
    long nanos;
  }

  ServerMetrics(boolean log, PrintStream out) {
    this.log = log;
    this.out = out;
  }

  @Override
  public void answered(
      String client, String method, String path, String pattern, int status, long nanos) {
    synchronized (counts) {
      String labels =
          "method=\"%s\",path=\"%s\",status=\"%d\"".formatted(known(method), pattern, status);
      Count count = counts.computeIfAbsent(labels, key -> new Count());
      count.requests++;
      count.nanos += nanos;
    }
    if (log) {
      out.printf(
          Locale.ROOT,
          "%s %s %s %s %d %.3f ms%n",
          Instant.now(),
          client,
          known(method),
          printable(path),
          status,
          nanos / 1e6);
    }
  }

  /** A client may invent methods; they are not to become labels without end. */
  private static String known(String method) {
    return switch (method) {
      case "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH" -> method;
      default -> "OTHER";
    };
  }

  private static String printable(String path) {
    String text = path.replaceAll("[^\\x21-\\x7e]", "?");
    return text.length() > 200 ? text.substring(0, 200) + "..." : text;
  }

  @Override
  public void failed(String method, String path, Throwable failure) {
    out.println("Error: " + known(method) + " " + printable(path) + " failed: " + failure);
    if (System.getenv("PELICAN_DEBUG") != null) {
      failure.printStackTrace(out);
    }
  }

  /** All counts in Prometheus's text format. */
  String text(Inference inference, int connections) {
    StringBuilder text = new StringBuilder();
    text.append("# HELP pelican_requests_total Requests answered.\n");
    text.append("# TYPE pelican_requests_total counter\n");
    synchronized (counts) {
      counts.forEach((labels, count) ->
          text.append("pelican_requests_total{%s} %d\n".formatted(labels, count.requests)));
      text.append("# HELP pelican_request_seconds_total Time that they took.\n");
      text.append("# TYPE pelican_request_seconds_total counter\n");
      counts.forEach((labels, count) ->
          text.append(
              "pelican_request_seconds_total{%s} %s\n".formatted(labels, count.nanos / 1e9)));
    }
    Totals totals = inference.totals();
    one(text, "prompt_tokens_total", "counter", "Tokens of prompts.", totals.promptTokens());
    one(
        text,
        "cached_tokens_total",
        "counter",
        "Tokens of prompts that were computed before.",
        totals.cachedTokens());
    one(text, "tokens_total", "counter", "Tokens generated.", totals.tokens());
    one(text, "prompt_seconds_total", "counter", "Time for prompts.", totals.prompt() / 1e9);
    one(text, "decode_seconds_total", "counter", "Time to generate.", totals.generation() / 1e9);
    one(
        text,
        "time_to_first_token_seconds_sum",
        "counter",
        "Time from requests to their first tokens, over all answers.",
        totals.firstToken() / 1e9);
    one(text, "answers_total", "counter", "Answers generated.", totals.answers());
    one(
        text,
        "cancelled_answers_total",
        "counter",
        "Answers given up since nobody waited for them, or the server stops.",
        totals.cancelled());
    one(
        text,
        "cancelled_tokens_total",
        "counter",
        "Tokens generated for those.",
        totals.cancelledTokens());
    one(text, "generating", "gauge", "Answers being generated.", inference.generating());
    one(text, "queue", "gauge", "Requests that wait.", inference.scheduler().pending());
    one(
        text,
        "models_loaded",
        "gauge",
        "Models in memory.",
        inference.scheduler().running().size());
    one(
        text,
        "evictions_total",
        "counter",
        "Models unloaded to make room for another.",
        inference.scheduler().evictions());
    one(
        text,
        "model_bytes",
        "gauge",
        "Memory of weights, buffers and sessions, as it is counted against the limit.",
        inference.scheduler().memory());
    one(
        text,
        "model_bytes_limit",
        "gauge",
        "The most that it may be.",
        inference.scheduler().limits().memory());
    one(text, "connections", "gauge", "Open connections.", connections);
    Runtime runtime = Runtime.getRuntime();
    one(
        text,
        "heap_bytes",
        "gauge",
        "Memory of the Java heap in use.",
        runtime.totalMemory() - runtime.freeMemory());
    return text.toString();
  }

  private static void one(StringBuilder text, String name, String type, String help, Number value) {
    text.append("# HELP pelican_%s %s\n".formatted(name, help));
    text.append("# TYPE pelican_%s %s\n".formatted(name, type));
    text.append("pelican_%s %s\n".formatted(name, value));
  }
}
