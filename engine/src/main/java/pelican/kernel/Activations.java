package pelican.kernel;

import java.util.Arrays;

/**
 * The right-hand side of matrix products: one vector for each token of a batch, one after the other.
 *
 * <p>Kernels that take weights apart in the order of the file's bits want the values in that order
 * too; such a copy is made once by {@link Kernels#prepare} and serves all matrices that multiply the
 * same vector.
 */
public final class Activations {
  private float[] values;
  private float[] ordered = new float[0];
  private float[] sums = new float[0];
  private int tokens;
  private int columns;
  private ActivationOrder order = ActivationOrder.PLAIN;

  /** An empty batch; {@link #reset} gives it a shape. */
  public Activations() {
    values = new float[0];
  }

  /** Sets the shape; what the values were is lost. */
  public Activations reset(int tokens, int columns) {
    int size = Math.multiplyExact(tokens, columns);
    if (values.length < size) {
      values = new float[size];
    }
    this.tokens = tokens;
    this.columns = columns;
    order = ActivationOrder.PLAIN;
    return this;
  }

  /** The values, [tokens][columns]. Call {@link #changed} after writing to them. */
  public float[] values() {
    return values;
  }

  public int tokens() {
    return tokens;
  }

  public int columns() {
    return columns;
  }

  /** Tells that the values were written, so that copies in another order are made anew. */
  public void changed() {
    order = ActivationOrder.PLAIN;
  }

  /** Makes the copy of the first token's values in the given order, if it is not there yet. */
  public void arrange(ActivationOrder wanted) {
    if (order == wanted) {
      return;
    }
    if (ordered.length < columns) {
      ordered = new float[columns];
      sums = new float[columns / 16 + 16];
    }
    wanted.arrange(values, columns, ordered, sums);
    order = wanted;
  }

  /** The first token's values in the order of the last {@link #arrange}. */
  public float[] ordered() {
    return ordered;
  }

  /** Sums over groups of the first token's values, as the order of the last {@link #arrange} says. */
  public float[] sums() {
    return sums;
  }

  /** A copy of the values, for tests. */
  float[] copy() {
    return Arrays.copyOf(values, tokens * columns);
  }
}
