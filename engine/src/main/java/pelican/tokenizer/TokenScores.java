package pelican.tokenizer;

import pelican.gguf.GgufException;
import pelican.gguf.GgufMetadata;

/**
 * SentencePiece's rule: of all neighbours that together are a token, the best score merges first.
 */
final class TokenScores implements MergeRule {
  private static final String KEY = "tokenizer.ggml.scores";

  private final Vocabulary vocabulary;

  /** Smaller means a better score. */
  private final int[] priorities;

  private TokenScores(Vocabulary vocabulary, int[] priorities) {
    this.vocabulary = vocabulary;
    this.priorities = priorities;
  }

  static TokenScores from(GgufMetadata metadata, Vocabulary vocabulary) {
    float[] scores = metadata.floats(KEY);
    if (scores.length != vocabulary.size()) {
      throw new GgufException(
          String.format(
              "%s: metadata %s has %d entries, expected one for each of %d tokens",
              metadata.path(), KEY, scores.length, vocabulary.size()));
    }
    int[] priorities = new int[scores.length];
    for (int id = 0; id < scores.length; id++) {
      if (Float.isNaN(scores[id])) {
        throw new GgufException(
            String.format(
                "%s: metadata %s[%d] is NaN, expected a number", metadata.path(), KEY, id));
      }
      // The bits of a float, flipped for negative ones, sort as the numbers do; adding zero makes
      // both zeros equal.
      int bits = Float.floatToIntBits(scores[id] + 0f);
      int ascending = bits >= 0 ? bits : bits ^ 0x7fffffff;
      priorities[id] = ~ascending;
    }
    return new TokenScores(vocabulary, priorities);
  }

  @Override
  public long merge(int left, int right, byte[] text, int from, int to) {
    int merged = vocabulary.findText(text, from, to);
    return merged < 0 ? NONE : (long) priorities[merged] << 32 | merged;
  }
}
