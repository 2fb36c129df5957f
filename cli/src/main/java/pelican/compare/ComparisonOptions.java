package pelican.compare;

import java.util.List;
import java.util.Set;
import pelican.engine.ModelOptions;

/**
 * What to compare.
 *
 * @param model how models are run
 * @param contextLength tokens of context; 0 for the default
 * @param prompts what to ask
 * @param text a text to measure the divergence over; null for the reference's own answers
 * @param tokens tokens to measure the divergence over; null for text or answers
 * @param seeds how many seeds each prompt is answered with
 * @param maxTokens the longest answer; 0 for the default of each prompt's kind
 * @param repetitions how often speed is measured
 * @param phases which parts to do
 * @param blocks blocks to show, each as {@code TENSOR:NUMBER}
 */
public record ComparisonOptions(
    ModelOptions model,
    int contextLength,
    List<Prompt> prompts,
    String text,
    int[] tokens,
    int seeds,
    int maxTokens,
    int repetitions,
    Set<Phase> phases,
    List<String> blocks) {}
