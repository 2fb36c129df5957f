package pelican.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jline.terminal.Size;
import org.jline.terminal.impl.LineDisciplineTerminal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pelican.engine.Model;
import pelican.sampling.SamplingOptions;

/** A conversation as somebody at a terminal has it: keys in, screen out. */
@Timeout(300)
class ConversationTest {
  private static final Path TINY = Path.of("../engine/src/test/resources/golden/tiny-Q4_K_M.gguf");
  private static final String CTRL_C = "\u0003";
  private static final String CTRL_D = "\u0004";
  private static final String UP = "\u001b[A";

  @TempDir private Path folder;

  private final ByteArrayOutputStream screen = new ByteArrayOutputStream();
  private final Parameters parameters = new Parameters(SamplingOptions.GEMMA);
  private Model model;
  private LineDisciplineTerminal terminal;
  private CompletableFuture<Integer> running;
  private int seen;

  @BeforeEach
  void load() {
    model = Model.load(TINY);
    parameters.set("temperature", List.of("0"));
    parameters.set("num_predict", List.of("8"));
  }

  @AfterEach
  void close() throws IOException {
    if (terminal != null) {
      terminal.close();
    }
    model.close();
  }

  private void begin() throws IOException {
    screen.reset();
    seen = 0;
    terminal = new LineDisciplineTerminal("test", "ansi", screen, StandardCharsets.UTF_8);
    terminal.setSize(Size.of(200, 50));
    Conversation conversation = new Conversation(model, parameters, null, false, false, false);
    running =
        CompletableFuture.supplyAsync(
            () -> conversation.run(terminal, folder.resolve("state").resolve("history")),
            task -> Thread.ofPlatform().daemon().start(task));
    await(">>> ");
  }

  private void type(String keys) throws IOException {
    terminal.processInputBytes(keys.getBytes(StandardCharsets.UTF_8));
  }

  /** Types a line and waits for what the screen then shows, and for the next prompt. */
  private String say(String line, String expected) throws IOException {
    type(line + "\r");
    String shown = await(expected);
    return shown + (shown.endsWith(">>> ") ? "" : await(">>> "));
  }

  /** Waits until a text is on the screen after what was seen before; gives all up to it. */
  private String await(String text) {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (System.nanoTime() < end) {
      String shown = screen.toString(StandardCharsets.UTF_8);
      int at = shown.indexOf(text, seen);
      if (at >= 0) {
        String part = shown.substring(seen, at + text.length());
        seen = at + text.length();
        return part;
      }
      try {
        Thread.sleep(10);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
    throw new AssertionError(
        "'" + text + "' is not on the screen:\n" + screen.toString(StandardCharsets.UTF_8));
  }

  private void leave(String keys) throws Exception {
    type(keys);
    assertThat(running.get(60, TimeUnit.SECONDS)).isZero();
  }

  @Test
  void answersAndObeys() throws Exception {
    begin();
    say("/?", "Ctrl-C stops an answer");
    say("/help", "Available Commands");
    say("/dance", "Unknown command '/dance'. Type /? for help");
    say("/set wings", "Unknown setting 'wings'");
    say("/show wings", "Unknown subject 'wings'");
    say("/show", "Q4_K_M");
    say("/show parameters", "num_predict                    8");
    say("/set verbose", "Set 'verbose' mode.");
    String answer = say("the", "eval rate:");
    assertThat(answer).contains("prompt eval count:", "eval count:           8 token(s)");
    say("/set quiet", "Set 'quiet' mode.");
    say("/set system You are a bird.", "Set system message.");
    say("/show system", "You are a bird.");
    say("/clear", "Cleared session context");
    leave("/bye\r");
  }

  @Test
  void refusedParametersChangeNothing() throws Exception {
    begin();
    say("/set parameter top_p 7", "Error: top_p is 7, expected 0 to 1");
    say("/set parameter num_predict -7", "Error: num_predict is -7, expected -1 or more");
    say("/set parameter num_ctx 9999999", "Error: num_ctx is 9999999, expected 1 to 131072");
    say("/set parameter wings 2", "Error: unknown parameter 'wings'");
    say("/set parameter seed", "Error: expected /set parameter NAME VALUE");
    say("/set parameter num_ctx 64", "Set parameter 'num_ctx' to '64'");
    say("/set parameter stop x yz", "Set parameter 'stop' to 'x', 'yz'");
    String shown = say("/show parameters", "stop                           x, yz");
    assertThat(shown).doesNotContain("top_p").contains("num_ctx                        64");
    say("/set verbose", "Set 'verbose' mode.");
    assertThat(say("the", "eval rate:")).doesNotContain("Error");
    leave(CTRL_D);
  }

  @Test
  void ctrlCStopsTheAnswerAndNotTheProgram() throws Exception {
    parameters.set("num_predict", List.of("-1"));
    begin();
    say("/set verbose", "Set 'verbose' mode.");
    int before = screen.size();
    type("the\r");
    while (screen.size() < before + 60) {
      Thread.sleep(5);
    }
    type(CTRL_C);
    Matcher count = Pattern.compile("\neval count: +([0-9]+) token").matcher(await("\neval rate:"));
    assertThat(count.find()).isTrue();
    // Left alone, the answer goes on until the context of 4,096 tokens is full.
    assertThat(Integer.parseInt(count.group(1))).isBetween(1, 3500);
    await(">>> ");
    type(CTRL_C);
    await("Use Ctrl-D or /bye to leave.");
    await(">>> ");
    type("half a line" + CTRL_C);
    await("Use Ctrl-D or /bye to leave.");
    await(">>> ");
    say("/set parameter num_predict 4", "Set parameter");
    say("the", "eval count:           4 token(s)");
    leave(CTRL_D);
  }

  @Test
  void linesBetweenTripleQuotesAreOneMessage() throws Exception {
    begin();
    say("/set verbose", "Set 'verbose' mode.");
    type("\"\"\"first\r");
    await("... ");
    type("/bye\r");
    await("... ");
    type("third\"\"\"\r");
    String lines = await("eval rate:");
    await(">>> ");
    say("/clear", "Cleared session context");
    int one = tokens(say("first", "\neval rate:"));
    say("/clear", "Cleared session context");
    type("\"\"\"first\r/bye\rthird\"\"\"\r");
    assertThat(tokens(await("eval rate:"))).isEqualTo(tokens(lines)).isGreaterThan(one);
    await(">>> ");
    // Given up, it leaves nothing behind.
    type("\"\"\"first\r");
    await("... ");
    type(CTRL_C);
    await("Use Ctrl-D or /bye to leave.");
    await(">>> ");
    say("/show system", "No system message was set.");
    leave(CTRL_D);
  }

  private static int tokens(String statistics) {
    Matcher count = Pattern.compile("prompt eval count: +([0-9]+) token").matcher(statistics);
    assertThat(count.find()).as(statistics).isTrue();
    return Integer.parseInt(count.group(1));
  }

  @Test
  void whatWasTypedIsThereTheNextTime() throws Exception {
    begin();
    say("/show system", "No system message was set.");
    say("/set nohistory", "Set 'nohistory' mode.");
    say("/show parameters", "temperature");
    leave(CTRL_D);
    Path history = folder.resolve("state").resolve("history");
    assertThat(Files.readString(history)).contains("/show system").doesNotContain("/show param");
    if (Files.getFileStore(history).supportsFileAttributeView("posix")) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(history)))
          .isEqualTo("rw-------");
    }
    begin();
    type(UP + UP + "\r");
    await("No system message was set.");
    leave("/exit\r");
  }

  @Test
  void aHistoryThatCannotBeWrittenIsSaid() throws Exception {
    Files.writeString(folder.resolve("state"), "not a folder");
    begin();
    assertThat(screen.toString(StandardCharsets.UTF_8)).contains("is not remembered");
    say("/show system", "No system message was set.");
    leave(CTRL_D);
  }

  @Test
  void tabCompletesCommands() throws Exception {
    begin();
    type("/cl\t");
    await("/clear");
    type("\r");
    await("Cleared session context");
    await(">>> ");
    type("/set para\ttop_\t");
    await("top_");
    type("k 5\r");
    await("Set parameter 'top_k' to '5'");
    leave(CTRL_D);
  }
}
