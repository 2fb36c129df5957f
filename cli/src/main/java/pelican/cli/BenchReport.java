package pelican.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;

/**
 * What {@code bench} prints.
 *
 * @param model the model as the user named it, without folders
 * @param kernels which kernels ran
 * @param results a row each
 * @param bandwidth gigabytes a second that so many threads can read from memory; lacks what was not
 *     measured
 */
record BenchReport(
    String model, String kernels, List<BenchResult> results, Map<Integer, Double> bandwidth) {
  /** The columns that hold text, model and test; the others are set to the right. */
  private static final Set<Integer> TEXT = Set.of(0, 2);

  /** One object for each test, with every run; numbers are not rounded. */
  String json() {
    List<Map<String, Object>> rows = new ArrayList<>();
    for (BenchResult result : results) {
      Map<String, Object> rate = new LinkedHashMap<>();
      rate.put("median", result.rate());
      rate.put("slowest", result.slowest());
      rate.put("fastest", result.fastest());
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("model", model);
      row.put("kernels", kernels);
      row.put("threads", result.threads());
      row.put("test", result.test());
      row.put("promptTokens", result.promptTokens());
      row.put("genTokens", result.genTokens());
      row.put("depth", result.depth());
      row.put("parallel", result.parallel());
      row.put("tokensPerSecond", rate);
      row.put("gigabytesPerSecond", result.readsWeights() ? result.gigabytes() : null);
      row.put("gigaflopsPerSecond", result.gigaflops());
      row.put("memoryGigabytesPerSecond", bandwidth.get(result.threads()));
      row.put("shareOfMemoryBandwidth", share(result));
      row.put("seconds", result.seconds());
      row.put("tokenSeconds", result.tokenSeconds());
      rows.add(row);
    }
    return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(rows) + "\n";
  }

  /** Comma-separated values under a row of names, quoted where they have to be. */
  String csv() {
    return lines(
        row -> row.stream().map(BenchReport::quoted).collect(Collectors.joining(",")), false);
  }

  String markdown() {
    int[] widths = widths();
    return lines(
        row -> padded(row, widths).stream().collect(Collectors.joining(" | ", "| ", " |")), true);
  }

  /** Columns for a terminal. */
  String text() {
    int[] widths = widths();
    return lines(row -> String.join("  ", padded(row, widths)).stripTrailing(), false);
  }

  private String lines(Function<List<String>, String> line, boolean ruled) {
    if (results.isEmpty()) {
      return "";
    }
    List<List<String>> rows = rows();
    StringBuilder text = new StringBuilder(line.apply(rows.getFirst())).append('\n');
    if (ruled) {
      int[] widths = widths();
      for (int i = 0; i < widths.length; i++) {
        text.append(i == 0 ? "|" : "").append("-".repeat(widths[i] + 1));
        text.append(TEXT.contains(i) ? "-|" : ":|");
      }
      text.append('\n');
    }
    rows.stream().skip(1).forEach(row -> text.append(line.apply(row)).append('\n'));
    return text.toString();
  }

  /** The names of the columns, then the results. */
  private List<List<String>> rows() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "model",
            "threads",
            "test",
            "tokens/s",
            "slowest",
            "fastest",
            "GB/s",
            "GFLOP/s",
            "of memory"));
    for (BenchResult result : results) {
      Double share = share(result);
      rows.add(
          List.of(
              model,
              String.valueOf(result.threads()),
              result.test(),
              rounded(result.rate()),
              rounded(result.slowest()),
              rounded(result.fastest()),
              result.readsWeights() ? rounded(result.gigabytes()) : "",
              rounded(result.gigaflops()),
              share == null ? "" : Math.round(100 * share) + "%"));
    }
    return rows;
  }

  /** What part of the memory's bandwidth reading weights took; null if that is not known. */
  private Double share(BenchResult result) {
    Double all = bandwidth.get(result.threads());
    return all == null || !result.readsWeights() ? null : result.gigabytes() / all;
  }

  private int[] widths() {
    List<List<String>> rows = rows();
    int[] widths = new int[rows.getFirst().size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    return widths;
  }

  private static List<String> padded(List<String> row, int[] widths) {
    List<String> cells = new ArrayList<>();
    for (int i = 0; i < widths.length; i++) {
      String space = " ".repeat(widths[i] - row.get(i).length());
      cells.add(TEXT.contains(i) ? row.get(i) + space : space + row.get(i));
    }
    return cells;
  }

  private static String quoted(String cell) {
    boolean plain = cell.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
    return plain ? cell : '"' + cell.replace("\"", "\"\"") + '"';
  }

  private static String rounded(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }
}
