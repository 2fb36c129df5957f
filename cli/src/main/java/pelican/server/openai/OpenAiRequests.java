package pelican.server.openai;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import pelican.server.http.ApiException;
import pelican.server.http.Fields;
import pelican.server.http.Json;
import pelican.server.inference.Format;
import tools.jackson.databind.JsonNode;

/** Reads the parts of requests that several of OpenAI's endpoints have. */
final class OpenAiRequests {
  private OpenAiRequests() {}

  static String model(Fields body) {
    String model = body.string("model");
    if (model.isEmpty()) {
      throw ApiException.badRequest("model is required");
    }
    return model;
  }

  /**
   * Generation options. OpenAI's defaults of temperature and top_p hold over those of the model.
   *
   * @param limits the fields that may limit the answer's tokens; the first that is there counts
   */
  static Map<String, Object> options(Fields body, String... limits) {
    Map<String, Object> options = new LinkedHashMap<>();
    for (String limit : limits) {
      OptionalInt tokens = body.integer(limit);
      if (tokens.isPresent()) {
        options.putIfAbsent("num_predict", tokens.getAsInt());
      }
    }
    options.put("temperature", body.number("temperature").orElse(1.0));
    options.put("top_p", body.number("top_p").orElse(1.0));
    body.get("seed").ifPresent(seed -> options.put("seed", seed(seed)));
    List<String> stops = stops(body);
    if (!stops.isEmpty()) {
      options.put("stop", stops);
    }
    for (String penalty : List.of("frequency_penalty", "presence_penalty")) {
      body.number(penalty).ifPresent(value -> options.put(penalty, value));
    }
    return options;
  }

  private static Number seed(JsonNode node) {
    if (!node.isNumber()) {
      throw ApiException.badRequest("\"seed\" is " + node + ", expected a whole number");
    }
    return node.decimalValue();
  }

  private static List<String> stops(Fields body) {
    Optional<JsonNode> stop = body.get("stop");
    return stop.isPresent() && stop.get().isString()
        ? List.of(stop.get().asString())
        : body.strings("stop");
  }

  static boolean includesUsage(Fields body) {
    return body.object("stream_options").map(o -> o.bool("include_usage", false)).orElse(false);
  }

  /** Whether to think: by {@code reasoning_effort}, or {@code reasoning.effort}. */
  static Optional<Boolean> think(Fields body) {
    String effort = effort(body);
    return switch (effort) {
      case "" -> Optional.empty();
      case "none" -> Optional.of(false);
      case "minimal", "low", "medium", "high", "max", "xhigh", "ultra" -> Optional.of(true);
      default ->
          throw ApiException.badRequest(
              "invalid reasoning value: '"
                  + effort
                  + "' (must be \"high\", \"medium\", \"low\", \"max\", or \"none\")");
    };
  }

  /** The effort asked for, empty if none is. */
  static String effort(Fields body) {
    String effort = body.string("reasoning_effort");
    return effort.isEmpty()
        ? body.object("reasoning").map(reasoning -> reasoning.string("effort")).orElse("")
        : effort;
  }

  /**
   * What the answer has to be.
   *
   * @param name of the field, for errors
   * @param format its value; of type {@code json_schema}, where the schema is in a field of it
   * @param schemas where the schema is
   */
  static Format format(String name, Optional<Fields> format, Optional<Fields> schemas) {
    String type = format.map(f -> f.string("type")).orElse("text");
    return switch (type) {
      case "text" -> Format.NONE;
      case "json_object" -> new Format.AnyJson();
      case "json_schema" ->
          new Format.Schema(
              schemas
                  .flatMap(s -> s.object("schema"))
                  .map(s -> Json.map(s.node()))
                  .orElseThrow(() ->
                      ApiException.badRequest(
                          "\"" + name + "\" is of type json_schema without a schema")));
      default ->
          throw ApiException.badRequest(
              "\"" + name + ".type\" is '" + type + "', expected text, json_object or json_schema");
    };
  }
}
