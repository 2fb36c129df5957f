package pelican.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pelican.engine.PelicanException;
import pelican.server.Environment;
import pelican.server.ServerSettings;
import pelican.server.http.HttpLimits;
import picocli.CommandLine;

/** What {@code serve} makes of its flags and of the environment. */
class ServeCommandTest {
  private static ServerSettings settings(Map<String, String> variables, String... args)
      throws Exception {
    ServeCommand command = new ServeCommand();
    new CommandLine(command).parseArgs(args);
    return command.settings(new Environment(variables));
  }

  @Test
  void defaultsHold() throws Exception {
    ServerSettings settings = settings(Map.of());
    assertThat(settings.http()).isEqualTo(HttpLimits.DEFAULT);
    assertThat(settings.models().parallel()).isEqualTo(4);
    assertThat(settings.models().maxLoaded()).isEqualTo(3);
    assertThat(settings.models().maxQueue()).isEqualTo(512);
    assertThat(settings.models().contextLength()).isEqualTo(4096);
    assertThat(settings.models().memory()).isGreaterThan(1L << 28);
  }

  @Test
  void flagsGoBeforeVariables() throws Exception {
    Map<String, String> variables =
        Map.of(
            "PELICAN_MEMORY", "'2GiB'",
            "OLLAMA_NUM_PARALLEL", "2",
            "OLLAMA_MAX_LOADED_MODELS", "5",
            "OLLAMA_CONTEXT_LENGTH", "1000",
            "OLLAMA_MAX_QUEUE", "0");
    ServerSettings settings = settings(variables);
    assertThat(settings.models().memory()).isEqualTo(2L << 30);
    assertThat(settings.models().parallel()).isEqualTo(2);
    assertThat(settings.models().maxLoaded()).isEqualTo(5);
    assertThat(settings.models().contextLength()).isEqualTo(1000);
    assertThat(settings.models().maxQueue()).as("0 is the default").isEqualTo(512);
    settings =
        settings(variables, "--memory", "500MB", "--parallel", "3", "--context-length", "77");
    assertThat(settings.models().memory()).isEqualTo(500_000_000);
    assertThat(settings.models().parallel()).isEqualTo(3);
    assertThat(settings.models().contextLength()).isEqualTo(77);
  }

  @Test
  void limitsOfClientsAreSet() throws Exception {
    ServerSettings settings =
        settings(
            Map.of(),
            "--max-body=2MiB",
            "--max-blob=1.5GiB",
            "--max-header=8k",
            "--max-connections=9",
            "--header-time=2s",
            "--body-time=1m30s",
            "--idle-time=500ms");
    assertThat(settings.http())
        .isEqualTo(
            new HttpLimits(
                2 << 20,
                3L << 29,
                8192,
                Duration.ofSeconds(2),
                Duration.ofSeconds(90),
                Duration.ofMillis(500),
                9));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "--memory=lots | 'lots' is no size",
        "--memory=0 | '0' is no size",
        "--memory=-5GB | '-5GB' is no size",
        "--memory=99999999999TB | is no size",
        "--max-body=2GiB | --max-body is 2147483648, expected 1 to 1073741824",
        "--max-header=1 | --max-header is 1, expected 512 to 1048576",
        "--max-connections=0 | --max-connections is 0, expected 1 to 1048576",
        "--max-connections=x | 'x' is not an int",
        "--header-time=0 | '0' is no time",
        "--idle-time=-1s | '-1s' is no time",
        "--body-time=300 | '300' is no time",
        "--keep-alive=300 | missing unit in duration",
        "--parallel=0 | --parallel is 0, expected 1 or more",
        "--threads=0 | threads is 0",
      })
  void badFlagsAreWrongUsage(String flag, String message) {
    StringWriter err = new StringWriter();
    CommandLine line = Main.commandLine().setErr(new PrintWriter(err, true));
    assertThat(line.execute("serve", flag)).as(err.toString()).isEqualTo(Failures.USAGE);
    assertThat(err.toString()).contains(message).doesNotContain("\tat ");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "PELICAN_MEMORY, lots, PELICAN_MEMORY: 'lots' is no size",
        "OLLAMA_NUM_PARALLEL, many, OLLAMA_NUM_PARALLEL is 'many'",
        "OLLAMA_NUM_PARALLEL, -1, OLLAMA_NUM_PARALLEL is -1",
        "OLLAMA_MAX_LOADED_MODELS, -1, OLLAMA_MAX_LOADED_MODELS is -1",
      })
  void badVariablesAreNamed(String name, String value, String message) {
    assertThatThrownBy(() -> settings(Map.of(name, value)))
        .isInstanceOf(PelicanException.class)
        .hasMessageStartingWith(message);
  }
}
