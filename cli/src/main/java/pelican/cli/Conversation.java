package pelican.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

/** A conversation at a terminal. */
final class Conversation {
  private static final String QUOTES = "\"\"\"";
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
  private final Parameters parameters;
  private final boolean hideThinking;
  private boolean think;
  private boolean verbose;
  private Optional<String> system;
  private Chat chat;
  private Duration loadTime;

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

  int run() throws IOException {
    newChat();
    try (Terminal terminal = TerminalBuilder.builder().system(true).build()) {
      LineReader reader =
          LineReaderBuilder.builder()
              .terminal(terminal)
              .variable(LineReader.HISTORY_FILE, historyFile())
              .variable(LineReader.SECONDARY_PROMPT_PATTERN, "... ")
              .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
              .build();
      terminal.writer().println("Ask something, or type /? for help.");
      while (true) {
        try {
          String line = read(reader);
          if (line.startsWith("/")) {
            if (!command(reader, line.strip())) {
              return 0;
            }
          } else if (!line.isBlank()) {
            answer(terminal, line);
          }
        } catch (UserInterruptException e) {
          terminal.writer().println("Use Ctrl-D or /bye to leave.");
        } catch (EndOfFileException e) {
          return 0;
        } catch (PelicanException e) {
          terminal.writer().println("Error: " + e.getMessage());
        }
        terminal.flush();
      }
    }
  }

  private static Path historyFile() throws IOException {
    String state = System.getenv("XDG_STATE_HOME");
    Path folder =
        state != null && !state.isBlank()
            ? Path.of(state)
            : Path.of(System.getProperty("user.home"), ".local", "state");
    Files.createDirectories(folder.resolve("pelican"));
    return folder.resolve("pelican").resolve("history");
  }

  /** One message: a line, or lines between triple quotes. */
  private static String read(LineReader reader) {
    String line = reader.readLine(">>> ");
    int quotes = line.indexOf(QUOTES);
    if (quotes < 0) {
      return line;
    }
    StringBuilder text = new StringBuilder(line.substring(0, quotes));
    String rest = line.substring(quotes + QUOTES.length());
    while (!rest.contains(QUOTES)) {
      text.append(rest).append('\n');
      rest = reader.readLine("... ");
    }
    return text.append(rest, 0, rest.indexOf(QUOTES)).toString();
  }

  private void answer(Terminal terminal, String text) {
    Chat current = chat;
    current.options(parameters.options()).think(think);
    int before = current.messages().size();
    current.messages().add(Message.user(text));
    Terminal.SignalHandler previous =
        terminal.handle(Terminal.Signal.INT, signal -> current.cancel());
    try {
      new AnswerPrinter(System.out, true, hideThinking)
          .answer(current, verbose ? System.err : null, loadTime);
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
  }

  /** Runs a command; false if it ends the conversation. */
  private boolean command(LineReader reader, String line) {
    List<String> words = new ArrayList<>(Arrays.asList(line.split("\\s+")));
    switch (words.getFirst()) {
      case "/bye", "/exit" -> {
        return false;
      }
      case "/?", "/help" -> System.out.print(HELP);
      case "/clear" -> {
        newChat();
        System.out.println("Cleared session context");
      }
      case "/set" -> set(reader, line, words);
      case "/show" -> show(words);
      default -> System.out.println("Unknown command '" + words.getFirst() + "'. Type /? for help");
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
        parameters.set(words.get(2), words.subList(3, words.size()));
        if (words.get(2).equals("num_ctx")) {
          List<Message> messages = List.copyOf(chat.messages());
          newChat();
          chat.messages().clear();
          chat.messages().addAll(messages);
        }
        System.out.println(
            "Set parameter '" + words.get(2) + "' to " + words.subList(3, words.size()));
      }
      case "system" -> {
        system = Optional.of(line.substring(line.indexOf("system") + "system".length()).strip());
        chat.messages().removeIf(message -> message.role().equals(Message.SYSTEM));
        chat.messages().addFirst(Message.system(system.get()));
        System.out.println("Set system message.");
      }
      case "think" -> {
        think = true;
        System.out.println("Set 'think' mode.");
      }
      case "nothink" -> {
        think = false;
        System.out.println("Set 'nothink' mode.");
      }
      case "verbose" -> {
        verbose = true;
        System.out.println("Set 'verbose' mode.");
      }
      case "quiet" -> {
        verbose = false;
        System.out.println("Set 'quiet' mode.");
      }
      case "history", "nohistory" -> {
        reader.setVariable(LineReader.DISABLE_HISTORY, what.equals("nohistory"));
        System.out.println("Set '" + what + "' mode.");
      }
      default -> System.out.println("Unknown setting '" + what + "'. Type /? for help");
    }
  }

  private void show(List<String> words) {
    String what = words.size() > 1 ? words.get(1) : "info";
    switch (what) {
      case "info" -> ModelSummary.print(System.out, model.path());
      case "parameters" -> {
        if (parameters.given().isEmpty()) {
          System.out.println("No parameters were set.");
        }
        parameters.given().forEach((name, value) -> System.out.printf("%-30s %s%n", name, value));
      }
      case "system" -> System.out.println(system.orElse("No system message was set."));
      default -> System.out.println("Unknown subject '" + what + "'. Type /? for help");
    }
  }
}
