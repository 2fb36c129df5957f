package pelican.server;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The chat page as the jar serves it, driven in Chromium: with scripted answers, which can be
 * hostile, broken or endless, and with the demo model's own.
 */
@Timeout(300)
class ChatPageIT {
  private static final String KEY = "a-key-of-the-lab";

  @TempDir private static Path folder;
  private static ServedJar server;
  private static ServedJar locked;

  @BeforeAll
  static void start() throws Exception {
    NodeTests.require(true);
    server = ServedJar.start(folder.resolve("open"));
    locked = ServedJar.start(folder.resolve("locked"), "--api-key", KEY);
  }

  @AfterAll
  static void stop() throws Exception {
    for (ServedJar each : new ServedJar[] {server, locked}) {
      if (each != null) {
        each.close();
      }
    }
  }

  @Test
  void scriptedAnswers() throws Exception {
    NodeTests.run("page.test.mjs", Map.of("PELICAN_URL", server.url()));
  }

  @Test
  void answersOfTheDemo() throws Exception {
    NodeTests.run(
        "server.test.mjs",
        Map.of(
            "PELICAN_URL", server.url(),
            "PELICAN_LOCKED_URL", locked.url(),
            "PELICAN_KEY", KEY));
  }

  @Test
  void carriesTheLibrariesUnchanged() throws Exception {
    NodeTests.run("vendor.test.mjs", Map.of());
  }
}
