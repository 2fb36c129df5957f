package pelican.summary;

import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A table under a heading.
 *
 * @param heading what it shows
 * @param rows rows of equal length, at least one: the first names the columns
 * @param notes sentences below the table
 */
public record TableSection(String heading, List<List<String>> rows, List<String> notes) {
  /** A row of a table with a column for each of some things. */
  public static <T> List<String> row(String name, List<T> things, Function<T, String> cell) {
    return Stream.concat(Stream.of(name), things.stream().map(cell)).toList();
  }

  /** As aligned columns. */
  public String terminal() {
    StringBuilder text = new StringBuilder(heading).append('\n');
    int columns = rows.getFirst().size();
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder("  ");
      for (int i = 0; i < columns; i++) {
        line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 3));
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    notes.forEach(note -> text.append("  ").append(note).append('\n'));
    return text.toString();
  }

  /** As Markdown. */
  public String markdown() {
    StringBuilder text = new StringBuilder("## ").append(heading).append("\n\n");
    text.append(markdown(rows.getFirst()));
    text.append("|").append("---|".repeat(rows.getFirst().size())).append('\n');
    rows.stream().skip(1).map(TableSection::markdown).forEach(text::append);
    notes.forEach(note -> text.append('\n').append(escaped(note)).append('\n'));
    return text.toString();
  }

  private static String markdown(List<String> row) {
    return row.stream().map(TableSection::escaped).collect(Collectors.joining(" | ", "| ", " |\n"));
  }

  /** Keeps what models answer from being taken for Markdown or HTML. */
  public static String escaped(String text) {
    return text.replaceAll("([\\\\`*_{}\\[\\]<>#|])", "\\\\$1");
  }

  /** The beginning of a text on one line. */
  public static String shortened(String text, int length) {
    String line = oneLine(text);
    return line.length() > length ? line.substring(0, length) + "…" : line;
  }

  /**
   * A text on one line; control characters, which models may answer with, could steer terminals.
   */
  public static String oneLine(String text) {
    return text.replace("\n", "⏎").replaceAll("\\p{Cntrl}", "·");
  }
}
