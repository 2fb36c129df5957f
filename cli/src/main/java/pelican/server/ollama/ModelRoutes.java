package pelican.server.ollama;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pelican.chat.Message;
import pelican.engine.PelicanException;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufMetadata;
import pelican.models.Digest;
import pelican.models.ModelCreator;
import pelican.models.ModelName;
import pelican.models.ModelNotFoundException;
import pelican.models.ModelResolver;
import pelican.models.ModelfileText;
import pelican.models.Puller;
import pelican.models.StoredModel;
import pelican.server.http.ApiException;
import pelican.server.http.ErrorStyle;
import pelican.server.http.EventStream;
import pelican.server.http.Exchange;
import pelican.server.http.Fields;
import pelican.server.http.Json;
import pelican.server.http.Reply;
import pelican.server.http.Router;
import pelican.server.inference.Capability;
import pelican.server.inference.Catalog;
import pelican.server.inference.CatalogEntry;
import pelican.server.inference.Inference;
import pelican.server.inference.ModelFacts;
import pelican.server.inference.Scheduler;

/** The endpoints that list and manage models. */
public final class ModelRoutes {
  private static final Instant NEVER = Instant.parse("2318-01-01T00:00:00Z");

  private final Inference inference;
  private final Catalog catalog;
  private final String version;

  public ModelRoutes(Inference inference, String version) {
    this.inference = inference;
    this.catalog = inference.catalog();
    this.version = version;
  }

  public void addTo(Router router) {
    for (String method : List.of("GET", "HEAD")) {
      router.add(
          method,
          "/api/version",
          ErrorStyle.OLLAMA,
          exchange -> exchange.json(200, Map.of("version", version)));
      router.add(method, "/api/tags", ErrorStyle.OLLAMA, this::tags);
    }
    router.add("GET", "/api/ps", ErrorStyle.OLLAMA, this::ps);
    router.add(
        "GET",
        "/api/status",
        ErrorStyle.OLLAMA,
        exchange ->
            exchange.json(
                200, Map.of("cloud", new Reply().with("disabled", true).with("source", "config"))));
    router.add("POST", "/api/show", ErrorStyle.OLLAMA, this::show);
    router.add("POST", "/api/copy", ErrorStyle.OLLAMA, this::copy);
    router.add("DELETE", "/api/delete", ErrorStyle.OLLAMA, this::delete);
    router.add("POST", "/api/pull", ErrorStyle.OLLAMA, this::pull);
    for (String path : List.of("/api/me", "/api/signout")) {
      router.add(
          "POST",
          path,
          ErrorStyle.OLLAMA,
          exchange -> {
            throw new ApiException(501, path.substring(5) + " is not supported by this server");
          });
    }
  }

  private static String local(Instant time) {
    return time.atZone(ZoneId.systemDefault()).toOffsetDateTime().toString();
  }

  private void tags(Exchange exchange) {
    List<Object> models = new ArrayList<>();
    for (CatalogEntry entry : catalog.list()) {
      Reply details =
          details(entry)
              .withUnlessEmpty("context_length", entry.facts().contextLength())
              .withUnlessEmpty("embedding_length", entry.facts().embeddingLength());
      models.add(
          new Reply()
              .with("name", entry.display())
              .with("model", entry.display())
              .with("modified_at", local(entry.modified()))
              .with("size", entry.size())
              .with("digest", entry.digest())
              .with("details", details)
              .with("capabilities", capabilities(entry)));
    }
    exchange.json(200, Map.of("models", models));
  }

  private static List<String> capabilities(CatalogEntry entry) {
    return entry.capabilities().stream().map(Capability::text).toList();
  }

  private static Reply details(CatalogEntry entry) {
    ModelFacts facts = entry.facts();
    return new Reply()
        .with("parent_model", "")
        .with("format", "gguf")
        .with("family", facts.architecture())
        .with("families", List.of(facts.architecture()))
        .with("parameter_size", ModelFacts.count(facts.parameters()))
        .with("quantization_level", facts.quantization());
  }

  private void ps(Exchange exchange) {
    List<Object> models = new ArrayList<>();
    for (Scheduler.Running running : inference.scheduler().running()) {
      CatalogEntry entry = running.entry();
      Instant expires = running.expires() == null ? NEVER : running.expires();
      models.add(
          new Reply()
              .with("name", entry.display())
              .with("model", entry.display())
              .with("size", running.bytes())
              .with("digest", entry.digest())
              .with("details", details(entry))
              .with("expires_at", local(expires))
              .with("size_vram", 0)
              .with("context_length", running.contextLength()));
    }
    exchange.json(200, Map.of("models", models));
  }

  private void show(Exchange exchange) {
    Fields body = exchange.body();
    String word = RequestReader.model(body);
    if (word.isEmpty()) {
      throw ApiException.badRequest("model is required");
    }
    ModelName name = catalog.name(word);
    CatalogEntry entry =
        catalog
            .find(word)
            .orElseThrow(() -> new ApiException(404, "model '" + name.display() + "' not found"));
    boolean verbose = body.bool("verbose", false);
    Optional<StoredModel> stored = entry.stored();
    try (GgufFile file = GgufFile.open(entry.file())) {
      GgufMetadata metadata = file.metadata();
      Reply reply = new Reply();
      stored.flatMap(StoredModel::license).ifPresent(t -> reply.withUnlessEmpty("license", t));
      String parameters =
          stored.map(m -> ModelfileText.parameters(m, "").stripTrailing()).orElse("");
      String template =
          stored
              .flatMap(StoredModel::template)
              .orElse(metadata.string("tokenizer.chat_template", ""));
      String system =
          body.string("system").isEmpty()
              ? stored.flatMap(StoredModel::system).orElse("")
              : body.string("system");
      reply
          .with(
              "modelfile",
              ModelfileText.of(entry.display(), entry.file(), stored, template, system))
          .withUnlessEmpty("parameters", parameters)
          .withUnlessEmpty("template", template)
          .withUnlessEmpty("system", system)
          .with("details", details(entry))
          .withUnlessEmpty("messages", stored.map(ModelRoutes::messages).orElse(List.of()))
          .with("model_info", modelInfo(entry, metadata, verbose));
      if (verbose) {
        reply.with(
            "tensors",
            file.tensors().values().stream()
                .map(tensor ->
                    new Reply()
                        .with("name", tensor.name())
                        .with("type", tensor.type().toString())
                        .with("shape", tensor.dims()))
                .toList());
      }
      reply.with("capabilities", capabilities(entry)).with("modified_at", local(entry.modified()));
      exchange.json(200, reply);
    }
  }

  private static List<Object> messages(StoredModel stored) {
    List<Object> messages = new ArrayList<>();
    for (Message message : stored.messages()) {
      messages.add(
          new Reply()
              .with("role", message.role())
              .with("content", message.content())
              .withUnlessEmpty("thinking", message.thinking()));
    }
    return messages;
  }

  private static Map<String, Object> modelInfo(
      CatalogEntry entry, GgufMetadata metadata, boolean verbose) {
    Map<String, Object> info = new LinkedHashMap<>();
    for (String key : metadata.keys()) {
      if (!key.equals("general.name") && !key.equals("tokenizer.chat_template")) {
        Object value = metadata.get(key);
        boolean hidden = value instanceof List<?> list && !list.isEmpty() && !verbose;
        info.put(key, hidden ? null : value);
      }
    }
    info.put("general.parameter_count", entry.facts().parameters());
    return info;
  }

  private void copy(Exchange exchange) {
    Fields body = exchange.body();
    ModelName from = part(body, "source");
    ModelName to = part(body, "destination");
    if (catalog.store().find(from).isPresent()) {
      if (!from.sameAs(to)) {
        try {
          catalog.store().copy(from, to);
        } catch (ModelNotFoundException e) {
          // Removed by another client since.
          throw new ApiException(404, "model \"" + body.string("source") + "\" not found");
        }
      }
    } else {
      // One that the program carries, or a file with an alias: the store does not have it yet.
      String word = body.string("source");
      CatalogEntry entry =
          catalog
              .find(word)
              .orElseThrow(() -> new ApiException(404, "model \"" + word + "\" not found"));
      if (!from.sameAs(to)) {
        new ModelCreator(catalog.store(), new CreateRoutes.CreateProgress(exchange, null))
            .add(to, new ModelResolver.Resolved(word, entry.file(), entry.stored()));
      }
    }
    exchange.empty(200);
  }

  private ModelName part(Fields body, String field) {
    String word = body.string(field);
    return catalog
        .tryName(word)
        .orElseThrow(() -> ApiException.badRequest(field + " \"" + word + "\" is invalid"));
  }

  private void delete(Exchange exchange) {
    Fields body = exchange.body();
    String word = RequestReader.model(body);
    if (word.isEmpty()) {
      throw ApiException.badRequest("model is required");
    }
    ModelName name =
        catalog
            .tryName(word)
            .orElseThrow(() -> ApiException.badRequest("name \"" + word + "\" is invalid"));
    StoredModel model =
        catalog
            .store()
            .find(name)
            .orElseThrow(() -> new ApiException(404, "model '" + word + "' not found"));
    try {
      inference.scheduler().unload(model.file());
    } catch (PelicanException e) {
      // Its file is missing: no reason to keep the rest of it.
    }
    try {
      catalog.store().remove(model.name());
    } catch (ModelNotFoundException e) {
      // Another client was faster.
      throw new ApiException(404, "model '" + word + "' not found");
    }
    exchange.empty(200);
  }

  private void pull(Exchange exchange) {
    Fields body = exchange.body();
    String word = RequestReader.model(body);
    if (word.isEmpty()) {
      throw ApiException.badRequest("invalid model name");
    }
    ModelName name = catalog.name(word);
    boolean insecure = body.bool("insecure", false);
    EventStream stream = body.bool("stream", true) ? exchange.stream("application/x-ndjson") : null;
    new Puller(catalog.store(), new PullProgress(exchange, stream)).pull(word, name, insecure);
    if (stream == null) {
      exchange.send(200, "application/json", Json.bytes(Map.of("status", "success")));
    }
  }

  /** Lines of a pull's progress; ends it when nobody waits for it any more. */
  private static final class PullProgress implements Puller.Progress {
    private static final long PERIOD_NANOS = 60_000_000;

    private final Exchange exchange;
    private final EventStream stream;
    private Digest current;
    private long told;

    /**
     * @param stream null if only the end is told
     */
    PullProgress(Exchange exchange, EventStream stream) {
      this.exchange = exchange;
      this.stream = stream;
    }

    @Override
    public synchronized void status(String text) {
      if (stream != null) {
        stream.sendLine(Map.of("status", text));
      }
    }

    @Override
    public synchronized void blob(Digest digest, long completed, long total) {
      long now = System.nanoTime();
      boolean same = digest.equals(current);
      if (same && completed < total && now - told < PERIOD_NANOS) {
        return;
      }
      current = digest;
      told = now;
      if (stream != null) {
        stream.sendLine(
            new Reply()
                .with("status", "pulling " + digest.abbreviated())
                .with("digest", digest.toString())
                .with("total", total)
                .withUnlessEmpty("completed", completed));
      } else if (exchange.clientGone()) {
        throw new UncheckedIOException(new IOException("nobody waits for the model"));
      }
    }
  }
}
