package pelican.server.openai;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import pelican.server.http.ApiException;
import pelican.server.http.Exchange;
import pelican.server.http.Fields;
import pelican.server.http.Json;
import pelican.server.http.Reply;
import pelican.server.http.Router;
import pelican.server.inference.Inference;
import pelican.server.inference.Options;
import pelican.server.ollama.EmbeddingRoutes;
import tools.jackson.databind.JsonNode;

/** {@code /v1/embeddings}. */
public final class VectorRoutes {
  private final Inference inference;

  public VectorRoutes(Inference inference) {
    this.inference = inference;
  }

  public void addTo(Router router) {
    router.add("POST", "/v1/embeddings", OpenAiErrors.STYLE, this::embed);
  }

  private void embed(Exchange exchange) {
    Fields body = exchange.body();
    String model = OpenAiRequests.model(body);
    Optional<JsonNode> input = body.get("input");
    if (input.isEmpty() || input.get().isArray() && input.get().isEmpty()) {
      throw ApiException.badRequest("invalid input");
    }
    String encoding = body.string("encoding_format", "float").toLowerCase(Locale.ROOT);
    if (!encoding.isEmpty() && !encoding.equals("float") && !encoding.equals("base64")) {
      throw ApiException.badRequest(
          "\"encoding_format\" is '" + encoding + "', expected float or base64");
    }
    int dimensions = body.integer("dimensions").orElse(0);
    if (dimensions < 0) {
      throw ApiException.badRequest(
          "\"dimensions\" is " + dimensions + ", expected 0 for all or a number of them");
    }
    Inference.Embeddings embeddings =
        inference.embed(
            EmbeddingRoutes.require(inference.catalog(), model),
            EmbeddingRoutes.texts(input),
            true,
            Options.NONE,
            Optional.empty(),
            new EmbeddingRoutes.Waiting(exchange));
    List<Object> data = new ArrayList<>();
    for (float[] vector : embeddings.vectors()) {
      float[] unit = EmbeddingRoutes.normalized(vector, dimensions);
      data.add(
          new Reply()
              .with("object", "embedding")
              .with("embedding", encoding.equals("base64") ? packed(unit) : unit)
              .with("index", data.size()));
    }
    Reply reply =
        new Reply()
            .with("object", "list")
            .with("data", data)
            .with("model", model)
            .with(
                "usage",
                new Reply()
                    .with("prompt_tokens", embeddings.promptTokens())
                    .with("total_tokens", embeddings.promptTokens()));
    exchange.send(200, "application/json", Json.bytes(reply));
  }

  private static String packed(float[] vector) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * vector.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
