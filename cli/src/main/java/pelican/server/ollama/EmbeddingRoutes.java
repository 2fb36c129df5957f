package pelican.server.ollama;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pelican.server.http.ApiException;
import pelican.server.http.ErrorStyle;
import pelican.server.http.Exchange;
import pelican.server.http.Fields;
import pelican.server.http.Reply;
import pelican.server.http.Router;
import pelican.server.inference.Caller;
import pelican.server.inference.Catalog;
import pelican.server.inference.CatalogEntry;
import pelican.server.inference.Delta;
import pelican.server.inference.Inference;
import tools.jackson.databind.JsonNode;

/** {@code /api/embed} and the older {@code /api/embeddings}. */
public final class EmbeddingRoutes {
  private final Inference inference;

  public EmbeddingRoutes(Inference inference) {
    this.inference = inference;
  }

  public void addTo(Router router) {
    router.add("POST", "/api/embed", ErrorStyle.OLLAMA, this::embed);
    router.add("POST", "/api/embeddings", ErrorStyle.OLLAMA, this::embeddings);
  }

  /** Waits for an embedding, which comes in one piece. */
  public record Waiting(Exchange exchange) implements Caller {
    @Override
    public boolean gone() {
      return exchange.clientGone();
    }

    @Override
    public void accept(Delta delta) {
      throw new IllegalStateException("an embedding has no parts");
    }
  }

  /**
   * The model that is to embed.
   *
   * @throws ApiException of status 404 if there is no such model
   */
  public static CatalogEntry require(Catalog catalog, String word) {
    return catalog
        .find(word)
        .orElseThrow(
            () -> new ApiException(404, "model \"" + word + "\" not found, try pulling it first"));
  }

  private void embed(Exchange exchange) {
    Fields body = exchange.body();
    String model = body.string("model");
    if (model.isEmpty()) {
      throw new ApiException(404, "model '' not found");
    }
    List<String> texts = texts(body.get("input"));
    int dimensions = body.integer("dimensions").orElse(0);
    if (dimensions < 0) {
      throw ApiException.badRequest("dimensions is " + dimensions + ", expected 0 or more");
    }
    Inference.Embeddings embeddings =
        inference.embed(
            require(inference.catalog(), model),
            texts,
            body.bool("truncate", true),
            RequestReader.options(body),
            RequestReader.keepAlive(body),
            new Waiting(exchange));
    exchange.json(
        200,
        new Reply()
            .with("model", model)
            .with(
                "embeddings",
                embeddings.vectors().stream().map(v -> normalized(v, dimensions)).toList())
            .withUnlessEmpty("total_duration", embeddings.total())
            .withUnlessEmpty("load_duration", embeddings.load())
            .withUnlessEmpty("prompt_eval_count", embeddings.promptTokens()));
  }

  /**
   * The texts of an input; none for an empty string.
   *
   * @throws ApiException of status 400 if it is neither a string nor an array of strings
   */
  public static List<String> texts(Optional<JsonNode> input) {
    if (input.isEmpty() || input.get().isString() && input.get().asString().isEmpty()) {
      return List.of();
    }
    if (input.get().isString()) {
      return List.of(input.get().asString());
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode text : input.get()) {
      if (!text.isString()) {
        throw ApiException.badRequest("invalid input type");
      }
      texts.add(text.asString());
    }
    if (!input.get().isArray()) {
      throw ApiException.badRequest("invalid input type");
    }
    return texts;
  }

  /**
   * A vector of Euclidean length 1.
   *
   * @param dimensions how many of its first elements stay; 0 for all
   */
  public static float[] normalized(float[] vector, int dimensions) {
    int length = dimensions == 0 ? vector.length : Math.min(dimensions, vector.length);
    float[] result = Arrays.copyOf(vector, length);
    double squares = 0;
    for (float value : result) {
      squares += (double) value * value;
    }
    double scale = squares == 0 ? 0 : 1 / Math.sqrt(squares);
    for (int i = 0; i < length; i++) {
      result[i] = (float) (result[i] * scale);
    }
    return result;
  }

  private void embeddings(Exchange exchange) {
    Fields body = exchange.body();
    String model = body.string("model");
    if (model.isEmpty()) {
      throw ApiException.badRequest("model is required");
    }
    String prompt = body.string("prompt");
    Inference.Embeddings embeddings =
        inference.embed(
            require(inference.catalog(), model),
            prompt.isEmpty() ? List.of() : List.of(prompt),
            true,
            RequestReader.options(body),
            RequestReader.keepAlive(body),
            new Waiting(exchange));
    Object vector = embeddings.vectors().isEmpty() ? List.of() : embeddings.vectors().getFirst();
    exchange.json(200, Map.of("embedding", vector));
  }
}
