package pelican.models;

import java.nio.file.Path;
import java.util.Optional;

/**
 * One change to a store, as a program: says {@code ready}, makes the change, says {@code done}.
 * Arguments: the store, the name of an operation, its operands.
 */
final class StoreOperation {
  private StoreOperation() {}

  public static void main(String[] args) {
    System.out.println("ready");
    run(args);
    System.out.println("done");
  }

  static void run(String... args) {
    OllamaStore store = new OllamaStore(Path.of(args[0]));
    switch (args[1]) {
      case "pull" ->
          new Puller(store, new PullerTest.Silent()).pull(ModelName.parse(args[2]), true);
      case "create" -> {
        ModelResolver resolver = new ModelResolver(new Aliases(Path.of(args[0], "none")), store);
        Modelfile recipe =
            Modelfile.parse("FROM " + args[3] + "\nSYSTEM You are created.\n", "Modelfile");
        new ModelCreator(store, status -> {})
            .create(
                ModelName.parse(args[2]),
                ModelCreator.base(recipe, Path.of(args[0]), resolver),
                recipe,
                Optional.empty());
      }
      case "cp" -> store.copy(ModelName.parse(args[2]), ModelName.parse(args[3]));
      case "rm" -> store.remove(ModelName.parse(args[2]));
      default -> throw new IllegalArgumentException(args[1]);
    }
  }
}
