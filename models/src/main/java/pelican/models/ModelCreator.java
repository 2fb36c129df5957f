package pelican.models;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import pelican.engine.PelicanException;
import pelican.gguf.FileType;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufMetadata;
import pelican.models.quantize.QuantizationMix;
import pelican.models.quantize.Quantizer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Makes models in Ollama's store from Modelfiles, one after the other. Blobs get their names when
 * they are complete, the manifest comes last: a process that is killed leaves at most blobs that no
 * model has.
 */
public final class ModelCreator {
  private static final String LAYER = "application/vnd.ollama.image.";
  private static final String CONFIG = "application/vnd.docker.container.image.v1+json";
  private static final String MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";

  private static final int BUFFER = 1 << 20;

  /** Is told how far the work has come. What it throws ends the work, of which nothing is left. */
  @FunctionalInterface
  public interface Progress {
    /** Called for each layer and for the manifest, with what {@code /api/create} says of them. */
    void status(String text);

    /**
     * Called again and again while weights are read, copied or quantized.
     *
     * @param work what is being done
     * @param completed bytes of the source that are done
     * @param total its bytes
     */
    default void advance(String work, long completed, long total) {}
  }

  private final OllamaStore store;
  private final OllamaStore.Reservation reservation;
  private final Progress progress;

  /**
   * @param store where models are written
   */
  public ModelCreator(OllamaStore store, Progress progress) {
    this.store = store;
    this.reservation = store.reserve();
    this.progress = progress;
  }

  /**
   * Finds what a recipe builds on, as the user of this machine means it: a path or a name. Not for
   * recipes of others, whose paths would lead anywhere.
   *
   * @param folder where relative paths in {@code FROM} begin
   * @throws PelicanException if there is no such model
   */
  public static ModelResolver.Resolved base(Modelfile recipe, Path folder, ModelResolver resolver) {
    return resolver.resolve(relativeTo(folder, recipe.from()));
  }

  /**
   * Makes a model; one of the same name is replaced.
   *
   * @param base what it builds on, whatever the recipe's {@code FROM} says
   * @param mix to quantize to, if any
   * @throws PelicanException if the recipe cannot be followed; the store's models stay as they were
   */
  public StoredModel create(
      ModelName name,
      ModelResolver.Resolved base,
      Modelfile recipe,
      Optional<QuantizationMix> mix) {
    // What is wrong with the recipe is told before anything of the weights is copied.
    ObjectNode parameters = parameters(recipe, base.stored());
    try (reservation) {
      Files.createDirectories(store.root().resolve("blobs"));
      List<Manifest.Layer> layers = new ArrayList<>();
      layers.add(weights(base.file(), mix));
      base.stored().ifPresent(model -> inherit(model, recipe, layers));
      addTexts(recipe, layers);
      if (!parameters.isEmpty()) {
        layers.add(text(LAYER + "params", parameters.toString()));
      }
      addMessages(recipe, layers);
      Manifest.Layer config = text(CONFIG, config(recipe, base.stored(), layers));
      progress.status("writing manifest");
      Optional<StoredModel> old = store.find(name);
      store.publish(name, manifest(config, layers));
      if (old.isPresent()) {
        store.removeUnused(old.get().manifest());
      }
      return store.find(name).orElseThrow();
    } catch (NoSuchFileException e) {
      throw new PelicanException(
          "cannot create " + name + ": " + e.getFile() + ": no such file", e);
    } catch (IOException e) {
      throw new PelicanException("cannot create " + name + ": " + e.getMessage(), e);
    }
  }

  /**
   * Puts a model under a name into the store as it is, as one that is only a file there.
   *
   * @throws PelicanException if that cannot be done; the store's models stay as they were
   */
  public StoredModel add(ModelName name, ModelResolver.Resolved model) {
    return create(name, model, new Modelfile(List.of()), Optional.empty());
  }

  private static String relativeTo(Path folder, String from) {
    if (from.startsWith("./") || from.startsWith("../") || from.endsWith(".gguf")) {
      return folder.resolve(from).normalize().toAbsolutePath().toString();
    }
    return from;
  }

  private Manifest.Layer weights(Path file, Optional<QuantizationMix> mix) throws IOException {
    if (mix.isEmpty()) {
      // Opening it checks that it is a GGUF before any of it is copied.
      GgufFile.open(file).close();
      Optional<Digest> known = store.digestOf(file);
      Digest digest = known.isPresent() ? known.get() : read(file, "reading model", null);
      Path blob = store.blob(digest);
      if (!isThere(digest, Files.size(file))) {
        Path temporary = store.temporary();
        try {
          try (OutputStream out = Files.newOutputStream(temporary, StandardOpenOption.CREATE_NEW)) {
            if (!read(file, "copying model", out).equals(digest)) {
              throw new PelicanException(file + " changed while it was copied");
            }
          }
          settle(temporary, blob);
        } finally {
          Files.deleteIfExists(temporary);
        }
      }
      return new Manifest.Layer(LAYER + "model", digest, Files.size(blob));
    }
    Path temporary = store.temporary();
    try {
      String work = "quantizing to " + mix.get();
      progress.status(work);
      long source = Files.size(file);
      new Quantizer(file, temporary, mix.get())
          .progress((tensor, done, total) ->
              progress.advance(work, Math.round((double) done / total * source), source))
          .run();
      Digest digest = read(temporary, "reading quantized model", null);
      long size = Files.size(temporary);
      progress.status("creating new layer " + digest);
      reservation.add(digest);
      settle(temporary, store.blob(digest));
      return new Manifest.Layer(LAYER + "model", digest, size);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /**
   * The digest of a file.
   *
   * @param out gets its content, if not null
   */
  private Digest read(Path file, String work, OutputStream out) throws IOException {
    MessageDigest sha = Digest.sha256();
    byte[] buffer = new byte[BUFFER];
    long total = Files.size(file);
    long completed = 0;
    try (InputStream in = Files.newInputStream(file)) {
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        sha.update(buffer, 0, count);
        if (out != null) {
          out.write(buffer, 0, count);
        }
        completed += count;
        progress.advance(work, completed, total);
      }
    }
    return new Digest(HexFormat.of().formatHex(sha.digest()));
  }

  private static void settle(Path temporary, Path blob) throws IOException {
    OllamaStore.force(temporary);
    Files.move(
        temporary, blob, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private boolean isThere(Digest digest, long size) throws IOException {
    reservation.add(digest);
    Path blob = store.blob(digest);
    boolean there = Files.isRegularFile(blob) && Files.size(blob) == size;
    if (there) {
      // A blob without a model counts from now, so that Ollama leaves it for the coming manifest.
      Files.setLastModifiedTime(blob, FileTime.from(Instant.now()));
    }
    progress.status((there ? "using existing layer " : "creating new layer ") + digest);
    return there;
  }

  private Manifest.Layer text(String mediaType, String content) throws IOException {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    Digest digest = Digest.of(bytes);
    Path blob = store.blob(digest);
    if (!isThere(digest, bytes.length)) {
      Path temporary = store.temporary();
      try {
        Files.write(temporary, bytes);
        settle(temporary, blob);
      } finally {
        Files.deleteIfExists(temporary);
      }
    }
    return new Manifest.Layer(mediaType, digest, bytes.length);
  }

  private void inherit(StoredModel model, Modelfile recipe, List<Manifest.Layer> layers) {
    for (Manifest.Layer layer : model.manifest().layers()) {
      boolean replaced =
          layer.is("model")
              || layer.is("params")
              || (layer.is("system") && !recipe.values("SYSTEM").isEmpty())
              || ((layer.is("template") || layer.is("prompt"))
                  && !recipe.values("TEMPLATE").isEmpty())
              || (layer.is("messages") && !recipe.values("MESSAGE").isEmpty());
      if (!replaced) {
        reservation.add(layer.digest());
        progress.status("using existing layer " + layer.digest());
        layers.add(layer);
      }
    }
  }

  private void addTexts(Modelfile recipe, List<Manifest.Layer> layers) throws IOException {
    for (String kind : List.of("TEMPLATE", "SYSTEM")) {
      List<String> values = recipe.values(kind);
      if (!values.isEmpty() && !values.getLast().isEmpty()) {
        layers.add(text(LAYER + kind.toLowerCase(Locale.ROOT), values.getLast()));
      }
    }
    for (String license : recipe.values("LICENSE")) {
      Manifest.Layer layer = text(LAYER + "license", license);
      if (!layers.contains(layer)) {
        layers.add(layer);
      }
    }
  }

  private static ObjectNode parameters(Modelfile recipe, Optional<StoredModel> base) {
    ObjectNode parameters = base.map(StoredModel::parameterJson).orElseGet(ModelCreator::object);
    Set<String> seen = new HashSet<>();
    for (Modelfile.Instruction instruction : recipe.instructions()) {
      if (instruction.command().equals("PARAMETER")) {
        try {
          ModelParameters.set(
              parameters, instruction.key(), instruction.value(), !seen.add(instruction.key()));
        } catch (PelicanException e) {
          String where = instruction.line() == 0 ? "" : "line " + instruction.line() + ": ";
          throw new PelicanException(where + e.getMessage(), e);
        }
      }
    }
    return parameters;
  }

  private void addMessages(Modelfile recipe, List<Manifest.Layer> layers) throws IOException {
    ArrayNode messages = JsonMapper.shared().createArrayNode();
    for (Modelfile.Instruction instruction : recipe.instructions()) {
      if (instruction.command().equals("MESSAGE")) {
        messages.addObject().put("role", instruction.key()).put("content", instruction.value());
      }
    }
    if (!messages.isEmpty()) {
      layers.add(text(LAYER + "messages", messages.toString()));
    }
  }

  private String config(Modelfile recipe, Optional<StoredModel> base, List<Manifest.Layer> layers) {
    ObjectNode config =
        base.map(model -> (ObjectNode) model.config().deepCopy()).orElseGet(ModelCreator::object);
    try (GgufFile file = GgufFile.open(store.blob(layers.getFirst().digest()))) {
      GgufMetadata metadata = file.metadata();
      String family = metadata.string("general.architecture");
      config.put("model_format", "gguf").put("model_family", family);
      config.putArray("model_families").add(family);
      long weights = file.tensors().values().stream().mapToLong(t -> t.columns() * t.rows()).sum();
      config.put("model_type", people(weights)).put("file_type", FileType.label(metadata));
      if (family.equals("gemma4")) {
        addGemma(config, metadata);
      }
    }
    for (String key : List.of("RENDERER", "PARSER", "REQUIRES")) {
      recipe.values(key).forEach(v -> config.put(key.toLowerCase(Locale.ROOT), v));
    }
    config.put("architecture", "amd64").put("os", "linux");
    ArrayNode digests = config.putObject("rootfs").put("type", "layers").putArray("diff_ids");
    layers.forEach(layer -> digests.add(layer.digest().toString()));
    return config.toString();
  }

  /**
   * Names the form of prompts and answers, which Ollama does not know from the file alone. The demo
   * model was trained neither to think nor to call tools.
   */
  private static void addGemma(ObjectNode config, GgufMetadata metadata) {
    if (!config.has("renderer")) {
      config.put("renderer", "gemma4");
    }
    if (!config.has("parser")) {
      boolean demo = metadata.string("general.name", "").equals(DemoModel.GENERAL_NAME);
      config.put("parser", demo ? "passthrough" : "gemma4");
    }
  }

  /** A number of weights as Ollama writes it. */
  static String people(long count) {
    if (count >= 1_000_000_000) {
      return decimal(count, 1_000_000_000, 1) + "B";
    }
    if (count >= 1_000_000) {
      return decimal(count, 1_000_000, 2) + "M";
    }
    return count >= 1_000 ? Math.round(count / 1e3) + "K" : Long.toString(count);
  }

  private static String decimal(long count, long unit, int places) {
    return count % unit == 0
        ? Long.toString(count / unit)
        : String.format(Locale.ROOT, "%." + places + "f", (double) count / unit);
  }

  private static byte[] manifest(Manifest.Layer config, List<Manifest.Layer> layers) {
    ObjectNode manifest = object().put("schemaVersion", 2).put("mediaType", MANIFEST);
    describe(manifest.putObject("config"), config);
    ArrayNode list = manifest.putArray("layers");
    layers.forEach(layer -> describe(list.addObject(), layer));
    return manifest.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void describe(ObjectNode node, Manifest.Layer layer) {
    node.put("mediaType", layer.mediaType())
        .put("digest", layer.digest().toString())
        .put("size", layer.size());
  }

  private static ObjectNode object() {
    return JsonMapper.shared().createObjectNode();
  }
}
