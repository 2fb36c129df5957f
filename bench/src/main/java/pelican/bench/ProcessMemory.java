package pelican.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads from Linux how much memory processes take. */
final class ProcessMemory {
  private static final Path PROC = Path.of("/proc");

  /** The first line of a mapping: addresses, rights, offset, device, inode, and the file if any. */
  private static final Pattern MAPPING =
      Pattern.compile("[0-9a-f]+-[0-9a-f]+ \\S+ [0-9a-f]+ [0-9a-f:]+ \\d+ *(.*)");

  private static final Pattern SHARE = Pattern.compile("Pss: +(\\d+) kB");

  private ProcessMemory() {}

  /** Whether this system tells. */
  static boolean isKnown() {
    return Files.isReadable(PROC.resolve("self/smaps"));
  }

  /**
   * Bytes that a process and its descendants have in memory now but for those of a file that they
   * map. Pages that several processes share are divided among them.
   */
  static long beyond(Path file, ProcessHandle process) {
    List<ProcessHandle> all = new ArrayList<>(List.of(process));
    try (Stream<ProcessHandle> descendants = process.descendants()) {
      descendants.forEach(all::add);
    }
    long sum = 0;
    for (ProcessHandle one : all) {
      try {
        Path maps = PROC.resolve(one.pid() + "/smaps");
        sum += beyond(file, new String(Files.readAllBytes(maps), StandardCharsets.UTF_8));
      } catch (IOException e) {
        // it has just ended
      }
    }
    return sum;
  }

  /** The same of one process, from the text of its {@code smaps}. */
  static long beyond(Path file, String smaps) throws IOException {
    long kilobytes = 0;
    boolean counts = true;
    BufferedReader lines = new BufferedReader(new StringReader(smaps));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      Matcher mapping = MAPPING.matcher(line);
      if (mapping.matches()) {
        counts = !mapping.group(1).equals(file.toString());
      } else if (counts) {
        Matcher share = SHARE.matcher(line);
        kilobytes += share.matches() ? Long.parseLong(share.group(1)) : 0;
      }
    }
    return kilobytes * 1024;
  }
}
