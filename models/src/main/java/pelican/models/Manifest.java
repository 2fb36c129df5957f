package pelican.models;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import pelican.engine.PelicanException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The manifest of a model: which blobs it is made of.
 *
 * @param bytes exactly as stored or served; their digest is the model's
 * @param config the blob with the model's description
 * @param layers the other blobs
 */
public record Manifest(byte[] bytes, Layer config, List<Layer> layers) {
  /** What layers of a model hold, after {@code application/vnd.ollama.image.}. */
  private static final String PREFIX = "application/vnd.ollama.image.";

  /** Four tebibytes: far above any model, and small enough that sums and plans stay exact. */
  private static final long MAX_SIZE = 1L << 42;

  private static final int MAX_LAYERS = 100_000;

  /**
   * A blob and what it is.
   *
   * @param mediaType its kind
   * @param digest of its content
   * @param size its bytes
   */
  public record Layer(String mediaType, Digest digest, long size) {
    /** Whether this is a layer of a kind: {@code model}, {@code params}, {@code system}… */
    public boolean is(String kind) {
      return mediaType.equals(PREFIX + kind);
    }
  }

  /**
   * Reads a manifest.
   *
   * @param source names it in messages
   * @throws PelicanException if it is none
   */
  public static Manifest parse(byte[] bytes, String source) {
    try {
      JsonNode json = JsonMapper.shared().readTree(bytes);
      if (!json.isObject() || !json.path("layers").isArray()) {
        throw new PelicanException(source + ": no manifest, expected an object with layers");
      }
      if (json.get("layers").size() > MAX_LAYERS) {
        throw new PelicanException(
            source + ": " + json.get("layers").size() + " layers, expected at most " + MAX_LAYERS);
      }
      List<Layer> layers = new ArrayList<>();
      for (JsonNode layer : json.get("layers")) {
        layers.add(layer(layer));
      }
      return new Manifest(bytes, layer(json.path("config")), List.copyOf(layers));
    } catch (JacksonException e) {
      throw new PelicanException(source + ": no manifest: " + e.getOriginalMessage(), e);
    }
  }

  private static Layer layer(JsonNode json) {
    JsonNode stated = json.path("size");
    long size = stated.isIntegralNumber() && stated.canConvertToLong() ? stated.asLong() : -1;
    if (size < 0 || size > MAX_SIZE) {
      throw new PelicanException(
          "a layer's size is " + stated + ", expected an integer from 0 to " + MAX_SIZE);
    }
    return new Layer(
        json.path("mediaType").asString(""), Digest.parse(json.path("digest").asString("")), size);
  }

  /** All blobs, the config last. */
  public List<Layer> blobs() {
    return Stream.concat(layers.stream(), Stream.of(config)).toList();
  }

  /** Bytes of all blobs. */
  public long size() {
    return blobs().stream().mapToLong(Layer::size).sum();
  }

  /** The digest that names this version of the model. */
  public Digest digest() {
    return Digest.of(bytes);
  }
}
