package pelican.engine;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import pelican.gemma.KvCache;
import pelican.sampling.LogProbabilities;
import pelican.sampling.Sampler;
import pelican.sampling.StopStrings;
import pelican.tokenizer.TokenDecoder;
import pelican.tokenizer.Tokenizer;

/**
 * One sequence of tokens and what the model computed for it. A prompt that begins as the one before
 * costs only what is new. One generation at a time; {@link #cancel} may be called from any thread.
 */
public final class Session {
  private final Model model;
  private final KvCache cache;
  private final float[] logits;

  /** The tokens whose keys and values are in the cache. */
  private int[] held = new int[0];

  private int heldSize;
  private volatile boolean cancelled;

  Session(Model model, KvCache cache) {
    this.model = model;
    this.cache = cache;
    logits = new float[model.vocabulary()];
  }

  /** The most tokens that prompt and answer may have together. */
  public int contextLength() {
    return cache.maxLength();
  }

  /** The number of tokens in the sequence. */
  public int length() {
    return heldSize;
  }

  /**
   * How many tokens a prompt shares with the sequence: at most so many need not be computed again.
   */
  public int shared(int[] prompt) {
    int shared = Arrays.mismatch(prompt, 0, prompt.length, held, 0, heldSize);
    return shared < 0 ? prompt.length : shared;
  }

  /** Bytes allocated for what was computed. */
  public long bytes() {
    return cache.bytes();
  }

  /**
   * Ends a running generation within a token, a running prompt within a slice of it; the one after
   * it is not affected. Does nothing if none is running.
   */
  public void cancel() {
    cancelled = true;
  }

  /**
   * Generates what follows a prompt.
   *
   * @param prompt all tokens, those of earlier turns included
   * @param listener told of each token as it comes, on this thread
   * @throws PelicanException if the prompt is empty, has an unknown token or does not fit the
   *     context
   */
  public Generation generate(
      int[] prompt, GenerationOptions options, Consumer<GeneratedToken> listener) {
    cancelled = false;
    try {
      return answer(prompt, options, listener);
    } finally {
      pause();
    }
  }

  private Generation answer(
      int[] prompt, GenerationOptions options, Consumer<GeneratedToken> listener) {
    Tokenizer tokenizer = model.tokenizer();
    long start = System.nanoTime();
    int cached = prefill(prompt);
    long prompted = System.nanoTime();
    Sampler sampler = new Sampler(options.sampling(), options.constraint());
    for (int token : prompt) {
      sampler.see(token);
    }
    TokenDecoder decoder = tokenizer.decoder();
    StopStrings stops = new StopStrings(options.stop());
    StringBuilder text = new StringBuilder();
    int limit = options.maxTokens() < 0 ? Integer.MAX_VALUE : options.maxTokens();
    int[] tokens = new int[16];
    int count = 0;
    FinishReason reason = FinishReason.LENGTH;
    while (count < limit) {
      if (cancelled) {
        reason = FinishReason.CANCELLED;
        break;
      }
      List<LogProbabilities.Entry> top = alternatives(options);
      double logSum =
          options.topLogProbabilities() < 0
              ? Double.NaN
              : LogProbabilities.logSum(logits, 0, logits.length);
      float[] before = options.topLogProbabilities() < 0 ? logits : logits.clone();
      int token = sampler.sample(logits, 0, logits.length);
      if (tokenizer.endOfGeneration().contains(token)) {
        reason = FinishReason.STOP;
        break;
      }
      tokens = count == tokens.length ? Arrays.copyOf(tokens, 2 * count) : tokens;
      tokens[count++] = token;
      String piece = stops.accept(decoder.accept(token));
      text.append(piece);
      listener.accept(new GeneratedToken(token, piece, before[token] - logSum, top));
      if (stops.stopped()) {
        reason = FinishReason.STOP;
        break;
      }
      if (heldSize == contextLength()) {
        break;
      }
      if (count < limit) {
        append(new int[] {token}, 0);
      }
    }
    String rest = stops.accept(decoder.finish()) + stops.finish();
    if (!rest.isEmpty()) {
      text.append(rest);
      int last = count == 0 ? -1 : tokens[count - 1];
      listener.accept(new GeneratedToken(last, rest, Double.NaN, List.of()));
    }
    return new Generation(
        text.toString(),
        Arrays.copyOf(tokens, count),
        reason,
        prompt.length,
        cached,
        Duration.ofNanos(prompted - start),
        Duration.ofNanos(System.nanoTime() - prompted));
  }

  private List<LogProbabilities.Entry> alternatives(GenerationOptions options) {
    return options.topLogProbabilities() <= 0
        ? List.of()
        : LogProbabilities.top(logits, 0, logits.length, options.topLogProbabilities());
  }

  /**
   * Computes a prompt, but for what it shares with the sequence so far; {@link #pause} if nothing
   * follows.
   *
   * @return how many tokens it shares
   */
  int prefill(int[] prompt) {
    check(prompt);
    int shared = shared(prompt);
    // The logits after the last token are needed, so that one is always computed.
    shared = cache.truncate(Math.min(shared, prompt.length - 1));
    heldSize = shared;
    append(prompt, shared);
    return shared;
  }

  /** Says that nothing follows soon, so that other sequences need not wait for this one. */
  void pause() {
    model.loop().leave(cache);
  }

  /** Draws a token after the sequence and appends it; {@link #pause} after the last. */
  int next(Sampler sampler) {
    int token = sampler.sample(logits, 0, logits.length);
    append(new int[] {token}, 0);
    return token;
  }

  /**
   * The logits after each token of a prompt, computed anew.
   *
   * @return [tokens][vocabulary]
   * @throws PelicanException if the prompt is empty, has an unknown token or does not fit the
   *     context, its logits do not fit an array, or one of them is NaN, as with a damaged file
   */
  public float[] logits(int[] prompt) {
    check(prompt);
    int most = (Integer.MAX_VALUE - 8) / logits.length;
    if (prompt.length > most) {
      throw new PelicanException(
          "the prompt has "
              + prompt.length
              + " tokens, expected at most "
              + most
              + ": the logits after each of more do not fit an array");
    }
    cancelled = false;
    heldSize = 0;
    cache.truncate(0);
    float[] all = new float[prompt.length * logits.length];
    model.loop().run(cache, prompt, 0, true, all, () -> cancelled);
    held = prompt.clone();
    heldSize = prompt.length;
    for (int i = 0; i < all.length; i++) {
      if (Float.isNaN(all[i])) {
        throw new PelicanException(
            model.path()
                + ": the logit of token "
                + i % logits.length
                + " after token "
                + i / logits.length
                + " of the prompt is no number (NaN): is the file damaged?");
      }
    }
    return all;
  }

  /**
   * Appends tokens to the sequence and gives the logits after each of them, so that a long text can
   * be gone through in the memory of a piece of it.
   *
   * @return [tokens][vocabulary]
   * @throws PelicanException if there are no tokens, one is unknown or they do not fit the context
   */
  public float[] extend(int[] tokens) {
    check(tokens);
    int end = Math.addExact(heldSize, tokens.length);
    if (end > contextLength()) {
      throw new PelicanException(
          "the sequence has "
              + end
              + " tokens, but the context holds "
              + contextLength()
              + " (num_ctx)");
    }
    cancelled = false;
    float[] all = new float[Math.multiplyExact(tokens.length, logits.length)];
    int done = model.loop().run(cache, tokens, 0, true, all, () -> cancelled);
    held = Arrays.copyOf(held, Math.max(held.length, heldSize + done));
    System.arraycopy(tokens, 0, held, heldSize, done);
    heldSize += done;
    return all;
  }

  /** Forgets the sequence. */
  public void clear() {
    heldSize = 0;
    cache.truncate(0);
  }

  /**
   * The mean of the final hidden states after the tokens of a text, which stands for its meaning.
   *
   * @return [width of the residual stream]
   * @throws PelicanException if the text is empty, has an unknown token or does not fit the
   *     context, or if this was cancelled
   */
  public float[] embed(int[] text) {
    check(text);
    cancelled = false;
    heldSize = 0;
    cache.truncate(0);
    double[] sum = new double[model.embeddingLength()];
    int done = model.loop().sumStates(cache, text, sum, () -> cancelled);
    if (done < text.length) {
      cache.truncate(0);
      throw new PelicanException("the embedding was cancelled");
    }
    held = text.clone();
    heldSize = text.length;
    float[] mean = new float[sum.length];
    for (int i = 0; i < mean.length; i++) {
      mean[i] = (float) (sum[i] / text.length);
    }
    return mean;
  }

  private void check(int[] prompt) {
    if (prompt.length == 0) {
      throw new PelicanException("the prompt is empty, expected at least one token");
    }
    if (prompt.length > contextLength()) {
      throw new PelicanException(
          "the prompt has "
              + prompt.length
              + " tokens, but the context holds "
              + contextLength()
              + " (num_ctx)");
    }
    for (int token : prompt) {
      if (token < 0 || token >= logits.length) {
        throw new PelicanException(
            "token " + token + " is not in the vocabulary, expected 0 to " + (logits.length - 1));
      }
    }
  }

  private void append(int[] tokens, int from) {
    if (heldSize + tokens.length - from > held.length) {
      held = Arrays.copyOf(held, Math.max(2 * held.length, heldSize + tokens.length - from));
    }
    int end = model.loop().run(cache, tokens, from, false, logits, () -> cancelled);
    System.arraycopy(tokens, from, held, heldSize, end - from);
    heldSize += end - from;
  }
}
