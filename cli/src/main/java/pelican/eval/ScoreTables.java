package pelican.eval;

import static pelican.summary.Numbers.fixed;
import static pelican.summary.Numbers.percent;
import static pelican.summary.Numbers.significant;
import static pelican.summary.TableSection.row;
import static pelican.summary.TableSection.shortened;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import pelican.summary.TableSection;

/** Scores as text: tables for a terminal, or Markdown. */
public final class ScoreTables {
  /** Prompts of a pair that are shown, and characters of what was said. */
  private static final int SHOWN = 5;

  private static final int WIDTH = 60;

  private ScoreTables() {}

  /**
   * As aligned columns.
   *
   * @param wrong how many wrong answers of each model to show
   */
  public static String terminal(Scores scores, int wrong) {
    return head(scores)
        + "\n"
        + sections(scores, wrong).stream()
            .map(TableSection::terminal)
            .collect(Collectors.joining("\n", "\n", ""));
  }

  /** As Markdown. */
  public static String markdown(Scores scores, int wrong) {
    return "# Scores\n\n"
        + TableSection.escaped(head(scores))
        + "\n\n"
        + sections(scores, wrong).stream()
            .map(TableSection::markdown)
            .collect(Collectors.joining("\n"));
  }

  private static String head(Scores scores) {
    String options =
        scores.options().entrySet().stream()
            .map(option -> option.getKey() + " " + option.getValue())
            .collect(Collectors.joining(", "));
    return "%s: %d prompts, %s".formatted(scores.dataset(), scores.prompts(), options);
  }

  private static List<TableSection> sections(Scores scores, int wrong) {
    List<TableSection> sections = new ArrayList<>();
    sections.add(rates(scores));
    scores.pairs().forEach(pair -> sections.add(pair(pair)));
    for (Scores.ModelScores model : scores.models()) {
      if (wrong > 0 && !model.wrong().isEmpty()) {
        sections.add(wrong(model, wrong));
      }
    }
    return sections;
  }

  private static TableSection rates(Scores scores) {
    List<Scores.ModelScores> models = scores.models();
    List<List<String>> rows = new ArrayList<>();
    rows.add(row("", models, m -> m.candidate().model()));
    Set<String> categories = new LinkedHashSet<>();
    models.forEach(model -> categories.addAll(model.categories().keySet()));
    for (String category : categories) {
      rows.add(row(category, models, m -> rate(m.categories().get(category))));
    }
    rows.add(row("all", models, m -> rate(m.all())));
    rows.add(row("tokens in an answer", models, m -> fixed(m.tokens(), 1)));
    rows.add(row("cut by a limit", models, m -> Integer.toString(m.cut())));
    List<String> notes = new ArrayList<>();
    for (Scores.ModelScores model : models) {
      if (model.answered() < scores.prompts()) {
        notes.add(
            "missing: %d of %d answers of %s"
                .formatted(
                    scores.prompts() - model.answered(),
                    scores.prompts(),
                    model.candidate().model()));
      }
    }
    return new TableSection("Right answers, with 95 % confidence (Wilson)", rows, notes);
  }

  private static String rate(Proportion rate) {
    return rate.trials() == 0
        ? "—"
        : "%s (%s–%s), %d of %d"
            .formatted(
                percent(rate.share()),
                fixed(100 * rate.low(), 1),
                fixed(100 * rate.high(), 1),
                rate.right(),
                rate.trials());
  }

  private static TableSection pair(Scores.Pair pair) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("both right", "only " + pair.first(), "only " + pair.second(), "neither"));
    rows.add(
        List.of(
            Integer.toString(pair.both()),
            Integer.toString(pair.onlyFirst()),
            Integer.toString(pair.onlySecond()),
            Integer.toString(pair.neither())));
    List<String> notes = new ArrayList<>();
    notes.add(
        "McNemar's exact test: p = "
            + significant(pair.p())
            + (pair.p() < 0.05
                ? ", a difference that chance seldom makes"
                : ", no difference that chance could not make"));
    for (Scores.Apart apart : pair.apart().subList(0, Math.min(SHOWN, pair.apart().size()))) {
      notes.add(
          "only %s: %s → %s / %s"
              .formatted(
                  apart.right(),
                  shortened(apart.prompt(), WIDTH),
                  shortened(apart.firstAnswer(), WIDTH),
                  shortened(apart.secondAnswer(), WIDTH)));
    }
    if (pair.apart().size() > SHOWN) {
      notes.add("and " + (pair.apart().size() - SHOWN) + " more, all in --json");
    }
    return new TableSection(pair.first() + " and " + pair.second(), rows, notes);
  }

  private static TableSection wrong(Scores.ModelScores model, int count) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("line", "prompt", "expected", "answer"));
    for (Scores.Wrong wrong : model.wrong().subList(0, Math.min(count, model.wrong().size()))) {
      rows.add(
          List.of(
              Integer.toString(wrong.line()),
              shortened(wrong.prompt(), WIDTH),
              shortened(wrong.expected(), WIDTH),
              shortened(wrong.answer(), WIDTH)));
    }
    return new TableSection(
        "Wrong answers of " + model.candidate().model() + ", " + model.wrong().size(),
        rows,
        List.of());
  }
}
