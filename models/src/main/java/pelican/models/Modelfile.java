package pelican.models;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import pelican.engine.PelicanException;

/**
 * Ollama's recipe for a model: one instruction after another, {@code FROM} with what it builds on
 * being required.
 *
 * @param instructions in the order of the file
 */
public record Modelfile(List<Instruction> instructions) {
  private static final Set<String> KNOWN =
      Set.of(
          "FROM",
          "PARAMETER",
          "SYSTEM",
          "TEMPLATE",
          "LICENSE",
          "MESSAGE",
          "RENDERER",
          "PARSER",
          "REQUIRES");

  private static final Set<String> WITH_KEY = Set.of("PARAMETER", "MESSAGE");
  private static final Set<String> ROLES = Set.of("system", "user", "assistant");

  /**
   * One instruction.
   *
   * @param command in capitals
   * @param key the parameter's name or the message's role; empty for other commands
   * @param value the text, its quotes removed
   * @param line where it begins, from 1
   */
  public record Instruction(String command, String key, String value, int line) {}

  /**
   * Reads a Modelfile. Values may stand in double quotes, or in triple ones over several lines.
   *
   * @param source names it in messages
   * @throws PelicanException naming the line, if it is not valid
   */
  public static Modelfile parse(String text, String source) {
    List<Instruction> instructions = new ArrayList<>();
    Reader reader = new Reader(text.startsWith("\uFEFF") ? text.substring(1) : text, source);
    while (reader.skipToInstruction()) {
      instructions.add(reader.instruction());
    }
    long from = instructions.stream().filter(i -> i.command().equals("FROM")).count();
    if (from != 1) {
      throw new PelicanException(source + ": " + from + " FROM lines, expected one");
    }
    return new Modelfile(List.copyOf(instructions));
  }

  /** What the model builds on: a name or a path. */
  public String from() {
    return values("FROM").getFirst();
  }

  /** The values of a command, in order. */
  public List<String> values(String command) {
    return instructions.stream()
        .filter(i -> i.command().equals(command))
        .map(Instruction::value)
        .toList();
  }

  private static final class Reader {
    private final String text;
    private final String source;
    private int at;

    Reader(String text, String source) {
      this.text = text.replace("\r\n", "\n");
      this.source = source;
    }

    boolean skipToInstruction() {
      while (at < text.length()) {
        if (text.charAt(at) == '#') {
          restOfLine();
        } else if (Character.isWhitespace(text.charAt(at))) {
          at++;
        } else {
          return true;
        }
      }
      return false;
    }

    Instruction instruction() {
      int line = 1 + (int) text.substring(0, at).chars().filter(c -> c == '\n').count();
      String command = word().toUpperCase(Locale.ROOT);
      if (command.equals("ADAPTER")) {
        throw failure(line, "ADAPTER is not supported, expected a model whose adapter is merged");
      }
      if (!KNOWN.contains(command)) {
        throw failure(
            line,
            "unknown instruction '"
                + command
                + "', expected one of "
                + String.join(", ", KNOWN.stream().sorted().toList()));
      }
      String key = WITH_KEY.contains(command) ? word().toLowerCase(Locale.ROOT) : "";
      if (command.equals("MESSAGE") && !ROLES.contains(key)) {
        throw failure(
            line, "MESSAGE has the role '" + key + "', expected system, user or assistant");
      }
      String value = value(line, command);
      if (value.isEmpty() && !command.equals("SYSTEM") && !command.equals("TEMPLATE")) {
        throw failure(line, command + " has no value");
      }
      return new Instruction(command, key, value, line);
    }

    private String word() {
      skipBlanks();
      int start = at;
      while (at < text.length() && !Character.isWhitespace(text.charAt(at))) {
        at++;
      }
      return text.substring(start, at);
    }

    private void skipBlanks() {
      while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
        at++;
      }
    }

    private String restOfLine() {
      int end = text.indexOf('\n', at);
      end = end < 0 ? text.length() : end;
      String rest = text.substring(at, end);
      at = end;
      return rest;
    }

    private String value(int line, String command) {
      skipBlanks();
      String quotes = text.startsWith("\"\"\"", at) ? "\"\"\"" : "\"";
      if (!text.startsWith(quotes, at)) {
        return restOfLine().strip();
      }
      int start = at + quotes.length();
      int end = text.indexOf(quotes, start);
      if (end < 0) {
        throw failure(line, command + " opens " + quotes + " that nothing closes");
      }
      at = end + quotes.length();
      String rest = restOfLine();
      if (!rest.isBlank()) {
        throw failure(line, "'" + rest.strip() + "' follows the closing quotes of " + command);
      }
      return text.substring(start, end);
    }

    private PelicanException failure(int line, String what) {
      return new PelicanException(source + ", line " + line + ": " + what);
    }
  }
}
