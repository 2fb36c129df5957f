package pelican.server.inference;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import pelican.engine.GenerationOptions;
import pelican.engine.PelicanException;
import pelican.sampling.SamplingOptions;
import pelican.server.http.ApiException;

/**
 * Generation options by the names that Ollama gives them. Unknown names are ignored, as Ollama
 * does; what holds for a request is its own options over the model's over the defaults.
 *
 * @param values numbers, booleans, and lists of strings by name
 */
public record Options(Map<String, Object> values) {
  public static final Options NONE = new Options(Map.of());

  /** More strings would have to be looked for after each token. */
  private static final int MAX_STOPS = 256;

  private static final Set<String> INTEGERS =
      Set.of(
          "num_ctx",
          "num_predict",
          "num_keep",
          "num_batch",
          "num_gpu",
          "main_gpu",
          "num_thread",
          "draft_num_predict",
          "top_k",
          "repeat_last_n",
          "seed");

  private static final Set<String> FLOATS =
      Set.of(
          "temperature",
          "top_p",
          "min_p",
          "typical_p",
          "repeat_penalty",
          "presence_penalty",
          "frequency_penalty");

  /** Ollama's defaults where neither request nor model says anything. */
  private static final SamplingOptions DEFAULT =
      SamplingOptions.GEMMA.toBuilder().temperature(0.8).topK(40).topP(0.9).build();

  /**
   * What a request amounts to.
   *
   * @param generation how tokens are drawn and when to stop
   * @param contextLength {@code num_ctx}; 0 for the server's choice
   */
  public record Resolved(GenerationOptions generation, int contextLength) {}

  public Options {
    values = Map.copyOf(values);
  }

  /** These options and one more; it replaces one of the same name. */
  public Options with(String name, Object value) {
    Map<String, Object> all = new LinkedHashMap<>(values);
    all.put(name, value);
    return new Options(all);
  }

  /**
   * Options from the parameters of a stored model, whose values are texts.
   *
   * @throws PelicanException if one is not of its type
   */
  public static Options ofModel(Map<String, List<String>> parameters) {
    Map<String, Object> values = new LinkedHashMap<>();
    parameters.forEach((name, texts) -> {
      if (name.equals("stop")) {
        values.put(name, texts);
      } else if ((INTEGERS.contains(name) || FLOATS.contains(name)) && texts.size() == 1) {
        try {
          values.put(name, new BigDecimal(texts.getFirst()));
        } catch (NumberFormatException e) {
          throw new PelicanException(
              "the model's parameter " + name + " is '" + texts.getFirst() + "', expected a number",
              e);
        }
      }
    });
    return new Options(values);
  }

  /**
   * These options over those of the model.
   *
   * @throws ApiException of status 500, as Ollama has it, if a value is not of its type; of 400 if
   *     it is out of its range
   */
  public Resolved over(Options model) {
    Map<String, Object> all = new LinkedHashMap<>(model.values);
    all.putAll(values);
    SamplingOptions.Builder sampling = DEFAULT.toBuilder();
    List<String> stop = List.of();
    int maxTokens = -1;
    int contextLength = 0;
    try {
      for (Map.Entry<String, Object> entry : all.entrySet()) {
        String name = entry.getKey();
        Object value = entry.getValue();
        switch (name) {
          case "temperature" -> sampling.temperature(floating(name, value));
          case "top_p" -> sampling.topP(floating(name, value));
          case "min_p" -> sampling.minP(floating(name, value));
          case "typical_p" -> sampling.typicalP(floating(name, value));
          case "repeat_penalty" -> sampling.repeatPenalty(floating(name, value));
          case "presence_penalty" -> sampling.presencePenalty(floating(name, value));
          case "frequency_penalty" -> sampling.frequencyPenalty(floating(name, value));
          case "top_k" -> sampling.topK((int) integer(name, value, -1, Integer.MAX_VALUE));
          case "repeat_last_n" ->
              sampling.repeatLastN((int) integer(name, value, -1, Integer.MAX_VALUE));
          case "seed" -> sampling.seed(integer(name, value, Long.MIN_VALUE, Long.MAX_VALUE));
          case "num_predict" -> {
            int wanted = (int) integer(name, value, -2, Integer.MAX_VALUE);
            maxTokens = wanted <= 0 ? -1 : wanted;
          }
          case "num_ctx" -> contextLength = (int) integer(name, value, 0, Integer.MAX_VALUE);
          case "num_keep", "num_gpu", "main_gpu" -> integer(name, value, -1, Integer.MAX_VALUE);
          case "num_batch", "num_thread", "draft_num_predict" ->
              integer(name, value, 0, Integer.MAX_VALUE);
          case "use_mmap" -> {
            if (!(value instanceof Boolean)) {
              throw wrongType(name, "boolean");
            }
          }
          case "stop" -> stop = strings(value);
          default -> {
            // of another engine, or of another version
          }
        }
      }
      return new Resolved(
          GenerationOptions.DEFAULT
              .withSampling(sampling.build())
              .withMaxTokens(maxTokens)
              .withStop(stop),
          contextLength);
    } catch (ApiException e) {
      throw e;
    } catch (PelicanException e) {
      throw ApiException.badRequest(e.getMessage());
    }
  }

  private static ApiException wrongType(String name, String type) {
    return new ApiException(500, "option \"" + name + "\" must be of type " + type);
  }

  private static double floating(String name, Object value) {
    if (!(value instanceof Number number)) {
      throw wrongType(name, "float32");
    }
    return number.doubleValue();
  }

  /** A fraction is cut off. */
  private static long integer(String name, Object value, long least, long most) {
    if (!(value instanceof Number number)) {
      throw wrongType(name, "integer");
    }
    double size = number.doubleValue();
    boolean huge = !(Math.abs(size) < 1e19);
    BigDecimal exact = huge ? null : new BigDecimal(number.toString());
    if (huge
        || exact.compareTo(BigDecimal.valueOf(most)) > 0
        || exact.compareTo(BigDecimal.valueOf(least)) < 0) {
      throw ApiException.badRequest(name + " is " + number + ", expected " + least + " to " + most);
    }
    return exact.longValue();
  }

  private static List<String> strings(Object value) {
    if (!(value instanceof List<?> list)) {
      throw wrongType("stop", "array");
    }
    if (list.size() > MAX_STOPS) {
      throw ApiException.badRequest(
          "stop has " + list.size() + " strings, expected at most " + MAX_STOPS);
    }
    List<String> strings = new ArrayList<>();
    for (Object element : list) {
      if (!(element instanceof String text)) {
        throw new ApiException(500, "option \"stop\" must be of an array of strings");
      }
      strings.add(text);
    }
    return strings;
  }
}
