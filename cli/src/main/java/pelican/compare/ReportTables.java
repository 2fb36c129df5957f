package pelican.compare;

import static pelican.summary.Numbers.fixed;
import static pelican.summary.Numbers.percent;
import static pelican.summary.Numbers.significant;
import static pelican.summary.TableSection.escaped;
import static pelican.summary.TableSection.oneLine;
import static pelican.summary.TableSection.row;
import static pelican.summary.TableSection.shortened;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import pelican.summary.ModelSummary;
import pelican.summary.TableSection;

/** A report as text: tables for a terminal, or Markdown. */
public final class ReportTables {
  /** Characters of an answer that are shown, so that a prompt stays on a few lines. */
  private static final int SHOWN = 60;

  private ReportTables() {}

  /**
   * As aligned columns.
   *
   * @param said notes that were shown before
   */
  public static String terminal(Report report, List<String> said) {
    StringBuilder text = new StringBuilder();
    for (String line : head(report)) {
      if (!said.contains(line)) {
        text.append(line).append('\n');
      }
    }
    sections(report).forEach(section -> text.append('\n').append(section.terminal()));
    return text.toString();
  }

  /** As Markdown. */
  public static String markdown(Report report) {
    StringBuilder text = new StringBuilder("# Comparison\n\n");
    for (String line : head(report)) {
      text.append("- ").append(escaped(line)).append('\n');
    }
    sections(report).forEach(section -> text.append('\n').append(section.markdown()));
    return text.toString();
  }

  private static List<String> head(Report report) {
    List<String> lines = new ArrayList<>(report.notes());
    if (!report.complete()) {
      report.missing().forEach(missing -> lines.add("missing: " + missing));
    }
    return lines;
  }

  private static List<TableSection> sections(Report report) {
    List<TableSection> sections = new ArrayList<>();
    sections.add(storage(report.models()));
    sections.add(metadata(report));
    if (!report.weights().isEmpty()) {
      sections.add(weights(report.weights()));
    }
    if (!report.quality().isEmpty()) {
      sections.add(quality(report.quality()));
      sections.add(positions(report.worst()));
    }
    if (!report.behaviours().isEmpty()) {
      sections.add(summary(report));
      sections.add(answers(report));
    }
    if (!report.speed().isEmpty()) {
      sections.add(speed(report.speed()));
    }
    report.blocks().forEach(block -> sections.add(block(block)));
    return sections;
  }

  private static TableSection storage(List<ModelFacts> models) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(row("", models, ModelFacts::model));
    rows.add(row("file", models, ModelFacts::file));
    rows.add(row("size", models, m -> ModelSummary.size(m.fileBytes())));
    rows.add(row("saving", models, m -> percent(m.saving())));
    rows.add(row("bits per weight", models, m -> fixed(m.bitsPerWeight(), 2)));
    rows.add(row("quantization", models, ModelFacts::quantization));
    rows.add(row("parameters", models, m -> ModelSummary.count(m.parameters())));
    List<String> types =
        models.stream()
            .flatMap(m -> m.types().stream())
            .map(ModelFacts.TypeBytes::type)
            .distinct()
            .toList();
    for (String type : types) {
      rows.add(
          row(
              type,
              models,
              m ->
                  m.types().stream()
                      .filter(t -> t.type().equals(type))
                      .map(t -> ModelSummary.size(t.bytes()) + " in " + t.tensors())
                      .findFirst()
                      .orElse("—")));
    }
    return new TableSection("Storage", rows, List.of());
  }

  private static TableSection metadata(Report report) {
    List<ModelFacts> models = report.models();
    List<List<String>> rows = new ArrayList<>();
    rows.add(row("", models, ModelFacts::model));
    for (ModelFacts.MetadataRow entry : report.metadata()) {
      if (entry.differs()) {
        String mark = entry.storage() ? " (storage)" : "";
        rows.add(Stream.concat(Stream.of(entry.key() + mark), entry.values().stream()).toList());
      }
    }
    long equal = report.metadata().stream().filter(entry -> !entry.differs()).count();
    return new TableSection("Metadata that differs", rows, List.of(equal + " keys are equal."));
  }

  private static TableSection weights(List<Report.Weights> models) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("model", "tensor", "types", "relative RMS", "max", "cosine"));
    for (Report.Weights model : models) {
      rows.add(
          List.of(
              model.model(),
              "all " + model.tensors().size(),
              "",
              significant(model.relativeRms()),
              significant(max(model.tensors())),
              ""));
      for (WeightError error : model.worst()) {
        rows.add(
            List.of(
                model.model(),
                error.tensor(),
                error.referenceType() + " → " + error.type(),
                significant(error.relativeRms()),
                significant(error.max()),
                fixed(error.cosine(), 6)));
      }
    }
    return new TableSection("Weights: error against the reference, worst tensors", rows, List.of());
  }

  private static double max(List<WeightError> errors) {
    return errors.stream().mapToDouble(WeightError::max).max().orElse(0);
  }

  private static TableSection quality(List<Report.Measured> models) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(row("", models, Report.Measured::model));
    rows.add(row("positions", models, m -> Integer.toString(m.statistics().positions())));
    rows.add(row("KL mean, nats", models, m -> estimate(m.statistics().kl())));
    rows.add(row("KL median", models, m -> significant(m.statistics().klMedian())));
    rows.add(row("KL 95 %", models, m -> significant(m.statistics().kl95())));
    rows.add(row("KL 99 %", models, m -> significant(m.statistics().kl99())));
    rows.add(row("KL max", models, m -> significant(m.statistics().klMax())));
    rows.add(
        row(
            "same top token",
            models,
            m ->
                percent(m.statistics().sameTop().value())
                    + " ± "
                    + percent(m.statistics().sameTop().uncertainty())));
    rows.add(row("mean Δp", models, m -> estimate(m.statistics().shift())));
    rows.add(row("RMS Δp", models, m -> estimate(m.statistics().shiftRms())));
    rows.add(row("perplexity", models, m -> estimate(m.statistics().perplexity())));
    rows.add(
        row(
            "perplexity of reference",
            models,
            m -> estimate(m.statistics().referencePerplexity())));
    rows.add(row("ln of their ratio", models, m -> estimate(m.statistics().logRatio())));
    return new TableSection("Quality: probabilities of the next token", rows, List.of());
  }

  private static TableSection positions(List<Quality.Worst> worst) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("KL", "model", "after", "follows", "reference", "model's"));
    for (Quality.Worst position : worst) {
      Divergence divergence = position.divergence();
      String before = oneLine(position.before());
      rows.add(
          List.of(
              significant(divergence.kl()),
              position.model(),
              "…" + before.substring(Math.max(0, before.length() - 30)),
              "'" + oneLine(position.token()) + "'",
              "'%s' %s"
                  .formatted(
                      oneLine(position.referenceTop()),
                      percent(divergence.referenceTops().getFirst().probability())),
              "'%s' %s"
                  .formatted(
                      oneLine(position.top()),
                      percent(divergence.tops().getFirst().probability()))));
    }
    return new TableSection("Positions that differ most", rows, List.of());
  }

  private static TableSection summary(Report report) {
    List<Behaviour.Summary> models = report.behaviourSummary();
    List<List<String>> rows = new ArrayList<>();
    rows.add(row("", models, Behaviour.Summary::model));
    rows.add(row("same answer", models, m -> percent(m.sameAnswer())));
    rows.add(row("agreement with reference", models, m -> percent(m.agreement())));
    rows.add(row("right or well-formed", models, m -> m.wellFormed() + " of " + m.checked()));
    rows.add(row("tokens in an answer", models, m -> fixed(m.tokens(), 1)));
    rows.add(row("repetition", models, m -> percent(m.repetition())));
    if (report.behaviours().stream().anyMatch(b -> !b.stability().isEmpty())) {
      rows.add(row("seeds agree within", models, m -> percent(m.within())));
      rows.add(row("seeds agree with reference", models, m -> percent(m.between())));
    }
    return new TableSection(
        "Behaviour: answers to " + report.behaviours().size() + " prompts", rows, List.of());
  }

  private static TableSection answers(Report report) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("prompt", "model", "parts at", "well-formed", "answer"));
    for (Behaviour behaviour : report.behaviours()) {
      for (int m = 0; m < behaviour.answers().size(); m++) {
        Behaviour.Given given = behaviour.answers().get(m);
        String formed = given.wellFormed() == null ? "" : given.wellFormed() ? "yes" : "NO";
        rows.add(
            List.of(
                m == 0 ? shortened(behaviour.prompt(), 40) : "",
                report.models().get(m).model(),
                given.same() ? "" : "token " + given.partsAt(),
                formed,
                shortened(given.text(), SHOWN)));
      }
    }
    return new TableSection("Answers", rows, List.of());
  }

  private static TableSection speed(List<Speed> models) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(row("", models, Speed::model));
    rows.add(row("load, s", models, m -> spread(m.load())));
    rows.add(row("first token, s", models, m -> spread(m.firstToken())));
    rows.add(row("prefill, tokens/s", models, m -> spread(m.prefill())));
    rows.add(row("decode, tokens/s", models, m -> spread(m.decode())));
    rows.add(row("memory beyond the file", models, m -> memory(m.memory())));
    rows.add(row("file in memory", models, m -> ModelSummary.size(m.mappedBytes())));
    rows.add(row("read for a token", models, m -> ModelSummary.size(m.bytesPerToken())));
    return new TableSection("Speed: medians, least and greatest", rows, List.of());
  }

  private static TableSection block(BlockView block) {
    List<List<String>> rows = new ArrayList<>();
    List<BlockView.Stored> stored = block.stored();
    rows.add(row("weight", stored, s -> s.model() + " " + s.type()));
    int count = stored.getFirst().weights().length;
    for (int i = 0; i < count; i++) {
      int at = i;
      rows.add(row(Long.toString(block.first() + i), stored, s -> stored(s, at)));
    }
    rows.add(row("greatest error", stored, s -> significant(s.maxError())));
    rows.add(row("RMS error", stored, s -> significant(s.rmsError())));
    return new TableSection(
        "Block %d of %s, of %d".formatted(block.block(), block.tensor(), block.blocks()),
        rows,
        List.of());
  }

  /** {@code scale·integer − min = weight}. */
  private static String stored(BlockView.Stored stored, int at) {
    String weight = fixed(stored.weights()[at], 6);
    if (stored.groups().isEmpty()) {
      return weight;
    }
    int size = stored.groups().getFirst().integers().length;
    BlockView.Group group = stored.groups().get(at / size);
    String min = stored.hasMins() ? " − " + significant(group.min()) : "";
    return "%s·%d%s = %s"
        .formatted(significant(group.scale()), group.integers()[at % size], min, weight);
  }

  private static String memory(Speed.Memory memory) {
    return memory == null ? "—" : ModelSummary.size(memory.bytes()) + " " + memory.kind();
  }

  private static String spread(Speed.Spread spread) {
    return "%s (%s–%s)"
        .formatted(
            significant(spread.median()),
            significant(spread.runs().stream().mapToDouble(x -> x).min().orElse(0)),
            significant(spread.runs().stream().mapToDouble(x -> x).max().orElse(0)));
  }

  private static String estimate(Estimate estimate) {
    return significant(estimate.value()) + " ± " + significant(estimate.uncertainty());
  }
}
