package pelican.engine;

import java.time.Duration;

/**
 * What was generated, and how long it took.
 *
 * @param text the text, without what ended it
 * @param tokens the tokens, without the one that ended the turn
 * @param reason why it ended
 * @param promptTokens tokens of the prompt
 * @param cachedTokens how many of them were computed before, for an earlier prompt
 * @param promptTime time for the others
 * @param generationTime time for the tokens generated
 */
public record Generation(
    String text,
    int[] tokens,
    FinishReason reason,
    int promptTokens,
    int cachedTokens,
    Duration promptTime,
    Duration generationTime) {}
