package pelican.models;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Writes recipes of models that are there, in the form that {@link Modelfile} reads. */
public final class ModelfileText {
  private static final Pattern BARE = Pattern.compile("-?[0-9.]+([eE][+-]?[0-9]+)?|true|false");

  private ModelfileText() {}

  /**
   * The recipe that makes a model again.
   *
   * @param name what to call it
   * @param file its GGUF file
   * @param stored its entry in the store, if it is from there
   * @param template the prompt template; may be empty
   * @param system the system message; may be empty
   */
  public static String of(
      String name, Path file, Optional<StoredModel> stored, String template, String system) {
    StringBuilder out =
        new StringBuilder("# To build a new Modelfile on this one, replace FROM by:\n");
    out.append("# FROM ").append(name).append("\n\n");
    out.append("FROM ").append(file.toAbsolutePath()).append('\n');
    line(out, "TEMPLATE", template);
    line(out, "SYSTEM", system);
    stored.ifPresent(model -> {
      for (String key : List.of("renderer", "parser", "requires")) {
        String value = model.config().path(key).asString("");
        if (!value.isEmpty()) {
          out.append("%s %s\n".formatted(key.toUpperCase(java.util.Locale.ROOT), value));
        }
      }
      model
          .parameters()
          .forEach((key, values) ->
              values.forEach(
                  value -> out.append("PARAMETER %s %s\n".formatted(key, quotedIfText(value)))));
      model.license().ifPresent(text -> line(out, "LICENSE", text));
      model.messages().forEach(m -> line(out, "MESSAGE " + m.role(), m.content()));
    });
    return out.toString();
  }

  /** In triple quotes, which may hold lines and single ones. */
  private static void line(StringBuilder out, String command, String text) {
    if (!text.isEmpty()) {
      out.append(command).append(" \"\"\"").append(text).append("\"\"\"\n");
    }
  }

  /**
   * The generation parameters of a stored model, a line for each value.
   *
   * @param indent stands before each line
   */
  public static String parameters(StoredModel stored, String indent) {
    StringBuilder lines = new StringBuilder();
    stored
        .parameters()
        .forEach((name, values) ->
            values.forEach(value ->
                lines.append("%s%-30s %s\n".formatted(indent, name, quotedIfText(value)))));
    return lines.toString();
  }

  private static String quotedIfText(String value) {
    return BARE.matcher(value).matches() ? value : '"' + value + '"';
  }
}
