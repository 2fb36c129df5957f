package pelican.models;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import pelican.engine.PelicanException;

/**
 * Ollama's models on disk, shared with it: {@code manifests/host/namespace/model/tag} and {@code
 * blobs/sha256-…}. What is written appears under its name only when it is complete, manifests last,
 * so that a model that is listed is whole whenever the process ends.
 */
public final class OllamaStore {
  private static final AtomicLong COUNTER = new AtomicLong();

  /** How often another process may take a new manifest's folder away before that is an error. */
  private static final int ATTEMPTS = 100;

  private final Path root;

  /** Held while models appear and disappear, so that a removal sees every other one's blobs. */
  private final Object changes = new Object();

  /** Blobs that operations in progress have promised to a model, with the number of them. */
  private final Map<Digest, Integer> reserved = new HashMap<>();

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
    List<Path> files = new ArrayList<>();
    try {
      Files.walkFileTree(
          manifests(),
          Set.of(),
          4,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              if (Files.isRegularFile(file)) {
                files.add(file);
              }
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
              if (e instanceof NoSuchFileException) {
                // Removed since its folder was listed.
                return FileVisitResult.CONTINUE;
              }
              throw e;
            }
          });
    } catch (IOException e) {
      throw new PelicanException(manifests() + ": " + e.getMessage(), e);
    }
    return files;
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
      Optional<StoredModel> model = read(name, exact);
      if (model.isPresent()) {
        return model;
      }
      if (Files.exists(exact)) {
        throw new PelicanException(exact + ": a damaged manifest");
      }
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
    synchronized (changes) {
      for (Manifest.Layer layer : parsed.blobs()) {
        if (!Files.isRegularFile(blob(layer.digest()))) {
          throw new PelicanException(
              name + " cannot be published: " + blob(layer.digest()) + " is missing");
        }
      }
      Path target = find(name).map(found -> manifestPath(found.name())).orElse(manifestPath(name));
      Path temporary = temporary();
      try {
        Files.createDirectories(temporary.getParent());
        try {
          Files.write(temporary, manifest);
          force(temporary);
          place(temporary, target);
        } finally {
          Files.deleteIfExists(temporary);
        }
      } catch (IOException e) {
        throw new PelicanException("cannot write " + target + ": " + e.getMessage(), e);
      }
    }
  }

  /** Moves a manifest to its name, though another process may remove a folder without models. */
  private static void place(Path temporary, Path target) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        Files.createDirectories(target.getParent());
        Files.move(
            temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        return;
      } catch (NoSuchFileException | FileAlreadyExistsException e) {
        // The latter is createDirectories' word for a folder that was there and is gone.
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /** Keeps blobs that are to be published, until it is closed, whichever models are removed. */
  final class Reservation implements AutoCloseable {
    private final List<Digest> digests = new ArrayList<>();

    private Reservation() {}

    /** From here on a blob that is there stays there. */
    void add(Digest digest) {
      synchronized (changes) {
        digests.add(digest);
        reserved.merge(digest, 1, Integer::sum);
      }
    }

    @Override
    public void close() {
      synchronized (changes) {
        for (Digest digest : digests) {
          reserved.merge(digest, -1, (old, less) -> old == 1 ? null : old + less);
        }
        digests.clear();
      }
    }
  }

  Reservation reserve() {
    return new Reservation();
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
   * @throws ModelNotFoundException if there is no such model
   * @throws PelicanException if the store cannot be written
   */
  public void copy(ModelName from, ModelName to) {
    synchronized (changes) {
      publish(to, require(from).manifest().bytes());
    }
  }

  /**
   * Removes a model, and those of its blobs that no other model has.
   *
   * @throws ModelNotFoundException if there is no such model
   * @throws PelicanException if the store cannot be written
   */
  public void remove(ModelName name) {
    synchronized (changes) {
      StoredModel model = require(name);
      Path file = manifestPath(model.name());
      try {
        Files.deleteIfExists(file);
        removeEmpty(file.getParent());
        removeUnused(model.manifest());
      } catch (IOException e) {
        throw new PelicanException("cannot remove " + name + ": " + e.getMessage(), e);
      }
    }
  }

  private void removeEmpty(Path deepest) throws IOException {
    for (Path folder = deepest; !folder.equals(manifests()); folder = folder.getParent()) {
      try {
        Files.deleteIfExists(folder);
      } catch (DirectoryNotEmptyException e) {
        return;
      }
    }
  }

  /** Removes those blobs of a manifest that no model in the store has, or is about to have. */
  void removeUnused(Manifest old) throws IOException {
    synchronized (changes) {
      Set<Digest> used = new HashSet<>(reserved.keySet());
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
  }

  private StoredModel require(ModelName name) {
    return find(name).orElseThrow(() -> new ModelNotFoundException(name, root));
  }

  /** Models whose names begin so, whatever the case. */
  public List<StoredModel> list(String prefix) {
    String wanted = prefix.toLowerCase(Locale.ROOT);
    return list().stream()
        .filter(model -> model.name().display().toLowerCase(Locale.ROOT).startsWith(wanted))
        .toList();
  }
}
