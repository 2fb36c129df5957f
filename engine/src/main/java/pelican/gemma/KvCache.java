package pelican.gemma;

/**
 * The keys and values of one sequence: for each layer that computes its own, all positions of a
 * global layer, and the window plus one batch of a sliding one. Grows with the sequence. Used by
 * one thread at a time.
 */
public final class KvCache {
  private final GemmaConfig config;
  private final KvLayer[] layers;
  private final int maxLength;
  private int length;
  private int written;

  /**
   * @param maxBatch the most tokens of the sequence that one forward pass may add
   * @param maxLength the most tokens that the sequence may have
   * @param half whether keys and values are kept in half precision, else in single
   */
  KvCache(GemmaConfig config, int maxBatch, int maxLength, boolean half) {
    this.config = config;
    this.maxLength = maxLength;
    layers = new KvLayer[config.layers()];
    long ring = ringPages(config, maxBatch);
    for (int i = 0; i < layers.length; i++) {
      if (config.ownsKv(i)) {
        boolean bounded = config.sliding()[i] && ring < Integer.MAX_VALUE / KvLayer.PAGE;
        layers[i] =
            new KvLayer(config.kvHeads()[i], config.headSize(i), bounded ? (int) ring : 0, half);
      }
    }
  }

  /** One page more, since window and batch may begin in the middle of a page. */
  private static long ringPages(GemmaConfig config, int maxBatch) {
    return ((long) config.slidingWindow() + maxBatch + KvLayer.PAGE - 1) / KvLayer.PAGE + 1;
  }

  /** The most bytes that a cache takes: that of a sequence as long as it may be. */
  static long mostBytes(GemmaConfig config, int maxBatch, int maxLength, boolean half) {
    long pages = ((long) maxLength + KvLayer.PAGE - 1) / KvLayer.PAGE;
    long ring = Math.min(pages, ringPages(config, maxBatch));
    long sum = 0;
    for (int i = 0; i < config.layers(); i++) {
      if (config.ownsKv(i)) {
        long perPage = 2L * config.kvHeads()[i] * config.headSize(i) * KvLayer.PAGE;
        sum += (half ? 2 : 4) * perPage * (config.sliding()[i] ? ring : pages);
      }
    }
    return sum;
  }

  /** The number of tokens whose keys and values are here. */
  public int length() {
    return length;
  }

  /** The most tokens that the sequence may have. */
  public int maxLength() {
    return maxLength;
  }

  /**
   * Forgets all but the first {@code wanted} tokens, if the window before them is still here;
   * otherwise forgets everything, since a sliding layer cannot look back further than it kept.
   *
   * @return the new length: {@code wanted} or 0
   */
  public int truncate(int wanted) {
    if (wanted < 0 || wanted > length) {
      throw new IllegalArgumentException("cannot keep " + wanted + " of " + length + " tokens");
    }
    int oldestNeeded = Math.max(0, wanted - config.slidingWindow() + 1);
    for (KvLayer layer : layers) {
      if (layer != null && oldestNeeded < written - layer.capacity()) {
        length = 0;
        written = 0;
        return 0;
      }
    }
    length = wanted;
    if (wanted == 0) {
      written = 0;
    }
    return wanted;
  }

  /** Makes room for tokens up to the given length. */
  void reserve(int newLength) {
    for (KvLayer layer : layers) {
      if (layer != null) {
        layer.reserve(length, newLength);
      }
    }
  }

  /** Tells that the keys and values up to the given length are written. */
  void advance(int newLength) {
    length = newLength;
    written = Math.max(written, newLength);
  }

  KvLayer layer(int index) {
    return layers[index];
  }

  /** Bytes allocated for keys and values. */
  public long bytes() {
    long sum = 0;
    for (KvLayer layer : layers) {
      sum += layer == null ? 0 : layer.bytes();
    }
    return sum;
  }
}
