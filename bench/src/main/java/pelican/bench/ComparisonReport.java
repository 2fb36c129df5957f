package pelican.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * What {@code bench/compare} found.
 *
 * @param model the file
 * @param engine the name of this engine
 * @param peer the name of the other one, or null if there was none
 */
record ComparisonReport(
    String model, String engine, String peer, List<Speed> speed, List<Figure> figures) {
  /**
   * The rates of a case, in tokens a second; what stands at the same place in the lists was
   * measured one after the other.
   *
   * @param ours of this engine
   * @param theirs of the other one, or null
   */
  record Speed(SpeedCase test, Spread ours, Spread theirs) {
    /** How many times faster this engine was in each pair; null without the other. */
    Spread ratio() {
      if (theirs == null) {
        return null;
      }
      List<Double> ratios = new ArrayList<>();
      for (int i = 0; i < ours.values().size(); i++) {
        ratios.add(ours.values().get(i) / theirs.values().get(i));
      }
      return Spread.of(ratios);
    }
  }

  /**
   * Another measurement.
   *
   * @param decimals that it is worth showing
   */
  record Figure(String name, String unit, int decimals, Spread values) {}

  /** How near the slowest fresh JVM comes to the fastest when it generates in an empty context. */
  static List<Figure> freshJvms(List<Speed> speeds) {
    List<Figure> figures = new ArrayList<>();
    for (Speed speed : speeds) {
      Spread ours = speed.ours;
      if (speed.test.genTokens() > 0 && speed.test.depth() == 0 && ours.values().size() > 1) {
        figures.add(
            new Figure(
                "%d fresh JVMs, slowest / fastest, %s, %d thread(s)"
                    .formatted(ours.values().size(), speed.test.test(), speed.test.threads()),
                "",
                2,
                Spread.of(List.of(ours.min() / ours.max()))));
      }
    }
    return figures;
  }

  /** The report with its ratios, for other programs. */
  String json() {
    record Row(
        String test,
        int threads,
        int promptTokens,
        int genTokens,
        int depth,
        Spread tokensPerSecond,
        Spread peerTokensPerSecond,
        Spread ratio) {}
    record Whole(String model, String engine, String peer, List<Row> speed, List<Figure> figures) {}
    List<Row> rows = new ArrayList<>();
    for (Speed one : speed) {
      SpeedCase test = one.test;
      rows.add(
          new Row(
              test.test(),
              test.threads(),
              test.promptTokens(),
              test.genTokens(),
              test.depth(),
              one.ours,
              one.theirs,
              one.ratio()));
    }
    return Json.write(new Whole(model, engine, peer, rows, figures)) + "\n";
  }

  String markdown() {
    return text(true);
  }

  String text() {
    return text(false);
  }

  private String text(boolean markdown) {
    List<String> parts = new ArrayList<>();
    if (!speed.isEmpty()) {
      parts.add(markdown ? speedTable().markdown() : speedTable().text());
    }
    if (!figures.isEmpty()) {
      Table table = new Table("figure", "median (min–max)");
      for (Figure figure : figures) {
        String unit = figure.unit.isEmpty() ? "" : " " + figure.unit;
        table.add(figure.name, figure.values.format(figure.decimals) + unit);
      }
      parts.add(markdown ? table.markdown() : table.text());
    }
    return String.join("\n", parts);
  }

  private Table speedTable() {
    if (peer == null) {
      Table table = new Table("test", "threads", engine + ", tokens/s");
      for (Speed one : speed) {
        table.add(one.test.test(), String.valueOf(one.test.threads()), one.ours.format(2));
      }
      return table;
    }
    Table table = new Table("test", "threads", engine + ", tokens/s", peer + ", tokens/s", "ratio");
    for (Speed one : speed) {
      table.add(
          one.test.test(),
          String.valueOf(one.test.threads()),
          one.ours.format(2),
          one.theirs.format(2),
          one.ratio().format(2));
    }
    return table;
  }
}
