package pelican.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** Counts cores: a second thread on a core adds nothing to arithmetic that keeps the core busy. */
final class Cores {
  private Cores() {}

  /** The physical cores that this process may use; where that is not known, the logical ones. */
  static int physical() {
    int available = Runtime.getRuntime().availableProcessors();
    Set<String> cores = new HashSet<>();
    try {
      String socket = "";
      for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
        if (line.startsWith("physical id")) {
          socket = line;
        } else if (line.startsWith("core id")) {
          cores.add(socket + line);
        }
      }
    } catch (IOException e) {
      return available;
    }
    return cores.isEmpty() ? available : Math.min(available, cores.size());
  }
}
