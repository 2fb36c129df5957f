package pelican.server.inference;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import pelican.engine.PelicanException;
import pelican.models.Aliases;
import pelican.models.DemoModel;
import pelican.models.Digest;
import pelican.models.ModelName;
import pelican.models.OllamaStore;
import pelican.models.StoredModel;
import pelican.server.http.ApiException;
import tools.jackson.databind.JsonNode;

/**
 * The models that clients may name: those of the store, files that the user of this machine gave an
 * alias, and the ones that the program carries. A client's word is a name or an alias and never a
 * path.
 */
public final class Catalog {
  private final OllamaStore store;
  private final Aliases aliases;
  private final boolean demo;

  /** Reading a file's header takes a while; a file that changes gets another key. */
  private final Map<String, ModelFacts> facts = new ConcurrentHashMap<>();

  /**
   * @param demo whether the model that the program carries is served too
   */
  public Catalog(OllamaStore store, Aliases aliases, boolean demo) {
    this.store = store;
    this.aliases = aliases;
    this.demo = demo;
  }

  public OllamaStore store() {
    return store;
  }

  /**
   * The name that a client's word means.
   *
   * @throws ApiException of status 400 if it is none
   */
  public ModelName name(String word) {
    String lower = word.toLowerCase(Locale.ROOT);
    if (lower.endsWith(":cloud") || lower.endsWith("-cloud") || lower.endsWith(":local")) {
      return sourced(word, lower);
    }
    return tryName(word).orElseThrow(() -> ApiException.badRequest("invalid model name"));
  }

  /** The name that a word or the alias that it is means, if it is one. */
  public Optional<ModelName> tryName(String word) {
    return ModelName.tryParse(aliases.target(word).orElse(word));
  }

  /** A name that says where the model is to run: here it is always local. */
  private ModelName sourced(String word, String lower) {
    if (lower.endsWith(":local")) {
      String rest = word.substring(0, word.length() - ":local".length());
      String before = rest.toLowerCase(Locale.ROOT);
      if (before.endsWith(":cloud") || before.endsWith("-cloud")) {
        throw ApiException.badRequest("use either :local or :cloud, not both");
      }
      return name(rest);
    }
    if (lower.endsWith(":local:cloud") || lower.endsWith(":local-cloud")) {
      throw ApiException.badRequest("use either :local or :cloud, not both");
    }
    if (lower.lastIndexOf(':') < lower.lastIndexOf('/') || lower.indexOf(':') < 0) {
      return ModelName.tryParse(word)
          .orElseThrow(() -> ApiException.badRequest("invalid model name"));
    }
    throw new ApiException(404, "model '" + word + "' not found");
  }

  /**
   * A model that a client named.
   *
   * @throws ApiException of status 400 if the word is no name, of 404 if there is no such model
   */
  public CatalogEntry require(String word) {
    return find(word).orElseThrow(() -> new ApiException(404, "model '" + word + "' not found"));
  }

  /**
   * A model that a client named, if it is there.
   *
   * @throws ApiException of status 400 if the word is no name
   */
  public Optional<CatalogEntry> find(String word) {
    Optional<CatalogEntry> aliased = aliasedFile(word);
    if (aliased.isPresent()) {
      return aliased;
    }
    ModelName name = name(word);
    Optional<CatalogEntry> stored = stored(name);
    if (stored.isPresent() || !demo) {
      return stored;
    }
    return demoEntries().stream().filter(entry -> entry.name().sameAs(name)).findFirst();
  }

  private Optional<CatalogEntry> stored(ModelName name) {
    Optional<StoredModel> model = store.find(name);
    try {
      return model.map(this::entry);
    } catch (PelicanException e) {
      if (store.find(name).isEmpty()) {
        // Removed while its blobs were read.
        return Optional.empty();
      }
      throw e;
    }
  }

  /** The file that an alias stands for; only this machine's user makes aliases. */
  private Optional<CatalogEntry> aliasedFile(String word) {
    Optional<Path> file = aliases.file(word);
    Optional<ModelName> name = file.flatMap(path -> ModelName.tryParse(word));
    if (name.isEmpty() || !Files.isRegularFile(file.get())) {
      return Optional.empty();
    }
    Instant modified = modified(file.get());
    ModelFacts facts = facts(file.get());
    // To digest the whole file would take minutes; this names its version as well.
    String version = file.get() + "\n" + facts.bytes() + "\n" + modified;
    return Optional.of(
        new CatalogEntry(
            name.get(),
            file.get(),
            Optional.empty(),
            Digest.of(version.getBytes(StandardCharsets.UTF_8)).hex(),
            facts.bytes(),
            modified,
            facts));
  }

  /** All models, the most recently changed first, the carried ones last. */
  public List<CatalogEntry> list() {
    List<CatalogEntry> entries = new ArrayList<>();
    for (StoredModel model : store.list()) {
      try {
        entries.add(entry(model));
      } catch (PelicanException e) {
        // Not a model that could be run: no GGUF file, or a damaged one.
        continue;
      }
    }
    for (String alias : aliases.all().keySet()) {
      try {
        aliasedFile(alias).ifPresent(entries::add);
      } catch (PelicanException e) {
        // As above.
        continue;
      }
    }
    entries.sort(Comparator.comparing(CatalogEntry::modified).reversed());
    if (demo) {
      for (CatalogEntry entry : demoEntries()) {
        if (entries.stream().noneMatch(stored -> stored.name().sameAs(entry.name()))) {
          entries.add(entry);
        }
      }
    }
    return entries;
  }

  /**
   * @throws ApiException if it is not of a kind that runs here
   */
  private CatalogEntry entry(StoredModel model) {
    JsonNode config = model.config();
    if (!config.path("remote_host").asString("").isEmpty()) {
      throw new ApiException(
          403, "cloud is disabled: '" + model.name() + "' would run on another machine");
    }
    for (JsonNode capability : config.path("capabilities")) {
      if (capability.asString("").equals("image")) {
        throw ApiException.badRequest("image generation models are not currently supported");
      }
    }
    Path file = model.file();
    return new CatalogEntry(
        model.name(),
        file,
        Optional.of(model),
        model.manifest().digest().hex(),
        model.manifest().size(),
        model.modified(),
        facts(file));
  }

  private List<CatalogEntry> demoEntries() {
    return DemoModel.names().stream()
        .map(name -> demoEntry(name, DemoModel.byName(name).orElseThrow()))
        .toList();
  }

  private CatalogEntry demoEntry(String name, DemoModel model) {
    Path file = unpacked.computeIfAbsent(model, DemoModel::unpack);
    ModelFacts facts = facts(file);
    return new CatalogEntry(
        ModelName.parse(name),
        file,
        Optional.empty(),
        model.digest(),
        facts.bytes(),
        modified(file),
        facts);
  }

  private final Map<DemoModel, Path> unpacked = new ConcurrentHashMap<>();

  private static Instant modified(Path file) {
    try {
      return Files.getLastModifiedTime(file).toInstant();
    } catch (IOException e) {
      throw new PelicanException(file + ": " + e.getMessage(), e);
    }
  }

  private ModelFacts facts(Path file) {
    String key = file + "@" + modified(file).toEpochMilli();
    return facts.computeIfAbsent(key, k -> ModelFacts.read(file));
  }
}
