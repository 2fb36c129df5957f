package pelican.sampling;

import java.util.OptionalLong;
import pelican.engine.PelicanException;

/**
 * How the next token is drawn from the logits. Names, meanings and order of application are those
 * of llama.cpp and Ollama (the constants are their names there); see {@link Sampler}.
 *
 * @param temperature 0 takes the likeliest token; larger values make rarer tokens likelier
 * @param topK how many of the likeliest tokens stay; 0 or -1 for all
 * @param topP the likeliest tokens stay whose probabilities add up to this; 1 for all
 * @param minP tokens stay whose probability is at least this share of the likeliest one's; 0 for
 *     all
 * @param typicalP the tokens of most typical surprise stay that add up to this probability; 1 for
 *     all
 * @param repeatLastN how many of the last tokens the penalties see; 0 for none, -1 for all
 * @param repeatPenalty divides positive and multiplies negative logits of seen tokens; 1 for none
 * @param presencePenalty taken from the logits of seen tokens
 * @param frequencyPenalty taken from the logits of seen tokens as often as they were seen
 * @param seed begins the sequence of random numbers; empty for another one each time
 */
public record SamplingOptions(
    double temperature,
    int topK,
    double topP,
    double minP,
    double typicalP,
    int repeatLastN,
    double repeatPenalty,
    double presencePenalty,
    double frequencyPenalty,
    OptionalLong seed) {
  public static final String TEMPERATURE = "temperature";
  public static final String TOP_K = "top_k";
  public static final String TOP_P = "top_p";
  public static final String MIN_P = "min_p";
  public static final String TYPICAL_P = "typical_p";
  public static final String REPEAT_LAST_N = "repeat_last_n";
  public static final String REPEAT_PENALTY = "repeat_penalty";
  public static final String PRESENCE_PENALTY = "presence_penalty";
  public static final String FREQUENCY_PENALTY = "frequency_penalty";
  public static final String SEED = "seed";

  /** What Gemma's authors recommend: temperature 1, top-k 64, top-p 0.95. */
  public static final SamplingOptions GEMMA = new Builder().build();

  /** The likeliest token, always. */
  public static final SamplingOptions GREEDY = new Builder().temperature(0).build();

  /**
   * @throws PelicanException naming the option, its value and what was expected
   */
  public SamplingOptions {
    check(TEMPERATURE, temperature, 0, 1e6);
    check(TOP_K, topK, -1, Integer.MAX_VALUE);
    check(TOP_P, topP, 0, 1);
    check(MIN_P, minP, 0, 1);
    check(TYPICAL_P, typicalP, 0, 1);
    check(REPEAT_LAST_N, repeatLastN, -1, Integer.MAX_VALUE);
    check(REPEAT_PENALTY, repeatPenalty, 1e-6, 1e6);
    check(PRESENCE_PENALTY, presencePenalty, -1e6, 1e6);
    check(FREQUENCY_PENALTY, frequencyPenalty, -1e6, 1e6);
  }

  private static void check(String name, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw new PelicanException(
          name + " is " + plain(value) + ", expected " + plain(least) + " to " + plain(most));
    }
  }

  private static String plain(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }

  /** These options, to be changed. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.temperature = temperature;
    builder.topK = topK;
    builder.topP = topP;
    builder.minP = minP;
    builder.typicalP = typicalP;
    builder.repeatLastN = repeatLastN;
    builder.repeatPenalty = repeatPenalty;
    builder.presencePenalty = presencePenalty;
    builder.frequencyPenalty = frequencyPenalty;
    builder.seed = seed;
    return builder;
  }

  /** Collects options, beginning with Gemma's recommended ones. */
  public static final class Builder {
    private double temperature = 1.0;
    private int topK = 64;
    private double topP = 0.95;
    private double minP = 0.0;
    private double typicalP = 1.0;
    private int repeatLastN = 64;
    private double repeatPenalty = 1.0;
    private double presencePenalty = 0.0;
    private double frequencyPenalty = 0.0;
    private OptionalLong seed = OptionalLong.empty();

    /** Begins with Gemma's recommended options. */
    public Builder() {}

    public Builder temperature(double value) {
      temperature = value;
      return this;
    }

    public Builder topK(int value) {
      topK = value;
      return this;
    }

    public Builder topP(double value) {
      topP = value;
      return this;
    }

    public Builder minP(double value) {
      minP = value;
      return this;
    }

    public Builder typicalP(double value) {
      typicalP = value;
      return this;
    }

    public Builder repeatLastN(int value) {
      repeatLastN = value;
      return this;
    }

    public Builder repeatPenalty(double value) {
      repeatPenalty = value;
      return this;
    }

    public Builder presencePenalty(double value) {
      presencePenalty = value;
      return this;
    }

    public Builder frequencyPenalty(double value) {
      frequencyPenalty = value;
      return this;
    }

    /** -1 stands for another sequence each time. */
    public Builder seed(long value) {
      seed = value == -1 ? OptionalLong.empty() : OptionalLong.of(value);
      return this;
    }

    /**
     * @throws PelicanException if a value is out of its range
     */
    public SamplingOptions build() {
      return new SamplingOptions(
          temperature,
          topK,
          topP,
          minP,
          typicalP,
          repeatLastN,
          repeatPenalty,
          presencePenalty,
          frequencyPenalty,
          seed);
    }
  }
}
