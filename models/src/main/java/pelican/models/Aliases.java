package pelican.models;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import pelican.engine.PelicanException;

/**
 * Short names for models: the built-in ones and those of the user's {@code aliases.properties},
 * lines of {@code alias = name or path}.
 */
public final class Aliases {
  private static final Map<String, String> BUILT_IN =
      Map.of("q4", "batiai/gemma4-e2b:q4", "q6", "batiai/gemma4-e2b:q6");

  private final Map<String, String> targets = new TreeMap<>(BUILT_IN);

  /**
   * @param file the user's aliases; need not exist
   * @throws PelicanException if it cannot be read
   */
  public Aliases(Path file) {
    if (!Files.exists(file)) {
      return;
    }
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    } catch (IOException | IllegalArgumentException e) {
      throw new PelicanException(file + ": cannot read aliases: " + e.getMessage(), e);
    }
    properties.forEach((alias, target) ->
        targets.put(alias.toString().toLowerCase(Locale.ROOT), target.toString().strip()));
  }

  /** The aliases of this user. */
  public static Aliases ofUser() {
    String config = System.getenv("XDG_CONFIG_HOME");
    Path folder =
        config != null && !config.isBlank()
            ? Path.of(config)
            : Path.of(System.getProperty("user.home"), ".config");
    return new Aliases(folder.resolve("pelican").resolve("aliases.properties"));
  }

  /** What an alias stands for. */
  public Optional<String> target(String alias) {
    return Optional.ofNullable(targets.get(alias.toLowerCase(Locale.ROOT)));
  }

  /** The file that an alias stands for, if it stands for one. */
  public Optional<Path> file(String alias) {
    return target(alias).filter(ModelResolver::looksLikePath).map(Path::of);
  }

  /** All aliases with what they stand for. */
  public Map<String, String> all() {
    return Map.copyOf(targets);
  }
}
