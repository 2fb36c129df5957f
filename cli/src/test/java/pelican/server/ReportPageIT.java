package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import pelican.cli.JarProcess;
import pelican.compare.HtmlReport;
import pelican.compare.ReportSamples;

/** Reports and the precision page in Chromium: what they show, load, run, and how they fit. */
@Timeout(900)
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
    // One thread: several wait for each other, for long where other programs are busy.
    JarProcess compare =
        JarProcess.run(
            folder,
            "compare",
            "demo:q6",
            "demo:q4",
            "--threads",
            "1",
            "--prompts",
            prompts.toString(),
            "--html",
            whole.toString());
    assertThat(compare.code()).as(compare.err()).isZero();
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
