package pelican.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class PelicanCommandTest {
  @Test
  void aCommandLineHasTheOneSubcommandThatItsFirstArgumentNames() {
    CommandLine line = PelicanCommand.commandLine("rm", "a-model");
    assertThat(line.getSubcommands()).containsOnlyKeys("rm");
  }

  @Test
  void otherCommandLinesHaveAllSubcommands() {
    for (String[] args :
        new String[][] {
          {}, {"--help"}, {"ls"}, {"generate-completion"}, {"no"}, {"frobnicate", "chat"}
        }) {
      assertThat(PelicanCommand.commandLine(args).getSubcommands())
          .containsKeys("chat", "serve", "list", "ls", "version", "generate-completion")
          .hasSizeGreaterThan(19);
    }
  }
}
