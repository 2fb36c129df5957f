package pelican.models;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import pelican.engine.PelicanException;

/**
 * Ollama's models on disk, shared with it: {@code manifests/host/namespace/model/tag} and {@code
 * blobs/sha256-…}. What is written appears under its name only when it is complete, manifests last,
 * so that a model that is listed is whole whenever the process ends.
 */
public final class OllamaStore {
  private static final AtomicLong COUNTER = new AtomicLong();

  private final Path root;

  /**
   * @param root the folder of {@code manifests} and {@code blobs}; need not exist
   */
  public OllamaStore(Path root) {
    this.root = root;
  }

  /** The store of this user: where OLLAMA_MODELS says, in the home folder, or the service's. */
  public static OllamaStore locate() {
    String variable = System.getenv("OLLAMA_MODELS");
    if (variable != null && !variable.isBlank()) {
      return new OllamaStore(Path.of(unquoted(variable)));
    }
    Path own = Path.of(System.getProperty("user.home"), ".ollama", "models");
    Path service = Path.of("/usr/share/ollama/.ollama/models");
    boolean useService =
        !Files.isDirectory(own.resolve("manifests"))
            && Files.isReadable(service.resolve("manifests"));
    return new OllamaStore(useService ? service : own);
  }

  private static String unquoted(String value) {
    String text = value.strip();
    boolean quoted =
        text.length() > 1
            && (text.charAt(0) == '"' || text.charAt(0) == '\'')
            && text.charAt(text.length() - 1) == text.charAt(0);
    return quoted ? text.substring(1, text.length() - 1) : text;
  }

  /** The folder. */
  public Path root() {
    return root;
  }

  /** Where a blob is, whether it is there or not. */
  public Path blob(Digest digest) {
    return root.resolve("blobs").resolve(digest.fileName());
  }

  /** The digest that the name of a blob of this store states; empty for any other file. */
  Optional<Digest> digestOf(Path file) {
    boolean own = file.getParent() != null && file.getParent().equals(root.resolve("blobs"));
    String name = file.getFileName().toString();
    return own && name.matches("sha256-[0-9a-f]{64}")
        ? Optional.of(Digest.parse(name))
        : Optional.empty();
  }

  private Path manifests() {
    return root.resolve("manifests");
  }

  private Path manifestPath(ModelName name) {
    return manifests()
        .resolve(name.host())
        .resolve(name.namespace())
        .resolve(name.model())
        .resolve(name.tag());
  }

  /** All models, the most recently changed first. Damaged manifests are left out. */
  public List<StoredModel> list() {
    List<StoredModel> models = new ArrayList<>();
    for (Path file : manifestFiles()) {
      name(file).flatMap(name -> read(name, file)).ifPresent(models::add);
    }
    models.sort(Comparator.comparing(StoredModel::modified).reversed());
    return models;
  }

  private List<Path> manifestFiles() {
    if (!Files.isDirectory(manifests())) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(manifests(), 4)) {
      return files.filter(Files::isRegularFile).toList();
    } catch (IOException e) {
      throw new PelicanException(manifests() + ": " + e.getMessage(), e);
    }
  }

  private Optional<ModelName> name(Path file) {
    Path relative = manifests().relativize(file);
    if (relative.getNameCount() != 4) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new ModelName(
              relative.getName(0).toString(),
              relative.getName(1).toString(),
              relative.getName(2).toString(),
              relative.getName(3).toString()));
    } catch (PelicanException e) {
      return Optional.empty();
    }
  }

  private Optional<StoredModel> read(ModelName name, Path file) {
    try {
      Manifest manifest = Manifest.parse(Files.readAllBytes(file), file.toString());
      return Optional.of(
          new StoredModel(this, name, manifest, Files.getLastModifiedTime(file).toInstant()));
    } catch (IOException | PelicanException e) {
      return Optional.empty();
    }
  }

  /** A model by name, in the spelling that it has on disk. */
  public Optional<StoredModel> find(ModelName name) {
    Path exact = manifestPath(name);
    if (Files.isRegularFile(exact)) {
      return Optional.of(
          read(name, exact)
              .orElseThrow(() -> new PelicanException(exact + ": a damaged manifest")));
    }
    return list().stream().filter(model -> model.name().sameAs(name)).findFirst();
  }

  /**
   * Makes a model known under a name; its blobs must be there.
   *
   * @throws PelicanException if one is missing, or the store cannot be written
   */
  public void publish(ModelName name, byte[] manifest) {
    Manifest parsed = Manifest.parse(manifest, name.display());
    for (Manifest.Layer layer : parsed.blobs()) {
      if (!Files.isRegularFile(blob(layer.digest()))) {
        throw new PelicanException(
            name + " cannot be published: " + blob(layer.digest()) + " is missing");
      }
    }
    Path target = find(name).map(found -> manifestPath(found.name())).orElse(manifestPath(name));
    Path temporary = temporary();
    try {
      Files.createDirectories(target.getParent());
      Files.createDirectories(temporary.getParent());
      try {
        Files.write(temporary, manifest);
        force(temporary);
        Files.move(
            temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      throw new PelicanException("cannot write " + target + ": " + e.getMessage(), e);
    }
  }

  /**
   * A new name beside the blobs for what is being written. No digest or part of a download has such
   * a name, and Ollama clears files of such names away when they are an hour old.
   */
  Path temporary() {
    String unique =
        ProcessHandle.current().pid() + "-" + System.nanoTime() + "-" + COUNTER.incrementAndGet();
    return root.resolve("blobs").resolve("new-" + unique);
  }

  static void force(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  /**
   * Gives a model another name; its blobs are shared.
   *
   * @throws PelicanException if there is no such model
   */
  public void copy(ModelName from, ModelName to) {
    publish(to, require(from).manifest().bytes());
  }

  /**
   * Removes a model, and those of its blobs that no other model has.
   *
   * @throws PelicanException if there is no such model
   */
  public void remove(ModelName name) {
    StoredModel model = require(name);
    Path file = manifestPath(model.name());
    try {
      Files.delete(file);
      for (Path folder = file.getParent();
          !folder.equals(manifests());
          folder = folder.getParent()) {
        try {
          Files.delete(folder);
        } catch (DirectoryNotEmptyException e) {
          break;
        }
      }
      removeUnused(model.manifest());
    } catch (IOException e) {
      throw new PelicanException("cannot remove " + name + ": " + e.getMessage(), e);
    }
  }

  /** Removes those blobs of a manifest that no model in the store has. */
  void removeUnused(Manifest old) throws IOException {
    Set<Digest> used = new HashSet<>();
    for (Path file : manifestFiles()) {
      try {
        Manifest.parse(Files.readAllBytes(file), file.toString())
            .blobs()
            .forEach(layer -> used.add(layer.digest()));
      } catch (PelicanException | NoSuchFileException e) {
        // A manifest that cannot be read may need any blob: then none is removed.
        return;
      }
    }
    for (Manifest.Layer layer : old.blobs()) {
      if (!used.contains(layer.digest())) {
        Files.deleteIfExists(blob(layer.digest()));
      }
    }
  }

  private StoredModel require(ModelName name) {
    return find(name)
        .orElseThrow(() -> new PelicanException("model '" + name + "' not found in " + root));
  }

  /** Models whose names begin so, whatever the case. */
  public List<StoredModel> list(String prefix) {
    String wanted = prefix.toLowerCase(Locale.ROOT);
    return list().stream()
        .filter(model -> model.name().display().toLowerCase(Locale.ROOT).startsWith(wanted))
        .toList();
  }
}
