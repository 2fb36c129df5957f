package pelican.engine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import pelican.sampling.Sampler;
import pelican.sampling.SamplingOptions;

/**
 * Times a model on random tokens, as llama-bench does: what they are does not matter to the speed.
 */
public final class SpeedTest {
  private final Model model;
  private final SplittableRandom random = new SplittableRandom(1);

  /** What tokens were generated after: later runs want the same again, perhaps in turn. */
  private final Map<Place, Context> contexts = new HashMap<>();

  private record Place(int depth, int tokens) {}

  private record Context(int[] tokens, Session session) {}

  public SpeedTest(Model model) {
    this.model = model;
  }

  /** Seconds that a prompt of so many tokens takes, in a context that is empty before. */
  public double prefill(int tokens) {
    Session session = model.newSession(tokens + 1);
    int[] prompt = randomTokens(tokens);
    long start = System.nanoTime();
    session.prefill(prompt);
    double seconds = (System.nanoTime() - start) / 1e9;
    session.pause();
    return seconds;
  }

  /**
   * Seconds that each of some tokens takes, after a context of so many. Each context is computed
   * once, and kept.
   *
   * @param depth tokens before the first one; at least 1
   */
  public double[] decode(int depth, int tokens) {
    Context context =
        contexts.computeIfAbsent(
            new Place(depth, tokens),
            place -> new Context(randomTokens(depth), model.newSession(depth + tokens + 1)));
    Session session = context.session;
    session.prefill(context.tokens);
    Sampler sampler = new Sampler(SamplingOptions.GEMMA.toBuilder().seed(1).build());
    double[] seconds = new double[tokens];
    for (int i = 0; i < tokens; i++) {
      long start = System.nanoTime();
      session.next(sampler);
      seconds[i] = (System.nanoTime() - start) / 1e9;
    }
    session.pause();
    return seconds;
  }

  /**
   * Seconds that several sequences take together to get some tokens each, as requests of a server
   * do that come at once.
   *
   * @param depth tokens of each sequence before the first one; at least 1
   */
  public double decodeTogether(int sequences, int depth, int tokens) {
    List<Session> sessions = new ArrayList<>();
    for (int i = 0; i < sequences; i++) {
      Session one = model.newSession(depth + tokens + 1);
      one.prefill(randomTokens(depth));
      one.pause();
      sessions.add(one);
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(sequences)) {
      long start = System.nanoTime();
      List<CompletableFuture<Void>> all = new ArrayList<>();
      for (int i = 0; i < sequences; i++) {
        Session one = sessions.get(i);
        Sampler sampler = new Sampler(SamplingOptions.GEMMA.toBuilder().seed(1 + i).build());
        all.add(
            CompletableFuture.runAsync(
                () -> {
                  for (int j = 0; j < tokens; j++) {
                    one.next(sampler);
                  }
                  one.pause();
                },
                threads));
      }
      CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).join();
      return (System.nanoTime() - start) / 1e9;
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private int[] randomTokens(int count) {
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = random.nextInt(model.vocabulary());
    }
    return tokens;
  }
}
