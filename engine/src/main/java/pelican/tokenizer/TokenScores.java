package pelican.tokenizer;

import pelican.gguf.GgufException;
import pelican.gguf.GgufMetadata;

/**
 * SentencePiece's rule: of all neighbours that together are a token, the best score merges first.
 */
final class TokenScores implements PairPriority {
  private static final String SCORES = "tokenizer.ggml.scores";

  /** Smaller means a better score. */
  private final int[] priorities;

  private TokenScores(int[] priorities) {
    this.priorities = priorities;
  }

  static TokenScores from(GgufMetadata metadata, Vocabulary vocabulary) {
    float[] scores = metadata.floats(SCORES);
    if (scores.length != vocabulary.size()) {
      throw new GgufException(
          metadata.path()
              + ": "
              + SCORES
              + " has "
              + scores.length
              + " entries, expected one for each of "
              + vocabulary.size()
              + " tokens");
    }
    int[] priorities = new int[scores.length];
    for (int id = 0; id < scores.length; id++) {
      if (Float.isNaN(scores[id])) {
        throw new GgufException(
            metadata.path() + ": " + SCORES + " of token " + id + " is NaN, expected a number");
      }
      // The bits of a float, flipped for negative ones, sort as the numbers do.
      int bits = Float.floatToIntBits(scores[id] + 0f);
      int ascending = bits >= 0 ? bits : bits ^ 0x7fffffff;
      priorities[id] = Math.max(~ascending, NEVER + 1);
    }
    return new TokenScores(priorities);
  }

  @Override
  public int of(int left, int right, int merged) {
    return merged < 0 ? NEVER : priorities[merged];
  }
}
