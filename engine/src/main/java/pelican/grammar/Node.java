package pelican.grammar;

import java.util.Set;

/** What remains to be read of one part of a text. Immutable; equal nodes read the same. */
interface Node {
  /** More than any text is long. */
  int NEVER = 1 << 28;

  /**
   * Reads a byte.
   *
   * @param value 0 to 255
   * @param rest what follows this part
   * @param out gets all that may be left to be read; nothing if the byte may not come here
   */
  void step(int value, Stack rest, Set<Stack> out);

  /** The fewest bytes that complete this part; {@link #NEVER} if none do. */
  int shortest();

  /** Whether this part may end here. */
  default boolean nullable() {
    return shortest() == 0;
  }

  /**
   * A node that stands for this one while so many bytes are read: it allows the same, or less where
   * that needs no memory of texts, but every byte by itself. How much longer the shortest
   * completion gets by reading is the same for both, or told too high.
   */
  default Node clamp(int bytes) {
    return this;
  }
}
