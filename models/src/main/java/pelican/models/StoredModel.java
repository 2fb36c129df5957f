package pelican.models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import pelican.chat.Message;
import pelican.engine.PelicanException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A model in Ollama's store.
 *
 * @param store where it is
 * @param name its name
 * @param manifest what it is made of
 * @param modified when it was last changed
 */
public record StoredModel(OllamaStore store, ModelName name, Manifest manifest, Instant modified) {
  /** Texts longer than this are no prompts or licences of a model. */
  private static final long MAX_TEXT = 16 << 20;

  /**
   * The GGUF file.
   *
   * @throws PelicanException if the model has none, or it is missing
   */
  public Path file() {
    Manifest.Layer layer =
        manifest.layers().stream()
            .filter(l -> l.is("model"))
            .reduce((first, last) -> last)
            .orElseThrow(() -> new PelicanException("model '" + name + "' has no GGUF layer"));
    Path file = store.blob(layer.digest());
    if (!Files.isRegularFile(file)) {
      throw new PelicanException("model '" + name + "' is incomplete: " + file + " is missing");
    }
    return file;
  }

  /** The config blob: family, parameter count, quantization and so on. */
  public JsonNode config() {
    return json(manifest.config().digest(), "config");
  }

  /** Generation parameters by name, each with its values. */
  public Map<String, List<String>> parameters() {
    Map<String, List<String>> parameters = new LinkedHashMap<>();
    for (Manifest.Layer layer : manifest.layers()) {
      if (layer.is("params")) {
        for (Map.Entry<String, JsonNode> entry : json(layer.digest(), "parameters").properties()) {
          List<String> values = new ArrayList<>();
          if (entry.getValue().isArray()) {
            entry.getValue().forEach(value -> values.add(value.asString()));
          } else {
            values.add(entry.getValue().asString());
          }
          parameters.put(entry.getKey(), values);
        }
      }
    }
    return parameters;
  }

  /** The generation parameters as the store has them, a copy. */
  ObjectNode parameterJson() {
    ObjectNode all = JsonMapper.shared().createObjectNode();
    for (Manifest.Layer layer : manifest.layers()) {
      if (layer.is("params")) {
        all.setAll((ObjectNode) json(layer.digest(), "parameters"));
      }
    }
    return all;
  }

  /** The system message. */
  public Optional<String> system() {
    return text("system");
  }

  /** The prompt template; Gemma 4 models are rendered by the engine whatever it says. */
  public Optional<String> template() {
    return text("template").or(() -> text("prompt"));
  }

  /** The licences, one after the other. */
  public Optional<String> license() {
    return text("license");
  }

  /**
   * What every conversation begins with, after the system message.
   *
   * @throws PelicanException if the store holds something else in their place
   */
  public List<Message> messages() {
    List<Message> messages = new ArrayList<>();
    for (Manifest.Layer layer : manifest.layers()) {
      if (layer.is("messages")) {
        JsonNode list = node(layer.digest(), "messages");
        for (JsonNode message : list) {
          String role = message.path("role").asString("");
          if (role.isEmpty()) {
            throw new PelicanException(
                store.blob(layer.digest()) + ": a message without a role, expected one");
          }
          messages.add(
              new Message(
                  role,
                  message.path("content").asString(""),
                  message.path("thinking").asString(""),
                  List.of(),
                  "",
                  ""));
        }
      }
    }
    return messages;
  }

  private Optional<String> text(String kind) {
    List<Manifest.Layer> layers = manifest.layers().stream().filter(l -> l.is(kind)).toList();
    return layers.isEmpty()
        ? Optional.empty()
        : Optional.of(
            layers.stream().map(l -> read(l.digest(), kind)).collect(Collectors.joining("\n")));
  }

  private JsonNode json(Digest digest, String kind) {
    JsonNode node = node(digest, kind);
    if (!node.isObject()) {
      throw new PelicanException(store.blob(digest) + ": no " + kind + ", expected an object");
    }
    return node;
  }

  private JsonNode node(Digest digest, String kind) {
    try {
      return JsonMapper.shared().readTree(read(digest, kind));
    } catch (JacksonException e) {
      throw new PelicanException(
          store.blob(digest) + ": no " + kind + ": " + e.getOriginalMessage(), e);
    }
  }

  private String read(Digest digest, String kind) {
    Path blob = store.blob(digest);
    try {
      if (Files.size(blob) > MAX_TEXT) {
        throw new PelicanException(blob + ": too large for a " + kind);
      }
      return Files.readString(blob);
    } catch (IOException e) {
      throw new PelicanException(blob + ": cannot read the " + kind + " of '" + name + "'", e);
    }
  }
}
