package pelican.server.inference;

/**
 * What was generated since the start; times in nanoseconds.
 *
 * @param firstToken times from requests to their first tokens, added up
 * @param cancelled answers that were given up, because the client went or the server stops
 * @param cancelledTokens tokens that were generated for those
 */
public record Totals(
    long answers,
    long promptTokens,
    long cachedTokens,
    long tokens,
    long prompt,
    long generation,
    long firstToken,
    long cancelled,
    long cancelledTokens) {
  static final Totals NONE = new Totals(0, 0, 0, 0, 0, 0, 0, 0, 0);

  Totals plus(Metrics m) {
    return new Totals(
        answers + 1,
        promptTokens + m.promptTokens(),
        cachedTokens + m.cachedTokens(),
        tokens + m.tokens(),
        prompt + m.prompt(),
        generation + m.generation(),
        firstToken + m.load() + m.prompt(),
        cancelled,
        cancelledTokens);
  }

  Totals plusCancelled(int wasted) {
    return new Totals(
        answers,
        promptTokens,
        cachedTokens,
        tokens,
        prompt,
        generation,
        firstToken,
        cancelled + 1,
        cancelledTokens + wasted);
  }
}
