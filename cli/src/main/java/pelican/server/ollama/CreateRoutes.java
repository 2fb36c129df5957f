package pelican.server.ollama;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Optional;
import pelican.engine.PelicanException;
import pelican.models.BlobUpload;
import pelican.models.Digest;
import pelican.models.ModelCreator;
import pelican.models.ModelName;
import pelican.models.ModelResolver;
import pelican.models.OllamaStore;
import pelican.models.StoredModel;
import pelican.server.http.ApiException;
import pelican.server.http.ErrorStyle;
import pelican.server.http.EventStream;
import pelican.server.http.Exchange;
import pelican.server.http.Fields;
import pelican.server.http.Json;
import pelican.server.http.Reply;
import pelican.server.http.Router;
import pelican.server.inference.Catalog;
import pelican.server.inference.CatalogEntry;

/** {@code /api/create}, the blobs that it may be given, and {@code /api/push}, which is refused. */
public final class CreateRoutes {
  private final Catalog catalog;
  private final OllamaStore store;

  public CreateRoutes(Catalog catalog) {
    this.catalog = catalog;
    store = catalog.store();
  }

  public void addTo(Router router) {
    router.add("POST", "/api/create", ErrorStyle.OLLAMA, this::create);
    router.add("HEAD", "/api/blobs/{digest}", ErrorStyle.OLLAMA, this::hasBlob);
    router.add("POST", "/api/blobs/{digest}", ErrorStyle.OLLAMA, this::upload);
    router.add("POST", "/api/push", ErrorStyle.OLLAMA, this::push);
  }

  private static Digest digest(String text) {
    try {
      return Digest.parse(text);
    } catch (PelicanException e) {
      throw ApiException.badRequest("invalid digest format");
    }
  }

  private void hasBlob(Exchange exchange) {
    exchange.empty(BlobUpload.isThere(store, digest(exchange.parameter("digest"))) ? 200 : 404);
  }

  private void upload(Exchange exchange) {
    Digest digest = digest(exchange.parameter("digest"));
    if (BlobUpload.isThere(store, digest)) {
      // A client that is still sending would not see the answer.
      exchange.readBlob((bytes, count) -> {});
      exchange.empty(200);
      return;
    }
    exchange.checkBlobSize();
    try (BlobUpload upload = new BlobUpload(store, digest, exchange.length())) {
      exchange.readBlob(upload::write);
      if (!upload.finish()) {
        throw ApiException.badRequest(
            "digest mismatch: what was sent is not the content of " + digest);
      }
    }
    exchange.empty(201);
  }

  private void create(Exchange exchange) {
    CreateRequest request = CreateRequest.of(exchange.body());
    ModelName name = catalog.name(request.model());
    ModelResolver.Resolved base =
        request.from().isEmpty() ? uploaded(request.digest()) : known(request.from());
    EventStream stream = request.stream() ? exchange.stream("application/x-ndjson") : null;
    CreateProgress progress = new CreateProgress(exchange, stream);
    try {
      new ModelCreator(store, progress).create(name, base, request.recipe(), request.mix());
    } catch (PelicanException e) {
      // What is no fault of the disk is one of the recipe or of the file that was sent.
      throw e.getCause() instanceof IOException ? e : ApiException.badRequest(e.getMessage());
    }
    progress.status("success");
    if (stream == null) {
      exchange.send(200, "application/json", Json.bytes(Map.of("status", "success")));
    }
  }

  /** Lines of the progress; ends the work when nobody waits for the model any more. */
  static final class CreateProgress implements ModelCreator.Progress {
    private static final long PERIOD_NANOS = 60_000_000;

    private final Exchange exchange;
    private final EventStream stream;
    private String current = "";
    private long told;

    /**
     * @param stream null if only the end is told
     */
    CreateProgress(Exchange exchange, EventStream stream) {
      this.exchange = exchange;
      this.stream = stream;
    }

    @Override
    public void status(String text) {
      checkClient();
      if (stream != null) {
        stream.sendLine(Map.of("status", text));
      }
    }

    @Override
    public void advance(String work, long completed, long total) {
      checkClient();
      long now = System.nanoTime();
      boolean same = work.equals(current);
      if (stream == null || same && completed < total && now - told < PERIOD_NANOS) {
        return;
      }
      current = work;
      told = now;
      stream.sendLine(
          new Reply().with("status", work).with("total", total).with("completed", completed));
    }

    private void checkClient() {
      if (exchange.clientGone()) {
        throw new UncheckedIOException(new IOException("nobody waits for the model"));
      }
    }
  }

  /** A client's word is a name, never a path: only what the catalog knows can be built on. */
  private ModelResolver.Resolved known(String from) {
    CatalogEntry entry = catalog.require(from);
    return new ModelResolver.Resolved(entry.display(), entry.file(), entry.stored());
  }

  private ModelResolver.Resolved uploaded(String text) {
    Digest digest = digest(text);
    if (!BlobUpload.isThere(store, digest)) {
      throw ApiException.badRequest(
          "blob " + digest + " is not here: send it to /api/blobs/" + digest + " first");
    }
    return new ModelResolver.Resolved(digest.toString(), store.blob(digest), Optional.empty());
  }

  private void push(Exchange exchange) {
    Fields body = exchange.body();
    String word = RequestReader.model(body);
    if (word.isEmpty()) {
      throw ApiException.badRequest("model is required");
    }
    Optional<StoredModel> model = store.find(catalog.name(word));
    if (model.isEmpty()) {
      throw new ApiException(404, "model '" + word + "' not found");
    }
    throw new ApiException(
        501, "push is not supported: this server publishes no models to registries");
  }
}
