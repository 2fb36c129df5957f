package pelican.server.ollama;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pelican.chat.Message;
import pelican.chat.Tool;
import pelican.chat.ToolCall;
import pelican.server.http.ApiException;
import pelican.server.http.Fields;
import pelican.server.http.Json;
import pelican.server.inference.Format;
import pelican.server.inference.KeepAlive;
import pelican.server.inference.Options;
import tools.jackson.databind.JsonNode;

/** Reads the parts of requests that several of Ollama's endpoints have. */
public final class RequestReader {
  /** What is answered to an image in any interface. */
  public static final String NO_IMAGES = "images are not supported: models are run on text alone";

  private static final Pattern PART =
      Pattern.compile("([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|µs|ms|s|m|h)");
  private static final Pattern DURATION =
      Pattern.compile("[+-]?(([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|µs|ms|s|m|h))+");
  private static final BigDecimal FOREVER_SECONDS = BigDecimal.valueOf(1L << 40);

  private RequestReader() {}

  static Options options(Fields body) {
    return body.object("options").map(f -> new Options(withoutNulls(f))).orElse(Options.NONE);
  }

  private static Map<String, Object> withoutNulls(Fields fields) {
    Map<String, Object> values = Json.map(fields.node());
    values.values().removeIf(value -> value == null);
    return values;
  }

  static Optional<KeepAlive> keepAlive(Fields body) {
    return body.get("keep_alive").map(RequestReader::keepAlive);
  }

  private static KeepAlive keepAlive(JsonNode node) {
    if (node.isNumber()) {
      return ofSeconds(node.decimalValue());
    }
    if (!node.isString()) {
      throw ApiException.badRequest(
          "\"keep_alive\" is " + node + ", expected seconds or a duration");
    }
    return keepAlive(node.asString());
  }

  private static KeepAlive ofSeconds(BigDecimal seconds) {
    if (seconds.signum() < 0 || seconds.compareTo(FOREVER_SECONDS) > 0) {
      return KeepAlive.FOREVER;
    }
    return new KeepAlive(
        Duration.ofSeconds(
            seconds.longValue(), seconds.remainder(BigDecimal.ONE).movePointRight(9).longValue()));
  }

  /**
   * A duration as Go writes it: {@code 300ms}, {@code 1h30m}, {@code -1m}; {@code 0} is one too.
   *
   * @throws ApiException of status 400 if it is none
   */
  public static KeepAlive keepAlive(String text) {
    if (text.equals("0")) {
      return KeepAlive.ZERO;
    }
    if (text.length() > 100 || !DURATION.matcher(text).matches()) {
      boolean digits = text.matches("[+-]?[0-9]+");
      throw ApiException.badRequest(
          "time: " + (digits ? "missing unit in" : "invalid") + " duration \"" + text + "\"");
    }
    BigDecimal seconds = BigDecimal.ZERO;
    Matcher parts = PART.matcher(text);
    while (parts.find()) {
      BigDecimal unit =
          switch (parts.group(2)) {
            case "ns" -> new BigDecimal("1e-9");
            case "us", "µs" -> new BigDecimal("1e-6");
            case "ms" -> new BigDecimal("1e-3");
            case "s" -> BigDecimal.ONE;
            case "m" -> BigDecimal.valueOf(60);
            default -> BigDecimal.valueOf(3600);
          };
      seconds = seconds.add(new BigDecimal(parts.group(1)).multiply(unit));
    }
    return ofSeconds(text.startsWith("-") ? seconds.negate() : seconds);
  }

  static Optional<Boolean> think(Fields body) {
    return body.get("think")
        .map(node -> {
          if (node.isBoolean()) {
            return node.asBoolean();
          }
          String level = node.isString() ? node.asString() : node.toString();
          return switch (level) {
            case "high", "medium", "low", "max" -> true;
            default ->
                throw ApiException.badRequest(
                    "invalid think value: \""
                        + level
                        + "\" (must be \"high\", \"medium\", \"low\", \"max\", true, or false)");
          };
        });
  }

  static Format format(Fields body) {
    Optional<JsonNode> node = body.get("format");
    if (node.isEmpty() || node.get().isString() && node.get().asString().isEmpty()) {
      return Format.NONE;
    }
    if (node.get().isString() && node.get().asString().equals("json")) {
      return new Format.AnyJson();
    }
    if (!node.get().isObject()) {
      throw new ApiException(
          500,
          "invalid format: " + node.get() + "; expected \"json\" or a valid JSON Schema object");
    }
    return new Format.Schema(Json.map(node.get()));
  }

  /** How many alternatives to report with each token; -1 for no probabilities. */
  public static int topLogprobs(Fields body) {
    OptionalInt top = body.integer("top_logprobs");
    if (top.isPresent() && (top.getAsInt() < 0 || top.getAsInt() > 20)) {
      throw ApiException.badRequest("top_logprobs must be between 0 and 20");
    }
    boolean wanted = body.bool("logprobs", false) || top.orElse(0) > 0;
    return wanted ? top.orElse(0) : -1;
  }

  /** Images cannot be looked at, and must not be ignored. */
  static void refuseImages(Fields fields) {
    if (!fields.array("images").isEmpty()) {
      throw ApiException.badRequest(NO_IMAGES);
    }
  }

  static List<Message> messages(Fields body) {
    List<Message> messages = new ArrayList<>();
    for (Fields message : body.objects("messages")) {
      refuseImages(message);
      List<ToolCall> calls = new ArrayList<>();
      for (Fields call : message.objects("tool_calls")) {
        Optional<Fields> function = call.object("function");
        calls.add(
            new ToolCall(
                call.string("id"),
                function.map(f -> f.string("name")).orElse(""),
                function
                    .flatMap(f -> f.object("arguments"))
                    .map(f -> Json.map(f.node()))
                    .orElse(Map.of())));
      }
      messages.add(
          new Message(
              message.string("role").toLowerCase(Locale.ROOT),
              message.string("content"),
              message.string("thinking"),
              calls,
              message.string("tool_name"),
              message.string("tool_call_id")));
    }
    return messages;
  }

  /** The functions that the model may call. */
  public static List<Tool> tools(Fields body) {
    List<Tool> tools = new ArrayList<>();
    for (Fields tool : body.objects("tools")) {
      Fields function =
          tool.object("function")
              .orElseThrow(() -> ApiException.badRequest("\"tools\" has one without \"function\""));
      tools.add(
          new Tool(
              function.string("name"),
              function.string("description"),
              function.object("parameters").map(f -> Json.map(f.node())).orElse(Map.of())));
    }
    return tools;
  }

  /** The model's name, from {@code model} or, where that is empty, the older {@code name}. */
  static String model(Fields body) {
    String model = body.string("model");
    return model.isEmpty() ? body.string("name") : model;
  }
}
