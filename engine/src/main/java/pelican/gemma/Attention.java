package pelican.gemma;

import java.util.Arrays;
import pelican.kernel.Kernels;
import pelican.kernel.Workers;

/**
 * Grouped-query attention over the pages of the KV cache, scale 1, softmax in float, for short runs
 * of tokens of one sequence times the query heads of one KV head: a page is converted from half
 * precision once for all of them.
 *
 * <p>The threads take a run and a head each, if there are as many. Otherwise, as in decoding, they
 * share each step of one after the other.
 */
final class Attention {
  /** Tokens of a run: enough to share pages, few enough to spread over the threads. */
  private static final int TOKENS = 4;

  /** Positions whose scores a thread computes at least when threads share them. */
  private static final int POSITIONS = 16;

  private final GemmaConfig config;
  private final Workers workers;
  private final ThreadLocal<GroupAttention> ofThread;
  private final GroupAttention shared;

  private int[] runFrom = new int[16];
  private int[] runTo = new int[16];

  Attention(GemmaConfig config, Kernels kernels, Workers workers) {
    this.config = config;
    this.workers = workers;
    ofThread = ThreadLocal.withInitial(() -> new GroupAttention(config, kernels));
    shared = new GroupAttention(config, kernels);
  }

  /**
   * Attends with every query of the batch.
   *
   * @param layer the layer, which says the window and whose cache is read
   * @param q queries [tokens][heads · head size], rotated
   * @param out gets the weighted values, shaped as q
   */
  void run(Batch batch, int layer, float[] q, float[] out) {
    int kvHeads = config.kvHeads()[layer];
    int groups = splitRuns(batch) * kvHeads;
    if (groups < workers.count()) {
      for (int i = 0; i < groups; i++) {
        begin(shared, i, kvHeads, batch, layer, q, out);
        workers.run(shared.span(), POSITIONS, shared::scores);
        workers.run(shared.rows(), shared::softmax);
        workers.run(shared.strips(), shared::weightedSums);
        shared.end();
      }
      return;
    }
    workers.run(
        groups,
        (from, to) -> {
          GroupAttention group = ofThread.get();
          for (int i = from; i < to; i++) {
            begin(group, i, kvHeads, batch, layer, q, out);
            group.run();
            group.end();
          }
        });
  }

  private void begin(
      GroupAttention group, int i, int kvHeads, Batch batch, int layer, float[] q, float[] out) {
    int run = i / kvHeads;
    group.begin(batch, runFrom[run], runTo[run], layer, i % kvHeads, q, out);
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
}
