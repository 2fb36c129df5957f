package pelican.server.inference;

/**
 * What an answer took; times in nanoseconds.
 *
 * @param total from the request to the end
 * @param load until the model was loaded and its turn had come
 * @param promptTokens tokens of the prompt, those included that were computed before
 * @param cachedTokens how many of them were computed before
 * @param prompt time for the others
 * @param tokens tokens generated
 * @param generation time for them
 */
public record Metrics(
    long total,
    long load,
    int promptTokens,
    int cachedTokens,
    long prompt,
    int tokens,
    long generation) {}
