package pelican.models;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import pelican.engine.PelicanException;

/** Finds the model that a user means by a word: a path, an alias, a name in the store, the demo. */
public final class ModelResolver {
  /**
   * A model that was found.
   *
   * @param name what to call it
   * @param file its GGUF file
   * @param stored its entry in the store, if it is from there
   */
  public record Resolved(String name, Path file, Optional<StoredModel> stored) {}

  private static final int SUGGESTIONS = 3;

  private final Aliases aliases;
  private final OllamaStore store;

  public ModelResolver(Aliases aliases, OllamaStore store) {
    this.aliases = aliases;
    this.store = store;
  }

  /** The resolver for this user's aliases and store. */
  public static ModelResolver ofUser() {
    return new ModelResolver(Aliases.ofUser(), OllamaStore.locate());
  }

  /**
   * Finds a model.
   *
   * @throws PelicanException if there is none, naming the closest known ones and how to get it
   */
  public Resolved resolve(String word) {
    String target = aliases.target(word).orElse(word);
    if (looksLikePath(target)) {
      return new Resolved(
          Path.of(target).getFileName().toString(), Path.of(target), Optional.empty());
    }
    Optional<DemoModel> demo = DemoModel.byName(target);
    if (demo.isPresent()) {
      return new Resolved(word, demo.get().unpack(), Optional.empty());
    }
    Optional<ModelName> name = ModelName.tryParse(target);
    Optional<StoredModel> stored = name.flatMap(store::find);
    if (stored.isPresent()) {
      return new Resolved(stored.get().name().display(), stored.get().file(), stored);
    }
    throw new PelicanException(notFound(word, target, name));
  }

  static boolean looksLikePath(String text) {
    return text.endsWith(".gguf")
        || text.startsWith("/")
        || text.startsWith("./")
        || text.startsWith("../")
        || text.startsWith("~/")
        || text.matches("[A-Za-z]:\\\\.*")
        || isFile(text);
  }

  private static boolean isFile(String text) {
    try {
      return Files.exists(Path.of(text));
    } catch (InvalidPathException e) {
      return false;
    }
  }

  private String notFound(String word, String target, Optional<ModelName> name) {
    StringBuilder message = new StringBuilder("model '" + word + "' not found");
    if (!word.equals(target)) {
      message.append(" (it stands for ").append(target).append(')');
    }
    List<String> close = closest(word);
    if (!close.isEmpty()) {
      message.append("; known: ").append(String.join(", ", close));
    }
    name.ifPresent(n -> message.append("; to get it: pelican pull ").append(n.display()));
    return message.toString();
  }

  private List<String> closest(String word) {
    List<String> known = new ArrayList<>(DemoModel.names());
    known.addAll(aliases.all().keySet());
    store.list().forEach(model -> known.add(model.name().display()));
    return known.stream()
        .sorted(
            Comparator.comparingInt((String candidate) -> distance(word, candidate))
                .thenComparing(Comparator.naturalOrder()))
        .limit(SUGGESTIONS)
        .collect(Collectors.toList());
  }

  /** The least number of characters to insert, delete or replace. Levenshtein 1966. */
  static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replace = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replace, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
