package pelican.tokenizer;

/** Which neighbouring symbols merge first. */
interface PairPriority {
  /** The two do not merge. */
  int NEVER = Integer.MIN_VALUE;

  /**
   * The priority of merging two symbols; smaller ones go first.
   *
   * @param left token id of the left symbol, or -1 if it is no token
   * @param right likewise of the right one
   * @param merged token id of both together, or -1
   */
  int of(int left, int right, int merged);
}
