package pelican.models;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** Lays out models as Ollama does. */
final class Stores {
  private Stores() {}

  /** The manifest of a model with layers of some kinds. */
  static byte[] manifest(byte[] config, Map<String, byte[]> layers) {
    String list =
        layers.entrySet().stream()
            .map(e -> layer("application/vnd.ollama.image." + e.getKey(), e.getValue()))
            .collect(Collectors.joining(","));
    return ("{\"schemaVersion\":2,"
            + "\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\","
            + "\"config\":"
            + layer("application/vnd.docker.container.image.v1+json", config)
            + ",\"layers\":["
            + list
            + "]}")
        .getBytes(StandardCharsets.UTF_8);
  }

  private static String layer(String mediaType, byte[] content) {
    return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
        .formatted(mediaType, Digest.of(content), content.length);
  }

  static Map<String, byte[]> layers(String seed) {
    Map<String, byte[]> layers = new LinkedHashMap<>();
    layers.put("model", ("GGUF of " + seed).repeat(1000).getBytes(StandardCharsets.UTF_8));
    layers.put("license", "Do as you like.".getBytes(StandardCharsets.UTF_8));
    layers.put("system", ("You are " + seed + ".").getBytes(StandardCharsets.UTF_8));
    layers.put(
        "params",
        "{\"stop\":[\"<turn|>\"],\"temperature\":1,\"top_k\":64}".getBytes(StandardCharsets.UTF_8));
    return layers;
  }

  static byte[] config() {
    return "{\"model_format\":\"gguf\",\"model_family\":\"gemma4\",\"file_type\":\"Q4_K_M\"}"
        .getBytes(StandardCharsets.UTF_8);
  }

  /** Writes a model into a store by hand. */
  static void add(Path root, ModelName name, Map<String, byte[]> layers) {
    try {
      Path blobs = Files.createDirectories(root.resolve("blobs"));
      for (byte[] content : layers.values()) {
        Files.write(blobs.resolve(Digest.of(content).fileName()), content);
      }
      Files.write(blobs.resolve(Digest.of(config()).fileName()), config());
      Path manifest =
          root.resolve("manifests")
              .resolve(name.host())
              .resolve(name.namespace())
              .resolve(name.model())
              .resolve(name.tag());
      Files.createDirectories(manifest.getParent());
      Files.write(manifest, manifest(config(), layers));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
