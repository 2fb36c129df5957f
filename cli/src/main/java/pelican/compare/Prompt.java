package pelican.compare;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import pelican.engine.PelicanException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Something to ask the models.
 *
 * @param text what is said to them
 * @param kind what sort of answer is expected: {@code text}, {@code number}, {@code json} or {@code
 *     svg}
 * @param expected for a number, the right one as it has to appear in the answer; else empty
 */
public record Prompt(String text, String kind, String expected) {
  /** Tokens of an answer at most, by default: of a drawing, so that it ends, and of another. */
  private static final int DRAWING_TOKENS = 512;

  private static final int ANSWER_TOKENS = 128;

  private static final String BUILT_IN = "prompts.jsonl";

  public Prompt {
    if (!AnswerCheck.KINDS.contains(kind)) {
      throw new PelicanException(
          "kind is '" + kind + "', expected one of " + String.join(", ", AnswerCheck.KINDS));
    }
  }

  /**
   * The longest answer to this prompt, in tokens.
   *
   * @param asked what the user wants; 0 for the default
   */
  int maxTokens(int asked) {
    return asked > 0 ? asked : kind.equals("svg") ? DRAWING_TOKENS : ANSWER_TOKENS;
  }

  /** The prompts that are carried inside. */
  public static List<Prompt> builtIn() {
    try (InputStream in = Prompt.class.getResourceAsStream(BUILT_IN)) {
      return parse(BUILT_IN, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new PelicanException("cannot read the prompts inside: " + e.getMessage(), e);
    }
  }

  /**
   * Reads prompts from a file: one a line, as plain text or as an object {@code {"prompt": …,
   * "kind": …, "expected": …}} whose last two members may be missing.
   *
   * @throws PelicanException if the file has none, or a line is no such object
   */
  public static List<Prompt> read(Path file) throws IOException {
    try {
      return parse(file.toString(), Files.readString(file));
    } catch (MalformedInputException e) {
      throw new PelicanException(file + ": not UTF-8 text, expected prompts, one a line", e);
    }
  }

  private static List<Prompt> parse(String file, String text) {
    List<Prompt> prompts = new ArrayList<>();
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      if (!line.isBlank()) {
        try {
          prompts.add(line.startsWith("{") ? ofJson(line) : new Prompt(line.strip(), "text", ""));
        } catch (PelicanException e) {
          throw new PelicanException(file + ", line " + number + ": " + e.getMessage(), e);
        }
      }
    }
    if (prompts.isEmpty()) {
      throw new PelicanException(file + ": no prompts, expected one a line");
    }
    return prompts;
  }

  private static Prompt ofJson(String line) {
    try {
      JsonNode node = JsonMapper.shared().readTree(line);
      JsonNode text = node.path("prompt");
      if (!text.isString() || text.asString().isBlank()) {
        throw new PelicanException("\"prompt\" is missing, expected a text that is not empty");
      }
      return new Prompt(
          text.asString(), node.path("kind").asString("text"), node.path("expected").asString(""));
    } catch (JacksonException e) {
      throw new PelicanException("no JSON object: " + e.getOriginalMessage(), e);
    }
  }
}
