package pelican.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pelican.engine.PelicanException;

/** Results are kept, gone on with, and not mixed with those of something else. */
class ResultFileTest {
  private static final Map<String, String> OPTIONS = Map.of("temperature", "0");
  private static final Dataset DEMO = Dataset.builtIn("demo");
  private static final Candidate MODEL = new Candidate("m", "m.gguf", "sha256:aa");

  @TempDir private Path folder;

  private Path path() {
    return folder.resolve("results.jsonl");
  }

  private static Result result(String id) {
    return new Result("m", id, true, "two\nlines \"quoted\"", 3, true, 0.25);
  }

  private void write(String... ids) throws IOException {
    try (ResultFile file = ResultFile.open(path(), DEMO, OPTIONS)) {
      file.begin(MODEL);
      for (String id : ids) {
        file.add(result(id));
      }
    }
  }

  private List<Result> read() throws IOException {
    try (ResultFile file = ResultFile.open(path(), DEMO, OPTIONS)) {
      file.begin(MODEL);
      return file.results();
    }
  }

  @Test
  void whatWasWrittenIsRead() throws IOException {
    write("1", "2");
    write("3");
    assertThat(read()).containsExactly(result("1"), result("2"), result("3"));
    assertThat(Files.readAllLines(path())).hasSize(5);
  }

  @Test
  void cutAnywhereTheWholeLinesStay() throws IOException {
    write("1", "2");
    byte[] whole = Files.readAllBytes(path());
    for (int length = 0; length <= whole.length; length++) {
      Files.write(path(), Arrays.copyOf(whole, length));
      int lines = (int) new String(whole, 0, length).chars().filter(c -> c == '\n').count();
      assertThat(read()).as("%d bytes", length).hasSize(Math.max(0, lines - 2));
      write("9");
      assertThat(read())
          .as("%d bytes", length)
          .hasSize(Math.max(0, lines - 2) + 1)
          .contains(result("9"));
    }
  }

  @Test
  void refusesResultsOfSomethingElse() throws IOException {
    write("1");
    Path other =
        Files.writeString(folder.resolve("o.jsonl"), "{\"prompt\":\"a\",\"answer\":\"b\"}");
    assertThatThrownBy(() -> ResultFile.open(path(), Dataset.read(other), OPTIONS))
        .isInstanceOf(PelicanException.class)
        .hasMessageMatching(
            "(?s).*results.jsonl holds results of the set demo \\(sha256:[0-9a-f]{64}\\), not .*"
                + "o.jsonl \\(sha256:[0-9a-f]{64}\\): to begin anew, give another --output.*");
    assertThatThrownBy(() -> ResultFile.open(path(), DEMO, Map.of("temperature", "1")))
        .hasMessageContaining("holds results with temperature 0, not temperature 1:");
    assertThatThrownBy(() -> ResultFile.open(path(), DEMO, Map.of("temperature", "0", "seed", "3")))
        .hasMessageContaining("holds results with seed unset, not seed 3:");
    try (ResultFile file = ResultFile.open(path(), DEMO, OPTIONS)) {
      file.begin(new Candidate("another", "x.gguf", "sha256:bb"));
      assertThatThrownBy(() -> file.begin(new Candidate("m", "n.gguf", "sha256:bb")))
          .hasMessageContaining(
              "holds results of another m (m.gguf, sha256:aa), not n.gguf (sha256:bb):");
      assertThatThrownBy(() -> ResultFile.open(path(), DEMO, OPTIONS))
          .hasMessageContaining("another evaluation is writing it");
    }
  }

  @Test
  void leavesOtherFilesAsTheyAre() throws IOException {
    for (String text : List.of("Dear diary", "Dear diary\n", "{\"prompt\":\"a\"}\n", "[]\n")) {
      Files.writeString(path(), text);
      assertThatThrownBy(this::read)
          .isInstanceOf(PelicanException.class)
          .hasMessageContaining("results.jsonl holds no results of eval");
      assertThat(path()).hasContent(text);
    }
  }

  @Test
  void namesTheLineThatIsDamaged() throws IOException {
    write("1");
    Files.writeString(path(), "{\"result\":{\"model\":\n", StandardOpenOption.APPEND);
    assertThatThrownBy(this::read).hasMessageContaining("results.jsonl, line 4: no result:");
  }
}
