package pelican.server.openai;

import java.util.List;
import pelican.server.http.Exchange;
import pelican.server.http.Reply;
import pelican.server.http.Router;
import pelican.server.inference.Catalog;
import pelican.server.inference.CatalogEntry;

/** {@code /v1/models} and {@code /v1/models/{model}}. */
public final class ModelListRoutes {
  private final Catalog catalog;

  public ModelListRoutes(Catalog catalog) {
    this.catalog = catalog;
  }

  public void addTo(Router router) {
    router.add("GET", "/v1/models", OpenAiErrors.STYLE, this::list);
    router.add("GET", "/v1/models/{model}", OpenAiErrors.STYLE, this::one);
  }

  private void list(Exchange exchange) {
    List<Reply> models =
        catalog.list().stream().map(entry -> described(entry.display(), entry)).toList();
    // Ollama's list of nothing is null, not an empty array.
    exchange.json(
        200, new Reply().with("object", "list").with("data", models.isEmpty() ? null : models));
  }

  private void one(Exchange exchange) {
    String id = exchange.parameter("model");
    exchange.json(200, described(id, catalog.require(id)));
  }

  private static Reply described(String id, CatalogEntry entry) {
    return new Reply()
        .with("id", id)
        .with("object", "model")
        .with("created", entry.modified().getEpochSecond())
        .with("owned_by", entry.owner());
  }
}
