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

  /** A node that cannot be told from this one by reading so many bytes. */
  default Node clamp(int bytes) {
    return this;
  }
}
