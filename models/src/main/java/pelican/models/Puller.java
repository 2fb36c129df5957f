package pelican.models;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import pelican.engine.PelicanException;

/**
 * Fetches models from a registry into the store. What was fetched of a blob stays when a pull
 * breaks off, and the next pull goes on from there; a model appears when all of it is there and
 * checked.
 */
public final class Puller {
  /** Told how a pull goes on. */
  public interface Progress {
    /** The pull enters a phase: {@code pulling manifest}, {@code writing manifest}… */
    void status(String text);

    /** So many bytes of a blob are there. */
    void blob(Digest digest, long completed, long total);
  }

  /** Two downloads of one blob would write over each other: the second waits, and finds it. */
  private static final Map<Path, ReentrantLock> RUNNING = new ConcurrentHashMap<>();

  private final OllamaStore store;
  private final Progress progress;

  public Puller(OllamaStore store, Progress progress) {
    this.store = store;
    this.progress = progress;
  }

  /**
   * Pulls a model by what the user calls it. A scheme before the name does not choose plain http:
   * that has to be wanted.
   *
   * @param word the name with an optional scheme
   * @param name the same as a name, its alias resolved
   * @param insecure plain http instead of https
   * @throws PelicanException as {@link #pull(ModelName, boolean)}, and if the word says http
   */
  public StoredModel pull(String word, ModelName name, boolean insecure) {
    if (word.strip().regionMatches(true, 0, "http://", 0, "http://".length()) && !insecure) {
      progress.status("pulling manifest");
      throw new PelicanException("insecure protocol http");
    }
    return pull(name, insecure);
  }

  /**
   * Pulls a model.
   *
   * @param insecure plain http instead of https
   * @throws PelicanException if the registry does not have it, cannot be reached, or sends what
   *     does not have the digest that it promised
   */
  public StoredModel pull(ModelName name, boolean insecure) {
    RegistryClient registry = new RegistryClient(name, insecure);
    try (OllamaStore.Reservation reservation = store.reserve()) {
      progress.status("pulling manifest");
      byte[] bytes = registry.manifest();
      Manifest manifest = Manifest.parse(bytes, "the manifest of " + name);
      Files.createDirectories(store.root().resolve("blobs"));
      for (Manifest.Layer layer : manifest.blobs()) {
        reservation.add(layer.digest());
        fetch(registry, layer);
      }
      progress.status("writing manifest");
      Optional<StoredModel> old = store.find(name);
      store.publish(name, bytes);
      if (old.isPresent()) {
        progress.status("removing unused layers");
        store.removeUnused(old.get().manifest());
      }
      progress.status("success");
      return store.find(name).orElseThrow();
    } catch (UncheckedIOException e) {
      throw failed(name, e.getCause());
    } catch (IOException e) {
      throw failed(name, e);
    }
  }

  private void fetch(RegistryClient registry, Manifest.Layer layer) throws IOException {
    Path blob = store.blob(layer.digest());
    ReentrantLock one = RUNNING.computeIfAbsent(blob, path -> new ReentrantLock());
    one.lock();
    try {
      if (Files.isRegularFile(blob)) {
        progress.blob(layer.digest(), layer.size(), layer.size());
      } else {
        new BlobDownload(registry, store, layer, progress).run();
      }
    } finally {
      one.unlock();
    }
  }

  private static PelicanException failed(ModelName name, IOException e) {
    // The HTTP client gives no message where nobody listens, or the name is unknown.
    String message = e.getMessage() == null ? "no connection to " + name.host() : e.getMessage();
    return new PelicanException("cannot pull " + name + ": " + message, e);
  }
}
