package pelican.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import pelican.engine.PelicanException;

/**
 * Measures the divergence over texts: all models read the same tokens piece by piece, side by side.
 */
final class Quality {
  /** Logits that are held for a model at a time: 64 MB. */
  private static final int PIECE_LOGITS = 1 << 24;

  /** Tokens of a window of raw text, as in llama-perplexity. */
  static final int WINDOW = 512;

  /** Positions with the greatest divergence that are shown, and the characters before each. */
  private static final int WORST = 12;

  private static final int CONTEXT_TOKENS = 24;

  private Quality() {}

  /**
   * Tokens to go through.
   *
   * @param title what they are
   * @param tokens all of them
   * @param from the first token whose prediction counts, at least 1
   */
  record Sequence(String title, int[] tokens, int from) {}

  /**
   * A token with the divergence at it.
   *
   * @param text its text
   * @param kl the divergence of each model but the reference, in nats
   * @param same whether each has the same likeliest token as the reference
   * @param probability the probability that each model, the reference first, gives the token
   * @param tops the likeliest tokens of each model, the reference first
   */
  record Mark(
      String text,
      List<Double> kl,
      List<Boolean> same,
      List<Double> probability,
      List<List<Likely>> tops) {}

  /** What a model holds likely in a token's place. */
  record Likely(String text, double probability) {}

  /** A text that was gone through: those of its tokens that count. */
  record Marked(String title, List<Mark> marks) {}

  /**
   * A position of great divergence.
   *
   * @param model the model that diverges
   * @param before the text before it
   * @param token the token that follows there
   * @param referenceTop what the reference holds likeliest
   * @param top what the model holds likeliest
   */
  record Worst(
      String model,
      String before,
      String token,
      String referenceTop,
      String top,
      Divergence divergence) {}

  /** What one sequence gave: [model but the reference][position]. */
  record Result(Sequence sequence, List<List<Divergence>> divergences) {}

  /**
   * Goes through a sequence with all models.
   *
   * @param subjects the models, the reference first; their vocabularies are equal
   */
  static Result measure(List<Subject> subjects, Sequence sequence, Runnable check) {
    int vocabulary = subjects.getFirst().model().vocabulary();
    int[] tokens = sequence.tokens;
    int last = tokens.length - 1;
    int size = Math.clamp(PIECE_LOGITS / vocabulary, 1, 256);
    List<List<Divergence>> found = new ArrayList<>();
    for (int m = 1; m < subjects.size(); m++) {
      found.add(new ArrayList<>());
    }
    subjects.forEach(subject -> subject.session().clear());
    for (int at = 0; at < last; at += size) {
      int[] piece = Arrays.copyOfRange(tokens, at, Math.min(last, at + size));
      float[] p = null;
      for (int m = 0; m < subjects.size(); m++) {
        check.run();
        float[] q = subjects.get(m).session().extend(piece);
        p = m == 0 ? q : p;
        for (int i = Math.max(0, sequence.from - 1 - at); m > 0 && i < piece.length; i++) {
          int offset = i * vocabulary;
          found.get(m - 1).add(Divergence.of(p, offset, q, offset, vocabulary, tokens[at + i + 1]));
        }
      }
    }
    return new Result(sequence, found);
  }

  /**
   * Windows of a text, of which the second half counts, so that every prediction has seen at least
   * half a window.
   *
   * @param tokens the text, with the token that a sequence begins with
   * @param bos the token that each window begins with; -1 for none
   */
  static List<Sequence> windows(int[] tokens, int bos, int contextLength) {
    if (tokens.length < 3) {
      throw new PelicanException("the text has " + tokens.length + " tokens, expected 3 or more");
    }
    int size = Math.min(WINDOW, contextLength);
    List<Sequence> windows = new ArrayList<>();
    for (int at = 0; at < tokens.length; at += size) {
      int[] window = Arrays.copyOfRange(tokens, at, Math.min(tokens.length, at + size));
      // A remainder that is short would be scored with little before it.
      if (at == 0 || window.length == size) {
        if (bos >= 0) {
          window[0] = bos;
        }
        windows.add(
            new Sequence("window " + (windows.size() + 1), window, Math.max(1, window.length / 2)));
      }
    }
    return windows;
  }

  /** The tokens that count, with their divergences. */
  static Marked mark(Subject reference, Result result) {
    List<Mark> marks = new ArrayList<>();
    Sequence sequence = result.sequence;
    for (int i = 0; i < result.divergences.getFirst().size(); i++) {
      int at = i;
      marks.add(
          new Mark(
              text(reference, sequence.tokens[sequence.from + i]),
              result.divergences.stream().map(d -> d.get(at).kl()).toList(),
              result.divergences.stream().map(d -> d.get(at).sameTop()).toList(),
              forEach(result, at, d -> Math.exp(-d.referenceLoss()), d -> Math.exp(-d.loss())),
              forEach(
                  result,
                  at,
                  d -> likely(reference, d.referenceTops()),
                  d -> likely(reference, d.tops()))));
    }
    return new Marked(sequence.title, marks);
  }

  /** Something of the reference, then of each other model, at a position. */
  private static <T> List<T> forEach(
      Result result, int at, Function<Divergence, T> ofReference, Function<Divergence, T> ofOther) {
    List<T> all = new ArrayList<>();
    all.add(ofReference.apply(result.divergences.getFirst().get(at)));
    result.divergences.forEach(row -> all.add(ofOther.apply(row.get(at))));
    return all;
  }

  private static List<Likely> likely(Subject reference, List<Divergence.Ranked> tops) {
    return tops.stream()
        .map(top -> new Likely(text(reference, top.token()), top.probability()))
        .toList();
  }

  /** The positions that differ most, over all models but the reference. */
  static List<Worst> worst(List<Subject> subjects, List<Result> results) {
    List<Worst> all = new ArrayList<>();
    Subject reference = subjects.getFirst();
    for (Result result : results) {
      Sequence sequence = result.sequence;
      for (int m = 0; m < result.divergences.size(); m++) {
        List<Divergence> row = result.divergences.get(m);
        for (int i = 0; i < row.size(); i++) {
          if (all.size() < WORST || row.get(i).kl() > all.getLast().divergence.kl()) {
            int at = sequence.from + i;
            int[] before =
                Arrays.copyOfRange(sequence.tokens, Math.max(0, at - CONTEXT_TOKENS), at);
            all.add(
                new Worst(
                    subjects.get(m + 1).label(),
                    reference.model().tokenizer().decode(before),
                    text(reference, sequence.tokens[at]),
                    text(reference, row.get(i).referenceTops().getFirst().token()),
                    text(reference, row.get(i).tops().getFirst().token()),
                    row.get(i)));
            all.sort(Comparator.comparingDouble((Worst w) -> w.divergence.kl()).reversed());
            if (all.size() > WORST) {
              all.removeLast();
            }
          }
        }
      }
    }
    return all;
  }

  private static String text(Subject subject, int token) {
    return subject.model().tokenizer().decode(new int[] {token});
  }
}
