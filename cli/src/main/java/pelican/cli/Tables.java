package pelican.cli;

import java.io.PrintStream;
import java.util.List;

/** Tables as Ollama prints them: columns to the left, four spaces between, no rules. */
final class Tables {
  private Tables() {}

  static void print(PrintStream out, List<List<String>> rows) {
    int columns = rows.getFirst().size();
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 4));
      }
      out.println(line.toString().stripTrailing());
    }
  }
}
