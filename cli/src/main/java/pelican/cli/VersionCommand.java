package pelican.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import pelican.engine.Model;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "version", description = "Prints the version.", mixinStandardHelpOptions = true)
final class VersionCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(names = "--verbose", description = "Also print the Java runtime and the kernels.")
  private boolean verbose;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    out.println("pelican version is " + PelicanCommand.Version.version());
    if (verbose) {
      out.println("java: " + Runtime.version() + ", " + System.getProperty("java.vm.name"));
      out.println("kernels: " + Model.kernelDescription());
    }
    return 0;
  }
}
