package pelican.server.inference;

import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import pelican.models.DemoModel;
import pelican.models.ModelName;
import pelican.models.StoredModel;

/**
 * A model that can be served.
 *
 * @param name its full name
 * @param file its GGUF file
 * @param stored its entry in the store; empty for files that are not of the store
 * @param digest 64 hexadecimal digits that name this version
 * @param size bytes of all that belongs to it
 * @param modified when it was last changed
 * @param facts what the file says
 */
public record CatalogEntry(
    ModelName name,
    Path file,
    Optional<StoredModel> stored,
    String digest,
    long size,
    Instant modified,
    ModelFacts facts) {
  /** The name as clients see it: the shortest form, with the tag. */
  public String display() {
    return name.display();
  }

  /** The name with host and namespace. */
  public String fullName() {
    return name.host() + "/" + name.namespace() + "/" + name.model() + ":" + name.tag();
  }

  /** The namespace, as the owner of the model. */
  public String owner() {
    return name.namespace();
  }

  /**
   * What it can be used for. A Gemma 4 calls tools and thinks unless its entry names another
   * parser; the demo model was trained to do neither.
   */
  public Set<Capability> capabilities() {
    EnumSet<Capability> all = EnumSet.noneOf(Capability.class);
    all.add(facts.embeddingOnly() ? Capability.EMBEDDING : Capability.COMPLETION);
    boolean demo = facts.name().equals(DemoModel.GENERAL_NAME);
    if (demo || facts.embeddingOnly() || !facts.architecture().equals("gemma4")) {
      return all;
    }
    String parser = stored.map(m -> m.config().path("parser").asString("")).orElse("");
    if (parser.isEmpty() || parser.startsWith("gemma4")) {
      all.add(Capability.TOOLS);
      if (!parser.equals("gemma4-no-thinking")) {
        all.add(Capability.THINKING);
      }
    }
    return all;
  }

  /** The model's own options. */
  Options options() {
    return stored.map(model -> Options.ofModel(model.parameters())).orElse(Options.NONE);
  }
}
