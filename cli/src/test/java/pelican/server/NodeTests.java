package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * Runs tests written for Node.js, in {@code src/test/web}. Where Node.js, its packages or Chromium
 * are missing they are skipped with the reason, but not in continuous integration, whose script
 * installs all three: there a missing one is a failure.
 */
final class NodeTests {
  private static final Path FOLDER = Path.of("src/test/web");

  private NodeTests() {}

  /** Checks for Node.js 20 or newer, the packages, and the browser if the tests drive one. */
  static void require(boolean browser) throws Exception {
    List<String> missing = new ArrayList<>();
    if (!onPath("node")) {
      missing.add("node (Debian: apt-get install nodejs npm)");
    } else {
      Process version = new ProcessBuilder("node", "--version").start();
      String text =
          new String(version.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      version.waitFor();
      if (Integer.parseInt(text.replaceAll("^v|\\..*$", "")) < 20) {
        missing.add("node 20 or newer (found " + text + ")");
      }
    }
    if (!Files.isDirectory(FOLDER.resolve("node_modules"))) {
      missing.add("packages of cli/src/test/web (npm ci there)");
    }
    if (browser && !Files.isExecutable(chromium())) {
      missing.add(chromium() + " (Debian: apt-get install chromium; or set CHROMIUM)");
    }
    if (missing.isEmpty()) {
      return;
    }
    String reason = "missing: " + String.join(", ", missing);
    if (System.getenv("CI") != null) {
      fail(reason);
    }
    System.out.println("Skipped, " + reason);
    Assumptions.abort(reason);
  }

  /**
   * Runs one file of tests and fails with its output if one of them does.
   *
   * @param environment variables for it, added to this process's own
   */
  static void run(String file, Map<String, String> environment) throws Exception {
    Path log = Files.createTempFile("pelican-", ".log");
    try {
      ProcessBuilder builder =
          new ProcessBuilder("node", "--test", "--test-reporter=spec", file)
              .directory(FOLDER.toFile())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile());
      builder.environment().putAll(environment);
      builder.environment().putIfAbsent("CHROMIUM", chromium().toString());
      Process process = builder.start();
      boolean ended = process.waitFor(280, TimeUnit.SECONDS);
      if (!ended) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
      }
      String output = Files.readString(log);
      assertThat(ended).as("%s ends in time:%n%s", file, output).isTrue();
      assertThat(process.exitValue()).as("%s:%n%s", file, output).isZero();
      assertThat(output).as("tests of %s were run", file).containsPattern("pass [1-9]");
    } finally {
      Files.deleteIfExists(log);
    }
  }

  private static Path chromium() {
    String chosen = System.getenv("CHROMIUM");
    return Path.of(chosen == null ? "/usr/bin/chromium" : chosen);
  }

  private static boolean onPath(String program) {
    return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }
}
