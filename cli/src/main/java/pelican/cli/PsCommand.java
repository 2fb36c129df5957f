package pelican.cli;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import pelican.engine.PelicanException;
import pelican.summary.ModelSummary;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

@Command(
    name = "ps",
    description = "Lists the models that a server has in memory.",
    mixinStandardHelpOptions = true)
final class PsCommand implements Callable<Integer> {
  private static final Duration FOREVER = Duration.ofDays(365L * 20);

  @Parameters(
      arity = "0..1",
      paramLabel = "PREFIX",
      defaultValue = "",
      description = "Only names that begin so.")
  private String prefix;

  @Override
  public Integer call() {
    ServerClient.Answer answer = new ServerClient().ask("/api/ps", null);
    if (answer.status() != 200) {
      throw new PelicanException(answer.json().path("error").asString("status " + answer.status()));
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("NAME", "ID", "SIZE", "PROCESSOR", "CONTEXT", "UNTIL"));
    for (JsonNode model : answer.json().path("models")) {
      String name = model.path("name").asString("");
      if (name.toLowerCase(Locale.ROOT).startsWith(prefix.toLowerCase(Locale.ROOT))) {
        String digest = model.path("digest").asString("");
        rows.add(
            List.of(
                name,
                digest.substring(0, Math.min(12, digest.length())),
                ModelSummary.size(model.path("size").asLong(0)),
                model.path("size_vram").asLong(0) == 0 ? "100% CPU" : "Unknown",
                model.path("context_length").asString(""),
                until(model.path("expires_at").asString(""))));
      }
    }
    Tables.print(System.out, rows);
    return 0;
  }

  private static String until(String time) {
    Duration left = Duration.between(Instant.now(), OffsetDateTime.parse(time).toInstant());
    if (left.compareTo(FOREVER) > 0) {
      return "Forever";
    }
    return left.isNegative() ? "Stopping..." : RelativeTime.words(left) + " from now";
  }
}
