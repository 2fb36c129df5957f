package pelican.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * The commands of {@code docs/lab-2.md}, one after the other in one shell. With {@code
 * -Dpelican.lab.refresh=true} what they print is written into the page.
 */
@EnabledIfSystemProperty(
    named = "pelican.it.long",
    matches = "true",
    disabledReason = "takes minutes: -Dpelican.it.long=true")
class LabWalkIT {
  private static final Path PAGE = Path.of("../docs/lab-2.md");
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```console\\n(.*?)^```$");
  private static final String PORT = "11434";

  @TempDir private Path folder;

  /** A command with what the page says that it prints. */
  private record Step(String command, String output) {}

  private static List<Step> steps(String block) {
    List<Step> steps = new ArrayList<>();
    for (String part : block.split("(?m)^\\$ ")) {
      if (!part.isEmpty()) {
        int end = part.indexOf('\n');
        steps.add(new Step(part.substring(0, end), part.substring(end + 1)));
      }
    }
    return steps;
  }

  @Test
  @Timeout(value = 40, unit = TimeUnit.MINUTES)
  void everyCommandRuns() throws Exception {
    String page = Files.readString(PAGE);
    List<Step> steps = new ArrayList<>();
    Matcher blocks = BLOCK.matcher(page);
    while (blocks.find()) {
      steps.addAll(steps(blocks.group(1)));
    }
    assertThat(steps).hasSizeGreaterThan(20);
    List<Step> ran = run(steps);
    if (Boolean.getBoolean("pelican.lab.refresh")) {
      Files.writeString(PAGE, refreshed(page, ran));
      return;
    }
    for (int i = 0; i < steps.size(); i++) {
      // Times and rates differ from run to run, and rounding from machine to machine.
      if (!steps.get(i).output().isBlank()) {
        assertThat(ran.get(i).output()).as(steps.get(i).command()).isNotBlank();
      }
    }
  }

  private static String refreshed(String page, List<Step> ran) {
    StringBuilder fresh = new StringBuilder();
    int next = 0;
    Matcher blocks = BLOCK.matcher(page);
    while (blocks.find()) {
      StringBuilder block = new StringBuilder("```console\n");
      for (int i = steps(blocks.group(1)).size(); i > 0; i--) {
        Step step = ran.get(next++);
        block.append("$ ").append(step.command()).append('\n').append(step.output());
      }
      blocks.appendReplacement(fresh, Matcher.quoteReplacement(block + "```"));
    }
    return blocks.appendTail(fresh).toString();
  }

  /** Runs commands in a folder of their own, with a store and a port of their own. */
  private List<Step> run(List<Step> steps) throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Path jar = Path.of("target/engine.jar").toAbsolutePath();
    Path program = folder.resolve("pelican");
    Files.writeString(program, "#!/bin/sh\nexec '%s' -jar '%s' \"$@\"\n".formatted(java, jar));
    assertThat(program.toFile().setExecutable(true)).isTrue();
    String port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = Integer.toString(free.getLocalPort());
    }
    StringBuilder script = new StringBuilder("trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n");
    for (int i = 0; i < steps.size(); i++) {
      script
          .append("exec > output.%d 2>&1 < /dev/null\n".formatted(i))
          .append(steps.get(i).command().replace(PORT, port))
          .append("\necho $? > code.%d\n".formatted(i));
    }
    Files.writeString(folder.resolve("walk.sh"), script);
    ProcessBuilder builder = new ProcessBuilder("bash", "walk.sh").directory(folder.toFile());
    builder.environment().put("OLLAMA_MODELS", folder.resolve("models").toString());
    builder.environment().put("OLLAMA_HOST", "127.0.0.1:" + port);
    Process shell =
        builder.redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile()).start();
    try {
      assertThat(shell.waitFor(35, TimeUnit.MINUTES)).isTrue();
    } finally {
      shell.descendants().forEach(ProcessHandle::destroy);
      shell.destroy();
    }
    List<Step> ran = new ArrayList<>();
    for (int i = 0; i < steps.size(); i++) {
      String output = Files.readString(folder.resolve("output." + i)).replace(port, PORT);
      String command = steps.get(i).command();
      assertThat(folder.resolve("code." + i)).as("%s%n%s", command, output).hasContent("0");
      ran.add(new Step(command, ended(output)));
    }
    return ran;
  }

  private static String ended(String output) {
    return output.isEmpty() || output.endsWith("\n") ? output : output + "\n";
  }
}
