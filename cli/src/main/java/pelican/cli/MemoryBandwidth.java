package pelican.cli;

import java.util.stream.IntStream;

/** Measures how fast memory can be read, as the yardstick for reading weights. */
final class MemoryBandwidth {
  /** Longs that the threads read together: 512 MiB, more than caches hold. */
  private static final int LONGS = 1 << 26;

  private static final int RUNS = 5;

  private static volatile long sink;

  private MemoryBandwidth() {}

  /**
   * Gigabytes (10⁹ bytes) a second that so many threads read together, in the best of some runs.
   */
  static double measure(int threads) {
    int size = LONGS / threads;
    long[][] data =
        IntStream.range(0, threads).mapToObj(i -> new long[size]).toArray(long[][]::new);
    double best = 0;
    for (int run = 0; run < RUNS; run++) {
      long start = System.nanoTime();
      Thread[] team = new Thread[threads];
      for (int i = 0; i < threads; i++) {
        long[] part = data[i];
        team[i] = Thread.ofPlatform().start(() -> sink = sum(part));
      }
      try {
        for (Thread thread : team) {
          thread.join();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return best;
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      best = Math.max(best, 8.0 * size * threads / seconds / 1e9);
    }
    return best;
  }

  private static long sum(long[] data) {
    long sum = 0;
    for (long value : data) {
      sum += value;
    }
    return sum;
  }
}
