package pelican.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import pelican.models.ModelResolver;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** The models of a command that takes several. */
final class SeveralModels {
  private SeveralModels() {}

  /**
   * Finds models, by what they are called here: files go by their name, where no other has the
   * same.
   *
   * @throws ParameterException if one is named twice
   */
  static Map<String, ModelResolver.Resolved> resolve(CommandLine command, List<String> words) {
    Map<String, ModelResolver.Resolved> resolved = new LinkedHashMap<>();
    for (String word : words) {
      if (resolved.put(word, ModelResolver.ofUser().resolve(word)) != null) {
        throw new ParameterException(
            command, "model '" + word + "' is named twice, expected different ones");
      }
    }
    long names = resolved.values().stream().map(ModelResolver.Resolved::name).distinct().count();
    Map<String, ModelResolver.Resolved> labelled = new LinkedHashMap<>();
    resolved.forEach(
        (word, model) -> labelled.put(names == resolved.size() ? model.name() : word, model));
    return labelled;
  }
}
