package pelican.server.ollama;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import pelican.engine.PelicanException;
import pelican.models.Modelfile;
import pelican.models.Modelfile.Instruction;
import pelican.models.quantize.QuantizationMix;
import pelican.server.http.ApiException;
import pelican.server.http.Fields;
import tools.jackson.databind.JsonNode;

/**
 * What {@code /api/create} is asked for.
 *
 * @param model the name of the model to make
 * @param from the name of the model that it builds on; empty if it builds on a file
 * @param digest of the GGUF file that it builds on; empty if it builds on a model
 * @param recipe everything else
 * @param mix to quantize to, if any
 * @param stream whether each step is reported
 */
record CreateRequest(
    String model,
    String from,
    String digest,
    Modelfile recipe,
    Optional<QuantizationMix> mix,
    boolean stream) {
  private static final Set<String> ROLES = Set.of("system", "user", "assistant");

  /**
   * @throws ApiException of status 400 if it asks for what cannot be made
   */
  static CreateRequest of(Fields body) {
    String model = RequestReader.model(body);
    if (model.isEmpty()) {
      throw ApiException.badRequest("invalid model name");
    }
    if (body.has("adapters")) {
      throw ApiException.badRequest(
          "adapters are not supported, expected a model whose adapter is merged");
    }
    if (body.has("modelfile") || body.has("path")) {
      throw ApiException.badRequest(
          "modelfile and path are not supported, expected from or files and the other fields");
    }
    String from = body.string("from");
    String digest = file(body);
    if (from.isEmpty() && digest.isEmpty()) {
      throw ApiException.badRequest("neither 'from' or 'files' was specified");
    }
    if (!from.isEmpty() && !digest.isEmpty()) {
      throw ApiException.badRequest("both 'from' and 'files' were specified, expected one of them");
    }
    List<Instruction> recipe = new ArrayList<>();
    recipe.add(instruction("FROM", "", from.isEmpty() ? digest : from));
    for (String kind : List.of("template", "system", "renderer", "parser", "requires")) {
      String text = body.string(kind);
      if (!text.isEmpty()) {
        recipe.add(instruction(kind.toUpperCase(Locale.ROOT), "", text));
      }
    }
    for (String license : licenses(body)) {
      recipe.add(instruction("LICENSE", "", license));
    }
    addParameters(body, recipe);
    addMessages(body, recipe);
    return new CreateRequest(
        model,
        from,
        digest,
        new Modelfile(List.copyOf(recipe)),
        mix(body),
        body.bool("stream", true));
  }

  private static Instruction instruction(String command, String key, String value) {
    return new Instruction(command, key, value, 0);
  }

  /** The digest of the one file that may be given; empty if none is. */
  private static String file(Fields body) {
    Optional<Fields> files = body.object("files");
    if (files.isEmpty()) {
      return "";
    }
    String digest = "";
    for (Map.Entry<String, JsonNode> entry : files.get().node().properties()) {
      String name = entry.getKey();
      boolean inside =
          !name.startsWith("/") && !name.startsWith("\\") && !name.matches(".*(^|[/\\\\])\\.\\..*");
      if (!inside) {
        throw ApiException.badRequest("file path must be relative");
      }
      if (!entry.getValue().isString()) {
        throw ApiException.badRequest("\"files." + name + "\" is no string, expected a digest");
      }
      if (name.endsWith(".safetensors")) {
        throw ApiException.badRequest("safetensors are not supported, expected a GGUF file");
      }
      if (!digest.isEmpty()) {
        throw ApiException.badRequest(
            "files has " + files.get().node().size() + " files, expected one GGUF file");
      }
      digest = entry.getValue().asString();
    }
    if (digest.isEmpty()) {
      throw ApiException.badRequest("no files provided to convert");
    }
    return digest;
  }

  private static List<String> licenses(Fields body) {
    boolean one = body.get("license").map(JsonNode::isString).orElse(false);
    List<String> licenses = one ? List.of(body.string("license")) : body.strings("license");
    return licenses.stream().filter(text -> !text.isEmpty()).toList();
  }

  private static void addParameters(Fields body, List<Instruction> recipe) {
    Optional<Fields> parameters = body.object("parameters");
    if (parameters.isEmpty()) {
      return;
    }
    for (Map.Entry<String, JsonNode> entry : parameters.get().node().properties()) {
      List<JsonNode> values =
          entry.getValue().isArray()
              ? parameters.get().array(entry.getKey())
              : List.of(entry.getValue());
      for (JsonNode value : values) {
        if (value.isNull() && !entry.getValue().isArray()) {
          continue;
        }
        if (!value.isValueNode() || value.isNull()) {
          throw ApiException.badRequest(
              "\"parameters." + entry.getKey() + "\" is " + value + ", expected plain values");
        }
        recipe.add(instruction("PARAMETER", entry.getKey(), plain(value)));
      }
    }
  }

  /** Whole numbers without a fraction, however the client writes them. */
  private static String plain(JsonNode value) {
    if (!value.isNumber()) {
      return value.asString();
    }
    BigDecimal number = value.decimalValue();
    boolean whole = number.signum() == 0 || number.stripTrailingZeros().scale() <= 0;
    boolean small = number.precision() - (long) number.scale() < 20;
    return whole && small ? number.toBigInteger().toString() : number.toString();
  }

  private static void addMessages(Fields body, List<Instruction> recipe) {
    int index = 0;
    for (Fields message : body.objects("messages")) {
      String at = "\"messages[" + index++ + "]\" ";
      String role = message.string("role").toLowerCase(Locale.ROOT);
      if (!ROLES.contains(role)) {
        throw ApiException.badRequest(
            at + "has the role '" + role + "', expected system, user or assistant");
      }
      for (String part : List.of("images", "tool_calls", "thinking")) {
        if (message.has(part)) {
          throw ApiException.badRequest(at + "has " + part + ", expected role and content alone");
        }
      }
      recipe.add(instruction("MESSAGE", role, message.string("content")));
    }
  }

  private static Optional<QuantizationMix> mix(Fields body) {
    String name = body.string("quantize", body.string("quantization"));
    try {
      return name.isEmpty() ? Optional.empty() : Optional.of(QuantizationMix.named(name));
    } catch (PelicanException e) {
      throw ApiException.badRequest(e.getMessage());
    }
  }
}
