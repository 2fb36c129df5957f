package pelican.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Rows under names, as columns for a terminal or as Markdown. */
final class Table {
  private final List<List<String>> rows = new ArrayList<>();

  Table(String... names) {
    rows.add(List.of(names));
  }

  /**
   * @throws IllegalArgumentException if there is not a cell for each name
   */
  Table add(String... cells) {
    if (cells.length != rows.getFirst().size()) {
      throw new IllegalArgumentException(
          cells.length + " cells, expected " + rows.getFirst().size());
    }
    rows.add(List.of(cells));
    return this;
  }

  String text() {
    return padded().stream()
        .map(row -> String.join("  ", row).stripTrailing() + "\n")
        .collect(Collectors.joining());
  }

  String markdown() {
    List<String> lines = new ArrayList<>();
    for (List<String> row : padded()) {
      lines.add(row.stream().collect(Collectors.joining(" | ", "| ", " |\n")));
    }
    lines.add(1, lines.getFirst().replaceAll("[^|\\n]", "-"));
    return String.join("", lines);
  }

  private List<List<String>> padded() {
    List<List<String>> padded = new ArrayList<>();
    for (List<String> row : rows) {
      List<String> cells = new ArrayList<>();
      for (int i = 0; i < row.size(); i++) {
        cells.add(row.get(i) + " ".repeat(width(i) - row.get(i).length()));
      }
      padded.add(cells);
    }
    return padded;
  }

  private int width(int column) {
    return rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
  }
}
