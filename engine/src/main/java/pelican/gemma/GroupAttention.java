package pelican.gemma;

import java.util.Arrays;
import pelican.kernel.Kernels;

/**
 * Attention of some tokens of one sequence with the query heads of one KV head, in three steps of
 * which each may be shared by threads: {@link #scores} by positions, {@link #softmax} by rows,
 * {@link #weightedSums} by strips. However they are shared, each sum is added up in the same order.
 *
 * <p>Used again and again, so that nothing is allocated for a token.
 */
final class GroupAttention {
  private final GemmaConfig config;
  private final Kernels kernels;

  private Batch batch;
  private int layer;
  private KvLayer cache;
  private int kvHead;
  private int tokenFrom;
  private int heads;
  private float[] queries;
  private float[] out;

  /** The rows: a query head of a token each, token after token. */
  private int rows;

  /** Where a row's query begins, and its output. */
  private int[] offsets = new int[64];

  /** The first position that a token sees, and how many there are from it to the last. */
  private int first;

  private int span;

  /** [rows][span] */
  private float[] scores = new float[0];

  GroupAttention(GemmaConfig config, Kernels kernels) {
    this.config = config;
    this.kernels = kernels;
  }

  /**
   * Begins with other tokens.
   *
   * @param layer the layer, which says the window and whose cache is read
   * @param kvHead whose query heads attend
   * @param queries [tokens][heads · head size], rotated
   * @param out gets the weighted values, shaped as the queries
   */
  void begin(
      Batch batch,
      int tokenFrom,
      int tokenTo,
      int layer,
      int kvHead,
      float[] queries,
      float[] out) {
    this.batch = batch;
    this.layer = layer;
    this.kvHead = kvHead;
    this.tokenFrom = tokenFrom;
    this.queries = queries;
    this.out = out;
    cache = batch.cache(tokenFrom).layer(config.kvLayer(layer));
    heads = config.heads() / config.kvHeads()[layer];
    rows = (tokenTo - tokenFrom) * heads;
    first = firstVisible(batch.position(tokenFrom));
    span = batch.position(tokenTo - 1) + 1 - first;
    if (scores.length < (long) rows * span) {
      scores = new float[Math.max(Math.multiplyExact(rows, span), 2 * scores.length)];
    }
    if (offsets.length < rows) {
      offsets = new int[rows];
    }
    int headSize = config.headSize(layer);
    for (int r = 0; r < rows; r++) {
      int head = kvHead * heads + r % heads;
      offsets[r] = ((tokenFrom + r / heads) * config.heads() + head) * headSize;
    }
  }

  /** Lets go of the tokens, whose cache may be large and is theirs alone. */
  void end() {
    batch = null;
    cache = null;
    queries = null;
    out = null;
  }

  /** All three steps. */
  void run() {
    scores(0, span);
    softmax(0, rows);
    weightedSums(0, strips());
  }

  /** Positions that any of the tokens sees. */
  int span() {
    return span;
  }

  int rows() {
    return rows;
  }

  int strips() {
    return cache.strips();
  }

  /** Products of all rows with the keys of positions [from, to) of the span. */
  void scores(int from, int to) {
    for (int i = from; i < to; ) {
      int count = Math.min(to - i, leftOfPage(i));
      cache.scores(kernels, queries, offsets, rows, first + i, kvHead, count, scores, i, span);
      i += count;
    }
  }

  /** The weights of rows [from, to), 0 where a row's token does not see a position. */
  void softmax(int from, int to) {
    for (int r = from; r < to; r++) {
      int position = batch.position(tokenFrom + r / heads);
      int begin = r * span;
      int visible = begin + firstVisible(position) - first;
      int end = begin + position + 1 - first;
      kernels.softmax(scores, visible, end - visible);
      Arrays.fill(scores, begin, visible, 0f);
      Arrays.fill(scores, end, begin + span, 0f);
    }
  }

  /** The weighted sums of all rows in the strips [from, to) of the head's values. */
  void weightedSums(int from, int to) {
    for (int strip = from; strip < to; strip++) {
      for (int r = 0; r < rows; r++) {
        int begin = offsets[r] + strip * KvLayer.STRIP;
        Arrays.fill(out, begin, begin + KvLayer.STRIP, 0f);
      }
      for (int i = 0; i < span; ) {
        int count = Math.min(span - i, leftOfPage(i));
        cache.weightedSum(
            kernels, scores, i, span, rows, first + i, kvHead, strip, count, out, offsets);
        i += count;
      }
    }
  }

  private int leftOfPage(int i) {
    return KvLayer.PAGE - (first + i) % KvLayer.PAGE;
  }

  private int firstVisible(int position) {
    return config.sliding()[layer] ? Math.max(0, position - config.slidingWindow() + 1) : 0;
  }
}
