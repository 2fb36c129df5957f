package pelican.gguf;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Set;

/**
 * The key-value part of a GGUF file. Values are Java objects: integers of any width are {@link Long},
 * floats {@link Double}, arrays {@code long[]}, {@code double[]}, {@code boolean[]}, {@link
 * StringArray} or {@code Object[]} of arrays. Getters convert where nothing is lost, since files differ
 * in the types they use, and name file and key where a value is missing or another kind.
 */
public final class GgufMetadata {
  private final Path path;
  private final Map<String, Object> values;

  GgufMetadata(Path path, Map<String, Object> values) {
    this.path = path;
    this.values = Collections.unmodifiableMap(values);
  }

  /** The keys, in the file's order. */
  public Set<String> keys() {
    return values.keySet();
  }

  public boolean has(String key) {
    return values.containsKey(key);
  }

  /** A value as stored, or null. */
  public Object get(String key) {
    return values.get(key);
  }

  public String string(String key) {
    return required(key) instanceof String s ? s : fail(key, "a string");
  }

  public String string(String key, String fallback) {
    return has(key) ? string(key) : fallback;
  }

  /** An integer of any width that fits in an int. */
  public int integer(String key) {
    long value = longInteger(key);
    if (value < Integer.MIN_VALUE || value > Integer.MAX_VALUE) {
      return fail(key, "an integer of 32 bits");
    }
    return (int) value;
  }

  public int integer(String key, int fallback) {
    return has(key) ? integer(key) : fallback;
  }

  /** An integer of any width; unsigned 64-bit values above the range of a long are refused. */
  public long longInteger(String key) {
    return required(key) instanceof Long value ? value : fail(key, "an integer");
  }

  public long longInteger(String key, long fallback) {
    return has(key) ? longInteger(key) : fallback;
  }

  public float floating(String key) {
    return switch (required(key)) {
      case Double d -> d.floatValue();
      case Long l -> l.floatValue();
      default -> fail(key, "a number");
    };
  }

  public float floating(String key, float fallback) {
    return has(key) ? floating(key) : fallback;
  }

  public boolean bool(String key) {
    return required(key) instanceof Boolean b ? b : fail(key, "a boolean");
  }

  public boolean bool(String key, boolean fallback) {
    return has(key) ? bool(key) : fallback;
  }

  /** An array of integers; a single integer counts as an array of one. */
  public int[] integers(String key) {
    return switch (required(key)) {
      case Long ignored -> new int[] {integer(key)};
      case long[] array -> {
        int[] result = new int[array.length];
        for (int i = 0; i < result.length; i++) {
          if (array[i] != (int) array[i]) {
            fail(key, "integers of 32 bits");
          }
          result[i] = (int) array[i];
        }
        yield result;
      }
      default -> fail(key, "an array of integers");
    };
  }

  /** One integer for each layer; a single integer counts for all. */
  public int[] integersPerLayer(String key, int layers) {
    int[] array = integers(key);
    if (required(key) instanceof Long) {
      int value = array[0];
      array = new int[layers];
      Arrays.fill(array, value);
    }
    return array.length == layers ? array : fail(key, layers + " values, one for each layer");
  }

  /** One boolean for each layer; a single one counts for all, integers count as booleans. */
  public boolean[] booleansPerLayer(String key, int layers) {
    boolean[] result = new boolean[layers];
    switch (required(key)) {
      case Boolean b -> Arrays.fill(result, b);
      case boolean[] array when array.length == layers -> result = array.clone();
      case long[] array when array.length == layers -> {
        for (int i = 0; i < layers; i++) {
          result[i] = array[i] != 0;
        }
      }
      default -> fail(key, layers + " booleans, one for each layer");
    }
    return result;
  }

  /** An array of numbers. */
  public float[] floats(String key) {
    return switch (required(key)) {
      case double[] array -> {
        float[] result = new float[array.length];
        for (int i = 0; i < result.length; i++) {
          result[i] = (float) array[i];
        }
        yield result;
      }
      case long[] array -> {
        float[] result = new float[array.length];
        for (int i = 0; i < result.length; i++) {
          result[i] = array[i];
        }
        yield result;
      }
      default -> fail(key, "an array of numbers");
    };
  }

  public StringArray strings(String key) {
    return required(key) instanceof StringArray array ? array : fail(key, "an array of strings");
  }

  /** The file that the metadata comes from, for messages. */
  public Path path() {
    return path;
  }

  private Object required(String key) {
    Object value = values.get(key);
    if (value == null) {
      throw new GgufException(path + ": metadata key " + key + " is missing");
    }
    return value;
  }

  private <T> T fail(String key, String expected) {
    throw new GgufException(
        path + ": " + key + " is " + describe(values.get(key)) + ", expected " + expected);
  }

  private static String describe(Object value) {
    return switch (value) {
      case String s -> "\"" + (s.length() > 40 ? s.substring(0, 40) + "…" : s) + "\"";
      case long[] a -> "an array of " + a.length + " integers";
      case double[] a -> "an array of " + a.length + " floats";
      case boolean[] a -> "an array of " + a.length + " booleans";
      case StringArray a -> "an array of " + a.size() + " strings";
      case Object[] a -> "an array of " + a.length + " arrays";
      default -> value.toString();
    };
  }
}
