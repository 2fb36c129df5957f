package pelican.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import pelican.engine.PelicanException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * llama.cpp, as its program llama-bench measures it.
 *
 * @param shellCommand how llama-bench is called, as in a shell; options are added
 */
record LlamaBench(String shellCommand, Path model) implements Contestant {
  @Override
  public String name() {
    return "llama.cpp";
  }

  @Override
  public List<String> command(SpeedCase test, int runs, boolean warmUp) {
    List<String> command =
        new ArrayList<>(
            List.of("/bin/sh", "-c", "exec " + shellCommand + " \"$@\"", "llama-bench"));
    command.addAll(
        List.of(
            "-m", model.toString(),
            "-p", String.valueOf(test.promptTokens()),
            "-n", String.valueOf(test.genTokens()),
            "-t", String.valueOf(test.threads()),
            "-r", String.valueOf(runs),
            "-ngl", "0",
            "-o", "json"));
    if (test.depth() > 0) {
      command.addAll(List.of("-d", String.valueOf(test.depth())));
    }
    if (!warmUp) {
      command.add("--no-warmup");
    }
    return command;
  }

  @Override
  public double rate(SpeedCase test, String output) {
    try {
      for (JsonNode row : Json.read(output)) {
        JsonNode samples = row.path("samples_ts");
        boolean same =
            row.path("n_prompt").asInt(-1) == test.promptTokens()
                && row.path("n_gen").asInt(-1) == test.genTokens();
        if (same && samples.isArray() && !samples.isEmpty()) {
          List<Double> rates = new ArrayList<>();
          samples.forEach(sample -> rates.add(sample.asDouble()));
          return Spread.of(rates).median();
        }
      }
    } catch (JacksonException e) {
      throw new PelicanException(
          "llama-bench printed no JSON: " + Programs.firstLine(output) + " …", e);
    }
    throw new PelicanException(
        "llama-bench printed no samples_ts of %d prompt and %d generated tokens"
            .formatted(test.promptTokens(), test.genTokens()));
  }
}
