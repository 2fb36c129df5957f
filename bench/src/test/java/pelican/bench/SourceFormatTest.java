package pelican.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * All sources are as google-java-format writes them; {@code -Dpelican.format=true} makes them so.
 */
class SourceFormatTest {
  @Test
  void sourcesAreFormatted() throws IOException, FormatterException {
    boolean write = Boolean.getBoolean("pelican.format");
    Formatter formatter = new Formatter();
    List<Path> unformatted = new ArrayList<>();
    int seen = 0;
    for (Path source : sources()) {
      String text = Files.readString(source);
      String formatted = formatter.formatSourceAndFixImports(text);
      seen++;
      if (!formatted.equals(text)) {
        unformatted.add(source);
        if (write) {
          Files.writeString(source, formatted);
        }
      }
    }
    assertThat(seen).isGreaterThan(100);
    if (!write) {
      assertThat(unformatted).as("run: mvn test -pl bench -am -Dpelican.format=true").isEmpty();
    }
  }

  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    for (String module : List.of("engine", "models", "cli", "bench")) {
      try (Stream<Path> files = Files.walk(Path.of("..", module, "src"))) {
        files.filter(path -> path.toString().endsWith(".java")).forEach(sources::add);
      }
    }
    return sources;
  }
}
