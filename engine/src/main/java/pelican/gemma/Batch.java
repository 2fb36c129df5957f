package pelican.gemma;

import java.util.Arrays;

/**
 * The tokens of one forward pass: runs of tokens of one or several sequences, each run in order and
 * continuing its sequence's cache.
 */
public final class Batch {
  private int size;
  private int outputs;
  private int[] tokens = new int[16];
  private int[] positions = new int[16];
  private KvCache[] caches = new KvCache[16];
  private int[] outputRow = new int[16];

  /** Removes all tokens. */
  public Batch clear() {
    Arrays.fill(caches, 0, size, null);
    size = 0;
    outputs = 0;
    return this;
  }

  /**
   * Adds the next token of a sequence.
   *
   * @param output whether the logits after it are wanted
   */
  public Batch add(KvCache cache, int token, boolean output) {
    if (size == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * size);
      positions = Arrays.copyOf(positions, 2 * size);
      caches = Arrays.copyOf(caches, 2 * size);
      outputRow = Arrays.copyOf(outputRow, 2 * size);
    }
    boolean continues = size > 0 && caches[size - 1] == cache;
    tokens[size] = token;
    positions[size] = continues ? positions[size - 1] + 1 : cache.length();
    caches[size] = cache;
    outputRow[size] = output ? outputs++ : -1;
    size++;
    return this;
  }

  /** The number of tokens. */
  public int size() {
    return size;
  }

  /** The number of tokens whose logits are wanted. */
  public int outputs() {
    return outputs;
  }

  /** Those tokens whose logits are wanted, at their positions. */
  Batch onlyOutputs() {
    Batch result = new Batch();
    for (int i = 0; i < size; i++) {
      if (outputRow[i] >= 0) {
        result.add(caches[i], tokens[i], true);
        result.positions[result.size - 1] = positions[i];
      }
    }
    return result;
  }

  int token(int i) {
    return tokens[i];
  }

  int position(int i) {
    return positions[i];
  }

  KvCache cache(int i) {
    return caches[i];
  }

  /** The row of the logits after token i, or -1. */
  int outputRow(int i) {
    return outputRow[i];
  }
}
