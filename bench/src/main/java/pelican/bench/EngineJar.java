package pelican.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import pelican.engine.PelicanException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** Pelican, as its jar runs for a user. */
record EngineJar(String name, Path jar, Path model) implements Contestant {
  /** What a run of generation took. */
  private static final String TOKEN_SECONDS = "tokenSeconds";

  private List<String> java(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-jar", jar.toString()));
    command.addAll(List.of(arguments));
    return command;
  }

  @Override
  public List<String> command(SpeedCase test, int runs, boolean warmUp) {
    List<String> command =
        java(
            "bench",
            "--model",
            model.toString(),
            "--prompt-tokens",
            String.valueOf(test.promptTokens()),
            "--gen-tokens",
            String.valueOf(test.genTokens()),
            "--depth",
            String.valueOf(test.depth()),
            "--threads",
            String.valueOf(test.threads()),
            "--repetitions",
            String.valueOf(runs),
            "--no-bandwidth",
            "--json");
    if (!warmUp) {
      command.add("--no-warmup");
    }
    return command;
  }

  @Override
  public double rate(SpeedCase test, String output) {
    return row(output).at("/tokensPerSecond/median").asDouble();
  }

  /** The command that answers a prompt with one token. */
  List<String> answerCommand(int threads, String prompt) {
    return java(
        "chat",
        "--model",
        model.toString(),
        "--threads",
        String.valueOf(threads),
        "--temperature",
        "0",
        "--num-predict",
        "1",
        prompt);
  }

  /**
   * The seconds of each token in the first run that {@link #command} printed.
   *
   * @throws PelicanException if it printed something else
   */
  List<Double> tokenSeconds(String output) {
    List<Double> seconds = new ArrayList<>();
    row(output).path(TOKEN_SECONDS).path(0).forEach(value -> seconds.add(value.asDouble()));
    if (seconds.isEmpty()) {
      throw new PelicanException(jar + ": its bench printed no " + TOKEN_SECONDS);
    }
    return seconds;
  }

  private JsonNode row(String output) {
    try {
      JsonNode rows = Json.read(output);
      if (rows.size() == 1 && rows.get(0).at("/tokensPerSecond/median").isNumber()) {
        return rows.get(0);
      }
    } catch (JacksonException e) {
      throw new PelicanException(
          jar + ": its bench printed no JSON: " + Programs.firstLine(output) + " …", e);
    }
    throw new PelicanException(jar + ": its bench printed no tokensPerSecond of one test");
  }
}
