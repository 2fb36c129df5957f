package pelican.server.precision;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import pelican.compare.BlockView;
import pelican.gguf.GgufFile;
import pelican.server.http.ApiException;
import pelican.server.http.ErrorStyle;
import pelican.server.http.Exchange;
import pelican.server.http.Fields;
import pelican.server.http.Reply;
import pelican.server.http.Router;
import pelican.server.inference.Catalog;
import pelican.server.inference.CatalogEntry;

/**
 * What the precision page asks for: which tensors models share, and how each stores a block of one.
 * Files are only read; nothing is loaded for it.
 */
public final class PrecisionRoutes {
  /** More columns than that nobody can compare. */
  private static final int MAX_MODELS = 4;

  private final Catalog catalog;

  public PrecisionRoutes(Catalog catalog) {
    this.catalog = catalog;
  }

  public void addTo(Router router) {
    router.add("POST", "/api/precision/tensors", ErrorStyle.OLLAMA, this::tensors);
    router.add("POST", "/api/precision/block", ErrorStyle.OLLAMA, this::block);
  }

  private void tensors(Exchange exchange) {
    try (Files files = open(exchange.body())) {
      exchange.json(
          200,
          new Reply()
              .with("models", files.sources.stream().map(BlockView.Source::label).toList())
              .with("tensors", BlockView.choices(files.sources)));
    }
  }

  private void block(Exchange exchange) {
    Fields body = exchange.body();
    String tensor = body.string("tensor");
    OptionalInt block = body.integer("block");
    if (tensor.isEmpty()) {
      throw ApiException.badRequest("tensor is required");
    }
    if (block.isEmpty()) {
      throw ApiException.badRequest("block is required");
    }
    try (Files files = open(body)) {
      BlockView.Choice choice =
          BlockView.choices(files.sources).stream()
              .filter(each -> each.tensor().equals(tensor))
              .findFirst()
              .orElseThrow(() ->
                  new ApiException(
                      404,
                      "tensor '" + tensor + "' not found in the same shape in every model named"));
      int number = block.getAsInt();
      if (number < 0 || number >= choice.blocks()) {
        throw ApiException.badRequest(
            "block is %d, expected 0 to %d".formatted(number, choice.blocks() - 1));
      }
      exchange.json(200, BlockView.of(files.sources, tensor, number));
    }
  }

  /** Files that are open while a request is answered. */
  private static final class Files implements AutoCloseable {
    private final List<BlockView.Source> sources = new ArrayList<>();

    @Override
    public void close() {
      sources.forEach(source -> source.file().close());
    }
  }

  private Files open(Fields body) {
    List<String> words = body.strings("models");
    if (words.isEmpty() || words.size() > MAX_MODELS) {
      throw ApiException.badRequest(
          "models has %d elements, expected 1 to %d".formatted(words.size(), MAX_MODELS));
    }
    List<CatalogEntry> entries = words.stream().map(catalog::require).toList();
    if (entries.stream().map(CatalogEntry::fullName).distinct().count() < entries.size()) {
      throw ApiException.badRequest("models names one model twice, expected different ones");
    }
    Files files = new Files();
    try {
      for (CatalogEntry entry : entries) {
        files.sources.add(new BlockView.Source(entry.display(), GgufFile.open(entry.file())));
      }
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
    return files;
  }
}
