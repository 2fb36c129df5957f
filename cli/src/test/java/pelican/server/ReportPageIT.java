package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import pelican.compare.HtmlReport;
import pelican.compare.ReportSamples;

/** Reports and the precision page in Chromium: what they show, load, run, and how they fit. */
@Timeout(300)
@EnabledIfSystemProperty(
    named = "pelican.it.long",
    matches = "true",
    disabledReason = "takes minutes: -Dpelican.it.long=true")
class ReportPageIT {
  private static final String KEY = "a-key-of-the-lab";

  @TempDir private static Path folder;

  @BeforeAll
  static void require() throws Exception {
    NodeTests.require(true);
  }

  @Test
  void reports() throws Exception {
    Path whole = folder.resolve("whole.html");
    Path prompts =
        Files.writeString(
            folder.resolve("prompts.jsonl"),
            """
            {"prompt": "What is 17 + 26?", "kind": "number", "expected": "43"}
            Tell me a story about a fox.
            {"prompt": "Draw a pelican riding a bicycle.", "kind": "svg"}
            """);
    Process compare =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                "target/engine.jar",
                "compare",
                "demo:q6",
                "demo:q4",
                "--prompts",
                prompts.toString(),
                "--html",
                whole.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("compare.log").toFile())
            .start();
    assertThat(compare.waitFor(200, TimeUnit.SECONDS)).isTrue();
    assertThat(compare.exitValue()).as(Files.readString(folder.resolve("compare.log"))).isZero();
    HtmlReport.write(ReportSamples.hostile(), folder.resolve("hostile.html"));
    HtmlReport.write(ReportSamples.partial(), folder.resolve("partial.html"));
    NodeTests.run("report.test.mjs", Map.of("PELICAN_REPORTS", folder.toString()));
  }

  @Test
  void precision() throws Exception {
    try (ServedJar server = ServedJar.start(folder.resolve("open"));
        ServedJar locked = ServedJar.start(folder.resolve("locked"), "--api-key", KEY)) {
      NodeTests.run(
          "precision.test.mjs",
          Map.of(
              "PELICAN_URL", server.url(),
              "PELICAN_LOCKED_URL", locked.url(),
              "PELICAN_KEY", KEY));
    }
  }
}
