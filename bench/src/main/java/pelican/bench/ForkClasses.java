package pelican.bench;

import java.io.File;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import pelican.kernel.KernelChoice;

/** The class path of a JVM that JMH starts: the benchmarks, JMH, and one engine. */
final class ForkClasses {
  /** A class of each library: JMH and what it needs itself. */
  private static final List<String> LIBRARIES =
      List.of(
          "org.openjdk.jmh.runner.ForkedMain",
          "joptsimple.OptionParser",
          "org.apache.commons.math3.stat.descriptive.moment.Mean");

  private ForkClasses() {}

  /** The class path with the engine of a folder or jar, which may also be that of another one. */
  static String path(Path engine) {
    Set<Path> entries = new LinkedHashSet<>();
    entries.add(source(MatMulBenchmark.class));
    for (String library : LIBRARIES) {
      try {
        entries.add(source(Class.forName(library)));
      } catch (ClassNotFoundException e) {
        throw new IllegalStateException(e);
      }
    }
    entries.add(engine);
    return entries.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
  }

  /** The engine that this program itself runs with. */
  static Path ownEngine() {
    return source(KernelChoice.class);
  }

  private static Path source(Class<?> type) {
    try {
      return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
