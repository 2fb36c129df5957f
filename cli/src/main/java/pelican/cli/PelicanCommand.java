package pelican.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.AutoComplete.GenerateCompletion;
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
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
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
      GenerateCompletion.class,
    })
final class PelicanCommand implements Runnable {
  @Spec private CommandSpec spec;

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
