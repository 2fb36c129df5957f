package pelican.compare;

import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Joins JavaScript modules into one script, for a page that is a single file. It understands what
 * the pages' own modules use: {@code import { a, b } from './x.js';} and {@code export} before a
 * function, class or const, each at the beginning of a line. Modules must not need each other in a
 * circle.
 */
final class ModuleScript {
  private static final Pattern IMPORT =
      Pattern.compile("(?m)^import \\{([\\w\\s,$]*)} from '(\\.[^']+)';$");
  private static final Pattern EXPORT =
      Pattern.compile("(?m)^export ((?:async )?function\\*?|class|const) (\\w+)");
  private static final Pattern OTHER = Pattern.compile("(?m)^(?:import|export)\\b.*$");

  private final UnaryOperator<String> read;
  private final Map<String, String> variables = new LinkedHashMap<>();
  private final StringBuilder script = new StringBuilder("'use strict';\n");

  private ModuleScript(UnaryOperator<String> read) {
    this.read = read;
  }

  /**
   * The script that runs a module.
   *
   * @param main its path
   * @param read gives the text of the module at a path
   * @throws IllegalStateException if a module imports or exports in another way
   */
  static String join(String main, UnaryOperator<String> read) {
    ModuleScript joined = new ModuleScript(read);
    joined.add(main);
    return joined.script.toString();
  }

  /** Adds a module behind those that it needs, and gives the variable that holds its exports. */
  private String add(String path) {
    String known = variables.get(path);
    if (known != null) {
      return known;
    }
    String text = read.apply(path);
    Matcher imports = IMPORT.matcher(text);
    StringBuilder body = new StringBuilder();
    while (imports.find()) {
      String from = URI.create(path).resolve(imports.group(2)).toString();
      imports.appendReplacement(
          body, Matcher.quoteReplacement("const {" + imports.group(1) + "} = " + add(from) + ";"));
    }
    imports.appendTail(body);
    Matcher exports = EXPORT.matcher(body);
    List<String> names = new ArrayList<>();
    String inner =
        exports.replaceAll(export -> {
          names.add(export.group(2));
          return Matcher.quoteReplacement(export.group(1) + " " + export.group(2));
        });
    Matcher other = OTHER.matcher(inner);
    if (other.find()) {
      throw new IllegalStateException(path + " cannot be joined: " + other.group());
    }
    String variable = "module" + variables.size();
    variables.put(path, variable);
    script
        .append("const ")
        .append(variable)
        .append(" = (() => {\n")
        .append(inner)
        .append("\nreturn { ")
        .append(String.join(", ", names))
        .append(" };\n})();\n");
    return variable;
  }
}
