package pelican.engine;

import java.util.List;
import pelican.sampling.LogProbabilities;

/**
 * A token as it is generated.
 *
 * @param id its number
 * @param text the text that it completes; empty while a character or a stop string is incomplete
 * @param logProbability the natural logarithm of its probability; NaN if not asked for
 * @param alternatives the likeliest tokens in its place, best first; empty if not asked for
 */
public record GeneratedToken(
    int id, String text, double logProbability, List<LogProbabilities.Entry> alternatives) {}
