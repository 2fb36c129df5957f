package pelican.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import pelican.chat.Message;
import pelican.engine.Chat;
import pelican.engine.Model;
import pelican.engine.PelicanException;
import pelican.engine.Session;
import pelican.summary.ModelSummary;

/** A conversation at a terminal. */
final class Conversation {
  private static final String HELP =
      """
      Available Commands:
        /set parameter NAME VALUE…  Set a generation parameter
        /set system TEXT            Set the system message
        /set think, /set nothink    Let the model think before it answers, or not
        /set verbose, /set quiet    Show times and rates after an answer, or not
        /set history, nohistory     Remember what is typed for the next time, or not
        /show info                  Show what the model is
        /show parameters            Show the parameters that were set
        /show system                Show the system message
        /clear                      Forget the conversation
        /?, /help                   Show this
        /bye, /exit                 Leave

      Use \"\"\" to begin and end a message of several lines.
      Ctrl-C stops an answer, Ctrl-D leaves.
      """;

  private final Model model;
  private Parameters parameters;
  private final boolean hideThinking;
  private boolean think;
  private boolean verbose;
  private Optional<String> system;
  private List<Message> first = List.of();
  private Chat chat;
  private Duration loadTime;
  private PrintStream out;

  Conversation(
      Model model,
      Parameters parameters,
      String system,
      boolean think,
      boolean hideThinking,
      boolean verbose) {
    this.model = model;
    this.parameters = parameters;
    this.system = Optional.ofNullable(system);
    this.think = think;
    this.hideThinking = hideThinking;
    this.verbose = verbose;
    loadTime = model.loadTime();
  }

  /** What the conversation begins with after the system message, whenever it begins anew. */
  Conversation beginWith(List<Message> messages) {
    first = List.copyOf(messages);
    return this;
  }

  /** Talks at the terminal of this process. */
  int run() throws IOException {
    try (Terminal terminal = TerminalBuilder.builder().system(true).build()) {
      return run(terminal, historyFile());
    }
  }

  /**
   * Talks at a terminal until the user leaves.
   *
   * @param history where to keep what was typed
   */
  int run(Terminal terminal, Path history) {
    // All that is printed goes one way, so that it comes in the order of the conversation.
    out = new PrintStream(terminal.output(), true, StandardCharsets.UTF_8);
    newChat();
    LineReader reader =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .parser(new MessageParser())
            .completer(new CommandCompleter())
            .variable(LineReader.SECONDARY_PROMPT_PATTERN, "... ")
            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
            .build();
    keepHistory(reader, history);
    out.println("Ask something, or type /? for help.");
    while (true) {
      try {
        String line = MessageParser.unquoted(reader.readLine(">>> "));
        if (line.startsWith("/")) {
          if (!command(reader, line.strip())) {
            return 0;
          }
        } else if (!line.isBlank()) {
          answer(terminal, line);
        }
      } catch (UserInterruptException e) {
        out.println("Use Ctrl-D or /bye to leave.");
      } catch (EndOfFileException e) {
        return 0;
      } catch (PelicanException e) {
        out.println("Error: " + e.getMessage());
      }
    }
  }

  /** What was typed stays for the next time, readable for the user alone. */
  private void keepHistory(LineReader reader, Path file) {
    try {
      Files.createDirectories(file.getParent());
      if (Files.notExists(file)) {
        Files.createFile(file);
      }
      if (Files.getFileStore(file).supportsFileAttributeView("posix")) {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
      }
      reader.setVariable(LineReader.HISTORY_FILE, file);
    } catch (IOException e) {
      out.println("What you type is not remembered: " + e.getMessage() + " cannot be written.");
    }
  }

  private static Path historyFile() {
    String state = System.getenv("XDG_STATE_HOME");
    Path folder =
        state != null && !state.isBlank()
            ? Path.of(state)
            : Path.of(System.getProperty("user.home"), ".local", "state");
    return folder.resolve("pelican").resolve("history");
  }

  private void answer(Terminal terminal, String text) {
    Chat current = chat;
    current.options(parameters.options()).think(think);
    int before = current.messages().size();
    current.messages().add(Message.user(text));
    Terminal.SignalHandler previous =
        terminal.handle(Terminal.Signal.INT, signal -> current.cancel());
    try {
      new AnswerPrinter(out, true, hideThinking).answer(current, verbose ? out : null, loadTime);
      loadTime = Duration.ZERO;
    } catch (PelicanException e) {
      // The message that failed is not part of the conversation.
      current.messages().subList(before, current.messages().size()).clear();
      throw e;
    } finally {
      terminal.handle(Terminal.Signal.INT, previous);
    }
  }

  private void newChat() {
    Session session =
        parameters.contextLength().isPresent()
            ? model.newSession(parameters.contextLength().getAsInt())
            : model.newSession();
    chat = model.chat(session);
    system.ifPresent(text -> chat.messages().add(Message.system(text)));
    chat.messages().addAll(first);
  }

  private void continueInNewSession(Parameters before) {
    List<Message> messages = chat.messages();
    try {
      newChat();
    } catch (PelicanException e) {
      parameters = before;
      throw e;
    }
    chat.messages().clear();
    chat.messages().addAll(messages);
  }

  /** Runs a command; false if it ends the conversation. */
  private boolean command(LineReader reader, String line) {
    List<String> words = new ArrayList<>(Arrays.asList(line.split("\\s+")));
    switch (words.getFirst()) {
      case "/bye", "/exit" -> {
        return false;
      }
      case "/?", "/help" -> out.print(HELP);
      case "/clear" -> {
        newChat();
        out.println("Cleared session context");
      }
      case "/set" -> set(reader, line, words);
      case "/show" -> show(words);
      default -> out.println("Unknown command '" + words.getFirst() + "'. Type /? for help");
    }
    return true;
  }

  private void set(LineReader reader, String line, List<String> words) {
    String what = words.size() > 1 ? words.get(1) : "";
    switch (what) {
      case "parameter" -> {
        if (words.size() < 4) {
          throw new PelicanException("expected /set parameter NAME VALUE");
        }
        Parameters before = parameters;
        Parameters changed = before.copy();
        changed.set(words.get(2), words.subList(3, words.size()));
        parameters = changed;
        if (words.get(2).equals("num_ctx")) {
          continueInNewSession(before);
        }
        out.println(
            "Set parameter '"
                + words.get(2)
                + "' to '"
                + String.join("', '", words.subList(3, words.size()))
                + "'");
      }
      case "system" -> {
        system = Optional.of(line.substring(line.indexOf("system") + "system".length()).strip());
        chat.messages().removeIf(message -> message.role().equals(Message.SYSTEM));
        chat.messages().addFirst(Message.system(system.get()));
        out.println("Set system message.");
      }
      case "think" -> {
        think = true;
        out.println("Set 'think' mode.");
      }
      case "nothink" -> {
        think = false;
        out.println("Set 'nothink' mode.");
      }
      case "verbose" -> {
        verbose = true;
        out.println("Set 'verbose' mode.");
      }
      case "quiet" -> {
        verbose = false;
        out.println("Set 'quiet' mode.");
      }
      case "history", "nohistory" -> {
        reader.setVariable(LineReader.DISABLE_HISTORY, what.equals("nohistory"));
        out.println("Set '" + what + "' mode.");
      }
      default -> out.println("Unknown setting '" + what + "'. Type /? for help");
    }
  }

  private void show(List<String> words) {
    String what = words.size() > 1 ? words.get(1) : "info";
    switch (what) {
      case "info" -> ModelSummary.print(out, model.path());
      case "parameters" -> {
        if (parameters.given().isEmpty()) {
          out.println("No parameters were set.");
        }
        parameters.given().forEach((name, value) -> out.printf("%-30s %s%n", name, value));
      }
      case "system" -> out.println(system.orElse("No system message was set."));
      default -> out.println("Unknown subject '" + what + "'. Type /? for help");
    }
  }
}
