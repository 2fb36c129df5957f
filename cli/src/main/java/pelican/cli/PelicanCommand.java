package pelican.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Properties;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The root of the command line. */
@Command(
    name = "pelican",
    description = "Runs Gemma 4 models from GGUF files, in pure Java.",
    mixinStandardHelpOptions = true,
    versionProvider = PelicanCommand.Version.class,
    synopsisSubcommandLabel = "COMMAND")
final class PelicanCommand implements Runnable {
  private static final List<Class<?>> SUBCOMMANDS =
      List.of(
          ChatCommand.class,
          RunCommand.class,
          ServeCommand.class,
          PsCommand.class,
          StopCommand.class,
          PullCommand.class,
          ListCommand.class,
          ShowCommand.class,
          CreateCommand.class,
          CopyCommand.class,
          RemoveCommand.class,
          TokenizeCommand.class,
          RenderCommand.class,
          LogitsCommand.class,
          QuantizeCommand.class,
          BenchCommand.class,
          CompareCommand.class,
          EvalCommand.class,
          VersionCommand.class,
          GenerateCompletion.class);

  @Spec private CommandSpec spec;

  /**
   * A command line for some arguments: to take all subcommands apart takes an eighth of a second,
   * so where the first argument names one, it has only that, unless that one is about all of them.
   */
  static CommandLine commandLine(String... args) {
    CommandLine line = new CommandLine(new PelicanCommand());
    SUBCOMMANDS.stream()
        .filter(type -> type != GenerateCompletion.class)
        .filter(type -> args.length > 0 && name(type).equals(args[0]))
        .findFirst()
        .ifPresentOrElse(line::addSubcommand, () -> SUBCOMMANDS.forEach(line::addSubcommand));
    return line;
  }

  private static String name(Class<?> type) {
    return type.getAnnotation(Command.class).name();
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "no command given, expected one of " + String.join(", ", spec.subcommands().keySet()));
  }

  /** The version that the build wrote down. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() throws IOException {
      return new String[] {"pelican version is " + version()};
    }

    static String version() throws IOException {
      Properties properties = new Properties();
      try (InputStream in = PelicanCommand.class.getResourceAsStream("version.properties")) {
        properties.load(in);
      }
      return properties.getProperty("version");
    }
  }
}
