package pelican.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The comparison with the real jar, which has to print what the comparison reads. */
@Timeout(600)
@EnabledIfSystemProperty(
    named = "pelican.it.long",
    matches = "true",
    disabledReason = "takes minutes: -Dpelican.it.long=true")
class CompareIT {
  @TempDir private Path folder;

  @Test
  void measuresTheJar() throws Exception {
    Path jar = Path.of("../cli/target/engine.jar");
    Path model = folder.resolve("small.gguf");
    SyntheticModel.write(model, SyntheticModel.Shape.SMALL, SyntheticModel.Mix.Q4_K_M);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StringWriter err = new StringWriter();
    PrintStream before = System.out;
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    int code;
    try {
      code =
          CommandLines.of(new CompareMain())
              .setErr(new PrintWriter(err, true))
              .execute(
                  "-m",
                  model.toString(),
                  "--engine-jar",
                  jar.toString(),
                  "--against",
                  jar.toString(),
                  "--pairs",
                  "1",
                  "-t",
                  "1",
                  "-p",
                  "8",
                  "-n",
                  "4",
                  "-d",
                  "0,20",
                  "--only",
                  "speed,depth,first_token,warm_up",
                  "--json");
    } finally {
      System.setOut(before);
    }
    assertThat(code).as(err.toString()).isZero();
    JsonNode report = Json.read(out.toString(StandardCharsets.UTF_8));
    assertThat(report.get("speed"))
        .extracting(row -> row.get("test").asString())
        .containsExactly("pp8", "tg4", "tg4@d20");
    for (JsonNode row : report.get("speed")) {
      assertThat(row.at("/tokensPerSecond/median").asDouble()).isPositive();
      assertThat(row.at("/peerTokensPerSecond/median").asDouble()).isPositive();
    }
    JsonNode figures = report.get("figures");
    assertThat(figures).hasSize(3);
    assertThat(figures.get(0).get("name").asString()).startsWith("time per token of tg4@d20");
    assertThat(figures.get(1).get("name").asString()).startsWith("first token after process start");
    assertThat(figures.get(1).at("/values/median").asDouble()).isBetween(0.1, 100.0);
    assertThat(figures.get(2).at("/values/median").asDouble()).isBetween(1.0, 64.0);
  }
}
