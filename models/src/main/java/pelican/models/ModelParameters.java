package pelican.models;

import java.util.Set;
import pelican.engine.PelicanException;
import tools.jackson.databind.node.ObjectNode;

/** The types of Ollama's generation parameters, as its {@code params} layers hold them. */
final class ModelParameters {
  private static final Set<String> INTEGERS =
      Set.of(
          "num_ctx",
          "num_keep",
          "num_predict",
          "num_batch",
          "num_gpu",
          "main_gpu",
          "num_thread",
          "seed",
          "top_k",
          "repeat_last_n");

  private static final Set<String> NUMBERS =
      Set.of(
          "temperature",
          "top_p",
          "min_p",
          "typical_p",
          "repeat_penalty",
          "presence_penalty",
          "frequency_penalty");

  private ModelParameters() {}

  /**
   * Sets a parameter from text; {@code stop} gathers all its values.
   *
   * @param fresh whether {@code stop} was set by this caller before; if not, inherited ones go
   * @throws PelicanException if the name is unknown or the value is of another type
   */
  static void set(ObjectNode parameters, String name, String value, boolean fresh) {
    try {
      if (INTEGERS.contains(name)) {
        parameters.put(name, Integer.parseInt(value));
      } else if (NUMBERS.contains(name)) {
        double number = Double.parseDouble(value);
        if (!Double.isFinite(number)) {
          throw new NumberFormatException();
        }
        parameters.put(name, number);
      } else if (name.equals("use_mmap")) {
        if (!value.equals("true") && !value.equals("false")) {
          throw new PelicanException(
              "parameter use_mmap is '" + value + "', expected true or false");
        }
        parameters.put(name, value.equals("true"));
      } else if (name.equals("stop")) {
        (fresh ? parameters.withArray("stop") : parameters.putArray("stop")).add(value);
      } else {
        throw new PelicanException("unknown parameter '" + name + "'");
      }
    } catch (NumberFormatException e) {
      String kind = INTEGERS.contains(name) ? "an integer" : "a number";
      throw new PelicanException("parameter " + name + " is '" + value + "', expected " + kind, e);
    }
  }
}
