package pelican.compare;

import java.io.StringReader;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import javax.xml.XMLConstants;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Measures of single answers and of pairs. */
public final class AnswerCheck {
  /** The kinds of answers; all but text can be told to be well-formed or right. */
  static final List<String> KINDS = List.of("text", "number", "json", "svg");

  private static final Pattern FENCE =
      Pattern.compile("(?s)\\A\\s*```[a-z]*\\n(.*?)\\n?```\\s*\\z");

  private static final JsonMapper STRICT =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  /** Tokens of a run that counts as repeated when it comes again. */
  private static final int RUN = 4;

  private AnswerCheck() {}

  /**
   * Whether an answer is what its kind promises: for a number, that the right one is its last; for
   * JSON and SVG, that it can be parsed, with or without a fence of back-quotes around it. Empty
   * for text, which cannot be told.
   */
  static Optional<Boolean> wellFormed(Prompt prompt, String answer) {
    return switch (prompt.kind()) {
      case "number" -> Optional.of(lastNumber(answer).equals(Optional.of(prompt.expected())));
      case "json" -> Optional.of(json(answer).isPresent());
      case "svg" -> Optional.of(svg(answer).isPresent());
      default -> Optional.empty();
    };
  }

  private static Optional<String> lastNumber(String answer) {
    return Pattern.compile("-?\\d+(?:\\.\\d+)?")
        .matcher(answer)
        .results()
        .map(match -> match.group())
        .reduce((a, b) -> b);
  }

  private static String unfenced(String answer) {
    var matcher = FENCE.matcher(answer);
    return matcher.matches() ? matcher.group(1) : answer.strip();
  }

  /** The JSON value that an answer is, with or without a fence of back-quotes around it. */
  public static Optional<JsonNode> json(String answer) {
    try {
      return Optional.of(STRICT.readTree(unfenced(answer))).filter(node -> !node.isMissingNode());
    } catch (JacksonException e) {
      return Optional.empty();
    }
  }

  /** The drawing in an answer, if it is one well-formed SVG element. */
  static Optional<String> svg(String answer) {
    String text = unfenced(answer);
    XMLInputFactory factory = XMLInputFactory.newFactory();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    factory.setProperty(XMLConstants.ACCESS_EXTERNAL_DTD, "");
    try {
      XMLStreamReader reader = factory.createXMLStreamReader(new StringReader(text));
      boolean root = false;
      while (reader.hasNext()) {
        if (reader.next() == XMLStreamReader.START_ELEMENT && !root) {
          root = true;
          if (!reader.getLocalName().equals("svg")) {
            return Optional.empty();
          }
        }
      }
      return root ? Optional.of(text) : Optional.empty();
    } catch (XMLStreamException e) {
      return Optional.empty();
    }
  }

  /** The share of runs of four tokens that came before in the same answer. */
  static double repetition(int[] tokens) {
    int runs = tokens.length - RUN + 1;
    if (runs < 1) {
      return 0;
    }
    Set<List<Integer>> seen = new HashSet<>();
    for (int i = 0; i < runs; i++) {
      seen.add(Arrays.stream(tokens, i, i + RUN).boxed().toList());
    }
    return 1 - (double) seen.size() / runs;
  }

  /**
   * How much two answers agree: {@code 2·LCS / (|a| + |b|)}, where LCS is the length of the longest
   * common subsequence of tokens; 1 for equal answers, 0 for ones with nothing in common.
   */
  static double agreement(int[] a, int[] b) {
    if (a.length + b.length == 0) {
      return 1;
    }
    int[] row = new int[b.length + 1];
    for (int token : a) {
      int diagonal = 0;
      for (int j = 1; j <= b.length; j++) {
        int above = row[j];
        row[j] = token == b[j - 1] ? diagonal + 1 : Math.max(above, row[j - 1]);
        diagonal = above;
      }
    }
    return 2.0 * row[b.length] / (a.length + b.length);
  }
}
