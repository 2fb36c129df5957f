package pelican.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads Gemma 4's calls, {@code call:NAME{key:value,…}}, and repairs what models get wrong:
 * brackets missing at the end, one quote missing, and text without quotes. What cannot be read as a
 * whole is not read at all: a tool that runs with half of its arguments does harm.
 */
final class ToolCallSyntax {
  static final String QUOTE = "<|\"|>";
  private static final String PREFIX = "call:";

  /** Where a missing quote may have stood: before the next key, or the brackets at the end. */
  private static final Pattern QUOTE_PLACE =
      Pattern.compile("(?=,\\s*[\\w.-]+\\s*:)|(?=[\\s}\\]]*$)");

  private static final int MOST_QUOTE_PLACES = 64;

  private ToolCallSyntax() {}

  /**
   * A call, or nothing if the text is none.
   *
   * @param id the id that the call gets
   * @param closed whether the model ended the call, or was ended within it
   * @param tools the parameters of those are known
   */
  static Optional<ToolCall> parse(String text, String id, boolean closed, List<Tool> tools) {
    String call = text.strip();
    if (!call.startsWith(PREFIX)) {
      return Optional.empty();
    }
    int brace = call.indexOf('{');
    String name = call.substring(PREFIX.length(), brace < 0 ? call.length() : brace).strip();
    // Without a bracket or an end, the name itself may be cut.
    if (name.isEmpty() || (brace < 0 && !closed)) {
      return Optional.empty();
    }
    if (brace < 0) {
      return Optional.of(new ToolCall(id, name, Map.of()));
    }
    return arguments(call.substring(brace), parameters(name, tools))
        .map(arguments -> new ToolCall(id, name, arguments));
  }

  /** The names of a tool's parameters; empty if they are not known. */
  private static Set<String> parameters(String name, List<Tool> tools) {
    for (Tool tool : tools) {
      if (tool.name().equals(name)
          && tool.parameters().get("properties") instanceof Map<?, ?> properties) {
        return ValueFormat.stringKeys(properties).keySet();
      }
    }
    return Set.of();
  }

  private static Optional<Map<String, Object>> arguments(String text, Set<String> parameters) {
    List<String> readings = readings(text);
    for (boolean bareText : new boolean[] {false, true}) {
      for (boolean open : new boolean[] {false, true}) {
        for (String reading : readings) {
          Optional<Map<String, Object>> result =
              ValueReader.read(reading, open, bareText, parameters);
          if (result.isPresent()) {
            return result;
          }
        }
      }
    }
    return Optional.empty();
  }

  /** The text and, if a quote is missing, the text with one in each place that it may have had. */
  private static List<String> readings(String text) {
    List<String> readings = new ArrayList<>();
    int quotes = 0;
    int last = 0;
    for (int at = text.indexOf(QUOTE); at >= 0; at = text.indexOf(QUOTE, at + QUOTE.length())) {
      quotes++;
      last = at;
    }
    if (quotes % 2 == 0) {
      readings.add(text);
      return readings;
    }
    Matcher places = QUOTE_PLACE.matcher(text);
    int first = text.indexOf(QUOTE) + QUOTE.length();
    for (int from = first; from <= text.length() && places.find(from); from = places.end() + 1) {
      int place = places.start();
      if (readings.size() == MOST_QUOTE_PLACES) {
        break;
      }
      readings.add(text.substring(0, place) + QUOTE + text.substring(place));
    }
    // A string that was cut off ends where the text ends.
    if (last + QUOTE.length() <= text.length()) {
      readings.add(text + QUOTE);
    }
    return readings;
  }
}
