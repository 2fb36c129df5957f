package pelican.eval;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;

/**
 * How many answers are right, whole or so far.
 *
 * @param dataset what the prompts are called
 * @param sha256 their digest
 * @param prompts how many there are
 * @param complete whether every model answered all of them
 * @param options all that answers depend on beside model and prompt
 * @param models scores, in the order that models were given in
 * @param pairs comparisons of any two models
 */
public record Scores(
    String dataset,
    String sha256,
    int prompts,
    boolean complete,
    Map<String, String> options,
    List<ModelScores> models,
    List<Pair> pairs) {
  /**
   * A model's scores.
   *
   * @param candidate the model
   * @param answered how many prompts it answered
   * @param all all of them
   * @param categories by category, in the order of the set; without those that have no name
   * @param tokens mean length of an answer, in tokens; 0 without any
   * @param cut answers that a limit ended
   * @param wrong answers that are not right
   */
  public record ModelScores(
      Candidate candidate,
      int answered,
      Proportion all,
      Map<String, Proportion> categories,
      double tokens,
      int cut,
      List<Wrong> wrong) {}

  /** An answer that is not right. */
  public record Wrong(
      String id, int line, String category, String prompt, String expected, String answer) {}

  /**
   * Two models on the prompts that both answered.
   *
   * @param first a model
   * @param second the other one
   * @param both prompts that both got right
   * @param onlyFirst prompts that only the first got right
   * @param onlySecond prompts that only the second got right
   * @param neither prompts that none got right
   * @param p how likely a difference as great is by chance, see {@link McNemar#exact}; of several
   *     pairs each by itself
   * @param apart the prompts that only one got right
   */
  public record Pair(
      String first,
      String second,
      int both,
      int onlyFirst,
      int onlySecond,
      int neither,
      double p,
      List<Apart> apart) {}

  /** A prompt that only one of two models got right. */
  public record Apart(
      String id,
      int line,
      String prompt,
      String expected,
      String right,
      String firstAnswer,
      String secondAnswer) {}

  /**
   * Counts results.
   *
   * @param results of these models; others, and those of prompts not in the set, do not count
   */
  public static Scores of(
      Dataset dataset,
      Map<String, String> options,
      List<Candidate> candidates,
      List<Result> results) {
    Map<String, Map<String, Result>> byModel = new HashMap<>();
    results.forEach(r -> byModel.computeIfAbsent(r.model(), key -> new HashMap<>()).put(r.id(), r));
    List<ModelScores> models = new ArrayList<>();
    List<Pair> pairs = new ArrayList<>();
    for (int m = 0; m < candidates.size(); m++) {
      Candidate candidate = candidates.get(m);
      Map<String, Result> own = byModel.getOrDefault(candidate.model(), Map.of());
      models.add(scores(dataset.items(), candidate, own));
      for (int other = 0; other < m; other++) {
        Candidate before = candidates.get(other);
        pairs.add(
            pair(
                dataset.items(),
                before.model(),
                byModel.getOrDefault(before.model(), Map.of()),
                candidate.model(),
                own));
      }
    }
    int count = dataset.items().size();
    return new Scores(
        dataset.name(),
        dataset.digest().toString(),
        count,
        models.stream().allMatch(model -> model.answered == count),
        options,
        models,
        pairs);
  }

  private static ModelScores scores(
      List<Item> items, Candidate candidate, Map<String, Result> results) {
    Map<String, Proportion> categories = new LinkedHashMap<>();
    for (Item item : items) {
      if (!item.category().isEmpty()) {
        categories.computeIfAbsent(
            item.category(),
            category -> proportion(items, results, i -> i.category().equals(category)));
      }
    }
    List<Wrong> wrong = new ArrayList<>();
    for (Item item : items) {
      Result result = results.get(item.id());
      if (result != null && !result.right()) {
        wrong.add(
            new Wrong(
                item.id(),
                item.line(),
                item.category(),
                item.prompt(),
                item.expected().text(),
                result.answer()));
      }
    }
    List<Result> given =
        items.stream().map(item -> results.get(item.id())).filter(Objects::nonNull).toList();
    return new ModelScores(
        candidate,
        given.size(),
        proportion(items, results, item -> true),
        categories,
        given.stream().mapToInt(Result::tokens).average().orElse(0),
        (int) given.stream().filter(result -> !result.ended()).count(),
        wrong);
  }

  private static Proportion proportion(
      List<Item> items, Map<String, Result> results, Predicate<Item> counts) {
    List<Result> given =
        items.stream()
            .filter(counts)
            .map(item -> results.get(item.id()))
            .filter(Objects::nonNull)
            .toList();
    return Proportion.of((int) given.stream().filter(Result::right).count(), given.size());
  }

  private static Pair pair(
      List<Item> items,
      String first,
      Map<String, Result> firstResults,
      String second,
      Map<String, Result> secondResults) {
    int both = 0;
    int onlyFirst = 0;
    int onlySecond = 0;
    int neither = 0;
    List<Apart> apart = new ArrayList<>();
    for (Item item : items) {
      Result a = firstResults.get(item.id());
      Result b = secondResults.get(item.id());
      if (a == null || b == null) {
        continue;
      }
      both += a.right() && b.right() ? 1 : 0;
      onlyFirst += a.right() && !b.right() ? 1 : 0;
      onlySecond += !a.right() && b.right() ? 1 : 0;
      neither += !a.right() && !b.right() ? 1 : 0;
      if (a.right() != b.right()) {
        apart.add(
            new Apart(
                item.id(),
                item.line(),
                item.prompt(),
                item.expected().text(),
                a.right() ? first : second,
                a.answer(),
                b.answer()));
      }
    }
    double p = McNemar.exact(onlyFirst, onlySecond);
    return new Pair(first, second, both, onlyFirst, onlySecond, neither, p, apart);
  }
}
