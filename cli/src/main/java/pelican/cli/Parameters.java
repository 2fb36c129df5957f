package pelican.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import pelican.engine.GenerationOptions;
import pelican.engine.PelicanException;
import pelican.sampling.SamplingOptions;

/** Generation parameters by the names that Ollama gives them. */
final class Parameters {
  /** All names. */
  static final List<String> NAMES =
      List.of(
          "temperature",
          "top_k",
          "top_p",
          "min_p",
          "typical_p",
          "repeat_last_n",
          "repeat_penalty",
          "presence_penalty",
          "frequency_penalty",
          "seed",
          "stop",
          "num_predict",
          "num_ctx");

  private final Map<String, String> given = new LinkedHashMap<>();
  private GenerationOptions options;
  private OptionalInt contextLength = OptionalInt.empty();

  /** Begins with what the model's file recommends. */
  Parameters(SamplingOptions recommended) {
    options = GenerationOptions.DEFAULT.withSampling(recommended);
  }

  /** The same parameters, to be changed on their own. */
  Parameters copy() {
    Parameters copy = new Parameters(options.sampling());
    copy.given.putAll(given);
    copy.options = options;
    copy.contextLength = contextLength;
    return copy;
  }

  /**
   * Sets a parameter. One that is refused changes nothing.
   *
   * @param values one value; for {@code stop} any number
   * @throws PelicanException if the name is unknown, or a value not of its type or out of its range
   */
  void set(String name, List<String> values) {
    if (name.equals("stop")) {
      options = options.withStop(values);
      given.put(name, String.join(", ", values));
      return;
    }
    if (values.size() != 1) {
      throw new PelicanException(name + " takes one value, not " + values.size());
    }
    String value = values.getFirst();
    SamplingOptions.Builder sampling = options.sampling().toBuilder();
    switch (name) {
      case "temperature" -> sampling.temperature(number(name, value));
      case "top_k" -> sampling.topK(integer(name, value));
      case "top_p" -> sampling.topP(number(name, value));
      case "min_p" -> sampling.minP(number(name, value));
      case "typical_p" -> sampling.typicalP(number(name, value));
      case "repeat_last_n" -> sampling.repeatLastN(integer(name, value));
      case "repeat_penalty" -> sampling.repeatPenalty(number(name, value));
      case "presence_penalty" -> sampling.presencePenalty(number(name, value));
      case "frequency_penalty" -> sampling.frequencyPenalty(number(name, value));
      case "seed" -> sampling.seed(integer(name, value));
      case "num_predict" -> options = options.withMaxTokens(integer(name, value));
      case "num_ctx" -> contextLength = OptionalInt.of(contextLength(value));
      default ->
          throw new PelicanException(
              "unknown parameter '" + name + "', expected one of " + String.join(", ", NAMES));
    }
    options = options.withSampling(sampling.build());
    given.put(name, value);
  }

  private static int contextLength(String value) {
    int length = integer("num_ctx", value);
    if (length < 1) {
      throw new PelicanException("num_ctx is " + length + ", expected 1 or more");
    }
    return length;
  }

  private static double number(String name, String value) {
    try {
      return Double.parseDouble(value);
    } catch (NumberFormatException e) {
      throw new PelicanException(name + " is '" + value + "', expected a number");
    }
  }

  private static int integer(String name, String value) {
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new PelicanException(name + " is '" + value + "', expected a whole number");
    }
  }

  /** What was set, by name. */
  Map<String, String> given() {
    return given;
  }

  OptionalInt contextLength() {
    return contextLength;
  }

  /** The options that the parameters amount to. */
  GenerationOptions options() {
    return options;
  }
}
