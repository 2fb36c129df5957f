package pelican.server.inference;

import java.util.List;

/**
 * A token and its probability.
 *
 * @param token its text; bytes that are no UTF-8 by themselves are U+FFFD
 * @param logprob natural logarithm of its probability
 * @param bytes of the text, 0 to 255
 * @param top the likeliest tokens in its place, best first, without alternatives of their own
 */
public record TokenLogprob(
    String token, double logprob, List<Integer> bytes, List<TokenLogprob> top) {}
