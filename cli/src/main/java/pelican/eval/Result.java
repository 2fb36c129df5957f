package pelican.eval;

/**
 * What a model answered to a prompt.
 *
 * @param model what the model is called
 * @param id the prompt's, see {@link Item#id}
 * @param right whether the answer is what was expected
 * @param answer its text, without thoughts
 * @param tokens tokens that were generated
 * @param ended whether the model ended it, rather than a limit
 * @param seconds from the prompt to its end, while others were generated too
 */
public record Result(
    String model,
    String id,
    boolean right,
    String answer,
    int tokens,
    boolean ended,
    double seconds) {}
