package pelican.bench;

/**
 * What is timed: reading a prompt, or generating tokens after some context.
 *
 * @param promptTokens tokens of the prompt; 0 where generation is timed
 * @param genTokens tokens that are generated; 0 where a prompt is timed
 * @param depth tokens of context before the generated ones
 */
record SpeedCase(int threads, int promptTokens, int genTokens, int depth) {
  /** {@code pp128}, {@code tg32}, {@code tg32@d4096}: as llama-bench names tests. */
  String test() {
    if (promptTokens > 0) {
      return "pp" + promptTokens;
    }
    return "tg" + genTokens + (depth > 0 ? "@d" + depth : "");
  }
}
