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
    return command(test, String.valueOf(test.depth()), runs, warmUp);
  }

  private List<String> command(SpeedCase test, String depths, int runs, boolean warmUp) {
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
            depths,
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
    return rate(rows(output, 1).getFirst());
  }

  private static double rate(JsonNode row) {
    return row.at("/tokensPerSecond/median").asDouble();
  }

  /**
   * How many times longer a token takes after a test's context than after none, both in one
   * process, in turns.
   */
  double depthCost(SpeedCase test, int runs) {
    String output = Programs.output(name, command(test, "0," + test.depth(), runs, true));
    List<JsonNode> rows = rows(output, 2);
    return rate(rows.getFirst()) / rate(rows.getLast());
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
    rows(output, 1)
        .getFirst()
        .path(TOKEN_SECONDS)
        .path(0)
        .forEach(value -> seconds.add(value.asDouble()));
    if (seconds.isEmpty()) {
      throw new PelicanException(jar + ": its bench printed no " + TOKEN_SECONDS);
    }
    return seconds;
  }

  /** What the command printed of so many tests. */
  private List<JsonNode> rows(String output, int tests) {
    List<JsonNode> rows = new ArrayList<>();
    try {
      Json.read(output).forEach(rows::add);
    } catch (JacksonException e) {
      throw new PelicanException(
          jar + ": its bench printed no JSON: " + Programs.firstLine(output) + " …", e);
    }
    if (rows.size() == tests
        && rows.stream().allMatch(row -> row.at("/tokensPerSecond/median").isNumber())) {
      return rows;
    }
    throw new PelicanException(
        jar + ": its bench printed no tokensPerSecond of " + tests + " test(s)");
  }
}
