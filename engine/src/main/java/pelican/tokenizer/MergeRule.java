package pelican.tokenizer;

/** Which neighbouring symbols merge, into what, and which of them first. */
interface MergeRule {
  /** The two do not merge. */
  long NONE = Long.MAX_VALUE;

  /**
   * What two neighbouring symbols merge into: the priority in the high 32 bits, signed, where a
   * smaller one goes first, and the id of the merged token in the low ones; or {@link #NONE}.
   *
   * @param left token id of the left symbol, or -1 if it is no token
   * @param right likewise of the right one
   * @param text the text of which both symbols together are the bytes [from, to)
   */
  long merge(int left, int right, byte[] text, int from, int to);
}
