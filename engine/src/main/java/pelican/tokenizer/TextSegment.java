package pelican.tokenizer;

/**
 * A run of prompt text with its origin. Control tokens such as {@code <|turn>} are recognised only
 * in segments written by a template ({@code control} is true), never in what a user typed.
 *
 * @param text the text of the run
 * @param control whether control tokens in it are recognised
 */
public record TextSegment(String text, boolean control) {}
