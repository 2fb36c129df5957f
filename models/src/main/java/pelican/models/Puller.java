package pelican.models;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Optional;
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

  private final OllamaStore store;
  private final Progress progress;

  public Puller(OllamaStore store, Progress progress) {
    this.store = store;
    this.progress = progress;
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
    try {
      progress.status("pulling manifest");
      byte[] bytes = registry.manifest();
      Manifest manifest = Manifest.parse(bytes, "the manifest of " + name);
      Files.createDirectories(store.root().resolve("blobs"));
      for (Manifest.Layer layer : manifest.blobs()) {
        if (Files.isRegularFile(store.blob(layer.digest()))) {
          progress.blob(layer.digest(), layer.size(), layer.size());
        } else {
          new BlobDownload(registry, store, layer, progress).run();
        }
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

  private static PelicanException failed(ModelName name, IOException e) {
    // The HTTP client gives no message where nobody listens, or the name is unknown.
    String message = e.getMessage() == null ? "no connection to " + name.host() : e.getMessage();
    return new PelicanException("cannot pull " + name + ": " + message, e);
  }
}
