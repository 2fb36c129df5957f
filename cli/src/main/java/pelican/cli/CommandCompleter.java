package pelican.cli;

import java.util.List;
import java.util.Map;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;

/** Completes the commands of a conversation; says nothing about messages. */
final class CommandCompleter implements Completer {
  private static final Map<String, List<String>> NEXT =
      Map.of(
          "", List.of("/set", "/show", "/clear", "/help", "/bye"),
          "/set",
              List.of(
                  "parameter",
                  "system",
                  "think",
                  "nothink",
                  "verbose",
                  "quiet",
                  "history",
                  "nohistory"),
          "/show", List.of("info", "parameters", "system"),
          "/set parameter", Parameters.NAMES);

  @Override
  public void complete(LineReader reader, ParsedLine line, List<Candidate> candidates) {
    if (!line.line().startsWith("/")) {
      return;
    }
    String before = String.join(" ", line.words().subList(0, line.wordIndex()));
    NEXT.getOrDefault(before, List.of()).forEach(word -> candidates.add(new Candidate(word)));
  }
}
