package pelican.models;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import pelican.engine.PelicanException;

/**
 * A model's name as Ollama understands it: {@code [host/][namespace/]model[:tag]}.
 *
 * @param host of the registry
 * @param namespace of the owner
 * @param model its name
 * @param tag the variant
 */
public record ModelName(String host, String namespace, String model, String tag) {
  public static final String DEFAULT_HOST = "registry.ollama.ai";
  public static final String DEFAULT_NAMESPACE = "library";
  public static final String DEFAULT_TAG = "latest";

  private static final Pattern HOST = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}");
  private static final Pattern NAMESPACE = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_-]{0,79}");
  private static final Pattern PART = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}");

  /**
   * @throws PelicanException if a part is not valid, so that none ever leads out of a folder
   */
  public ModelName {
    boolean valid =
        HOST.matcher(host).matches()
            && NAMESPACE.matcher(namespace).matches()
            && PART.matcher(model).matches()
            && PART.matcher(tag).matches()
            && !host.contains("..");
    if (!valid) {
      throw new PelicanException(
          "'" + host + "/" + namespace + "/" + model + ":" + tag + "' is no valid model name");
    }
  }

  /**
   * Reads a name, with defaults for what it leaves out.
   *
   * @throws PelicanException if it is not valid
   */
  public static ModelName parse(String text) {
    String rest = text.strip();
    int scheme = rest.indexOf("://");
    if (scheme >= 0) {
      rest = rest.substring(scheme + 3);
    }
    String tag = DEFAULT_TAG;
    int colon = rest.lastIndexOf(':');
    if (colon > rest.lastIndexOf('/')) {
      tag = rest.substring(colon + 1);
      rest = rest.substring(0, colon);
    }
    List<String> parts = List.of(rest.split("/", -1));
    try {
      return switch (parts.size()) {
        case 1 -> new ModelName(DEFAULT_HOST, DEFAULT_NAMESPACE, parts.get(0), tag);
        case 2 -> new ModelName(DEFAULT_HOST, parts.get(0), parts.get(1), tag);
        case 3 -> new ModelName(parts.get(0), parts.get(1), parts.get(2), tag);
        default -> throw new PelicanException("");
      };
    } catch (PelicanException e) {
      throw new PelicanException(
          "'" + text + "' is no valid model name, expected [host/][namespace/]model[:tag]", e);
    }
  }

  /** The name if a text is one. */
  public static Optional<ModelName> tryParse(String text) {
    try {
      return Optional.of(parse(text));
    } catch (PelicanException e) {
      return Optional.empty();
    }
  }

  /** The shortest form that means the same, always with the tag. */
  public String display() {
    boolean plainHost = host.equalsIgnoreCase(DEFAULT_HOST);
    boolean plainNamespace = plainHost && namespace.equalsIgnoreCase(DEFAULT_NAMESPACE);
    return (plainHost ? "" : host + "/")
        + (plainNamespace ? "" : namespace + "/")
        + model
        + ":"
        + tag;
  }

  /** Whether two names mean the same model: case does not matter. */
  public boolean sameAs(ModelName other) {
    return key().equals(other.key());
  }

  private String key() {
    return (host + "/" + namespace + "/" + model + ":" + tag).toLowerCase(Locale.ROOT);
  }

  @Override
  public String toString() {
    return display();
  }
}
