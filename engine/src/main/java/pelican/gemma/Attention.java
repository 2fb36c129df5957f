package pelican.gemma;

import java.util.Arrays;
import pelican.kernel.Kernels;
import pelican.kernel.Workers;

/**
 * Grouped-query attention over the pages of the KV cache, scale 1, softmax in float. One work item
 * is a short run of tokens of one sequence times the query heads of one KV head, so that a page is
 * converted from half precision once for all of them.
 */
final class Attention {
  /** Tokens of one work item: enough to share pages, few enough to spread over the threads. */
  private static final int TOKENS = 4;

  private final GemmaConfig config;
  private final Kernels kernels;
  private final Workers workers;
  private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);

  private int[] runFrom = new int[16];
  private int[] runTo = new int[16];

  Attention(GemmaConfig config, Kernels kernels, Workers workers) {
    this.config = config;
    this.kernels = kernels;
    this.workers = workers;
  }

  /** What one thread needs for one work item. */
  private static final class Scratch {
    float[] scores = new float[0];
    int[] queryOffsets = new int[64];
  }

  /**
   * Attends with every query of the batch.
   *
   * @param layer the layer, which says the window and whose cache is read
   * @param q queries [tokens][heads · head size], rotated
   * @param out gets the weighted values, shaped as q
   */
  void run(Batch batch, int layer, float[] q, float[] out) {
    int owner = config.kvLayer(layer);
    int headSize = config.headSize(layer);
    int groups = config.kvHeads()[layer];
    int headsPerGroup = config.heads() / groups;
    int runs = splitRuns(batch);
    // With fewer items than threads (decoding with one KV head), the heads of a group are split.
    int parts = 1;
    while (runs * groups * parts < workers.count() && headsPerGroup % (2 * parts) == 0) {
      parts *= 2;
    }
    int headsPerItem = headsPerGroup / parts;
    int itemsPerRun = groups * parts;
    workers.run(
        runs * itemsPerRun,
        (from, to) -> {
          for (int item = from; item < to; item++) {
            int run = item / itemsPerRun;
            int firstHead = item % itemsPerRun * headsPerItem;
            attend(
                batch,
                runFrom[run],
                runTo[run],
                layer,
                owner,
                firstHead,
                headsPerItem,
                firstHead / headsPerGroup,
                headSize,
                q,
                out);
          }
        });
  }

  private int splitRuns(Batch batch) {
    int runs = 0;
    for (int i = 0; i < batch.size(); ) {
      int end = i + 1;
      while (end < batch.size() && end - i < TOKENS && batch.cache(end) == batch.cache(i)) {
        end++;
      }
      if (runs == runFrom.length) {
        runFrom = Arrays.copyOf(runFrom, 2 * runs);
        runTo = Arrays.copyOf(runTo, 2 * runs);
      }
      runFrom[runs] = i;
      runTo[runs++] = end;
      i = end;
    }
    return runs;
  }

  private void attend(
      Batch batch,
      int tokenFrom,
      int tokenTo,
      int layer,
      int owner,
      int firstHead,
      int heads,
      int kvHead,
      int headSize,
      float[] q,
      float[] out) {
    KvLayer cache = batch.cache(tokenFrom).layer(owner);
    int rowSize = config.heads() * headSize;
    int rows = (tokenTo - tokenFrom) * heads;
    int first = firstVisible(layer, batch.position(tokenFrom));
    int end = batch.position(tokenTo - 1) + 1;
    int span = end - first;

    Scratch s = scratch.get();
    if (s.scores.length < rows * span) {
      s.scores = new float[Math.max(rows * span, 2 * s.scores.length)];
    }
    if (s.queryOffsets.length < rows) {
      s.queryOffsets = new int[rows];
    }
    float[] scores = s.scores;
    int[] offsets = s.queryOffsets;
    for (int r = 0; r < rows; r++) {
      offsets[r] = (tokenFrom + r / heads) * rowSize + (firstHead + r % heads) * headSize;
      Arrays.fill(out, offsets[r], offsets[r] + headSize, 0f);
    }
    for (int p = first; p < end; ) {
      int count = Math.min(end, (p / KvLayer.PAGE + 1) * KvLayer.PAGE) - p;
      cache.scores(kernels, q, offsets, rows, p, kvHead, count, scores, p - first, span);
      p += count;
    }
    for (int r = 0; r < rows; r++) {
      int position = batch.position(tokenFrom + r / heads);
      int from = firstVisible(layer, position) - first;
      int to = position + 1 - first;
      int row = r * span;
      kernels.softmax(scores, row + from, to - from);
      Arrays.fill(scores, row, row + from, 0f);
      Arrays.fill(scores, row + to, row + span, 0f);
    }
    for (int p = first; p < end; ) {
      int count = Math.min(end, (p / KvLayer.PAGE + 1) * KvLayer.PAGE) - p;
      cache.weightedSum(kernels, scores, p - first, span, rows, p, kvHead, count, out, offsets);
      p += count;
    }
  }

  private int firstVisible(int layer, int position) {
    return config.sliding()[layer] ? Math.max(0, position - config.slidingWindow() + 1) : 0;
  }
}
