package pelican.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What the models answer to one prompt.
 *
 * @param prompt the prompt
 * @param kind see {@link Prompt#kind}
 * @param answers the answer of each model, the reference first, with the likeliest token each time
 * @param stability how far answers to drawn tokens agree; of each model, empty without seeds
 */
record Behaviour(String prompt, String kind, List<Given> answers, List<Stability> stability) {
  /**
   * An answer.
   *
   * @param text its text
   * @param tokens its length in tokens
   * @param same whether it is the reference's
   * @param partsAt the first token that is not the reference's; -1 if they are the same
   * @param agreement see {@link AnswerCheck#agreement}, with the reference's
   * @param repetition see {@link AnswerCheck#repetition}
   * @param wellFormed see {@link AnswerCheck#wellFormed}; null where that cannot be told
   * @param svg the drawing in it, or null
   * @param ended whether the model ended it, rather than the limit
   */
  record Given(
      String text,
      int tokens,
      boolean same,
      int partsAt,
      double agreement,
      double repetition,
      Boolean wellFormed,
      String svg,
      boolean ended) {}

  /**
   * How far answers agree that are drawn with seeds 1 to n. With {@code a_i} the model's answer to
   * seed i, {@code r_i} the reference's and A the {@link AnswerCheck#agreement}: what chance
   * changes shows in {@code within}, what the quantization changes beside it in {@code between}.
   *
   * @param within {@code Σ_{i<j} A(a_i, a_j) / (n·(n − 1)/2)}; 1 for a single seed
   * @param between {@code Σ_i A(r_i, a_i) / n}; 1 for the reference
   */
  record Stability(double within, double between) {}

  /** What is counted over all prompts for a model. */
  record Summary(
      String model,
      double sameAnswer,
      double agreement,
      double tokens,
      double repetition,
      int wellFormed,
      int checked,
      double within,
      double between) {}

  static Given given(Prompt prompt, String text, int[] tokens, int[] reference, boolean ended) {
    int parts = Arrays.mismatch(reference, tokens);
    Optional<Boolean> formed = AnswerCheck.wellFormed(prompt, text);
    return new Given(
        text,
        tokens.length,
        parts < 0,
        parts,
        AnswerCheck.agreement(reference, tokens),
        AnswerCheck.repetition(tokens),
        formed.orElse(null),
        prompt.kind().equals("svg") ? AnswerCheck.svg(text).orElse(null) : null,
        ended);
  }

  /**
   * @param drawn [model][seed][tokens]
   */
  static List<Stability> stability(List<List<int[]>> drawn) {
    List<Stability> all = new ArrayList<>();
    for (List<int[]> own : drawn) {
      double within = 0;
      double between = 0;
      int pairs = 0;
      for (int i = 0; i < own.size(); i++) {
        between += AnswerCheck.agreement(drawn.getFirst().get(i), own.get(i));
        for (int j = 0; j < i; j++) {
          within += AnswerCheck.agreement(own.get(i), own.get(j));
          pairs++;
        }
      }
      all.add(new Stability(pairs == 0 ? 1 : within / pairs, between / own.size()));
    }
    return all;
  }

  static Summary summary(List<Behaviour> all, int m, String model) {
    List<Given> given = all.stream().map(b -> b.answers.get(m)).toList();
    List<Boolean> checked = given.stream().map(Given::wellFormed).filter(Objects::nonNull).toList();
    List<Stability> stable =
        all.stream().filter(b -> !b.stability.isEmpty()).map(b -> b.stability.get(m)).toList();
    return new Summary(
        model,
        given.stream().mapToInt(g -> g.same ? 1 : 0).average().orElse(0),
        given.stream().mapToDouble(Given::agreement).average().orElse(0),
        given.stream().mapToInt(Given::tokens).average().orElse(0),
        given.stream().mapToDouble(Given::repetition).average().orElse(0),
        (int) checked.stream().filter(c -> c).count(),
        checked.size(),
        stable.stream().mapToDouble(Stability::within).average().orElse(0),
        stable.stream().mapToDouble(Stability::between).average().orElse(0));
  }
}
