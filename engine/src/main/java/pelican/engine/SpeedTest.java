package pelican.engine;

import java.util.SplittableRandom;
import pelican.sampling.Sampler;
import pelican.sampling.SamplingOptions;

/**
 * Times a model on random tokens, as llama-bench does: what they are does not matter to the speed.
 */
public final class SpeedTest {
  private final Model model;
  private final SplittableRandom random = new SplittableRandom(1);

  public SpeedTest(Model model) {
    this.model = model;
  }

  /** Seconds that a prompt of so many tokens takes, in a context that is empty before. */
  public double prefill(int tokens) {
    Session session = model.newSession(tokens + 1);
    int[] prompt = randomTokens(tokens);
    long start = System.nanoTime();
    session.prefill(prompt);
    return (System.nanoTime() - start) / 1e9;
  }

  /**
   * Seconds that each of some tokens takes, after a context of so many.
   *
   * @param context tokens before the first one; at least 1
   */
  public double[] decode(int context, int tokens) {
    Session session = model.newSession(context + tokens + 1);
    session.prefill(randomTokens(context));
    Sampler sampler = new Sampler(SamplingOptions.GEMMA.toBuilder().seed(1).build());
    double[] seconds = new double[tokens];
    for (int i = 0; i < tokens; i++) {
      long start = System.nanoTime();
      session.next(sampler);
      seconds[i] = (System.nanoTime() - start) / 1e9;
    }
    return seconds;
  }

  private int[] randomTokens(int count) {
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = random.nextInt(model.vocabulary());
    }
    return tokens;
  }
}
