package pelican.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.IntFunction;

/**
 * The key-value pairs of a GGUF file. Values are read from a copy of its header when asked for.
 * Every getter throws {@link GgufException}, naming file, key, value and expectation, where the key
 * is missing (unless a default is given) or its value is not what was asked for.
 */
public final class GgufMetadata {
  /**
   * Where a value lies in the file.
   *
   * @param type the type of the value
   * @param element the type of its elements, for an array; else the same as {@code type}
   * @param count the number of elements; 1 for what is no array
   * @param at the place of the first element; for a string, of its length
   * @param strings for an array of strings, the place of each and the end of the last
   */
  record Value(ValueType type, ValueType element, int count, long at, long[] strings) {}

  /** Arrays that are turned into Java arrays stay below this: 64 MB of ints. */
  private static final int MAX_NUMBERS = 1 << 24;

  private final MemorySegment header;
  private final Path path;
  private final String name;
  private final Map<String, Value> values;

  GgufMetadata(MemorySegment header, Path path, Map<String, Value> values) {
    this.header = header;
    this.path = path;
    this.name = path.toString();
    this.values = values;
  }

  /** The file that the metadata comes from, for messages. */
  public Path path() {
    return path;
  }

  /** All keys, in the order of the file. */
  public Set<String> keys() {
    return Collections.unmodifiableSet(values.keySet());
  }

  /** Whether a key is present. */
  public boolean has(String key) {
    return values.containsKey(key);
  }

  /** The type of a key's value. */
  public ValueType type(String key) {
    return value(key).type();
  }

  /** The type of the elements of a key's array; the type itself for what is no array. */
  public ValueType elementType(String key) {
    return value(key).element();
  }

  /** The number of elements of a key's array; 1 for what is no array. */
  public int length(String key) {
    return value(key).count();
  }

  /** A string. */
  public String string(String key) {
    Value value = value(key);
    if (value.type() != ValueType.STRING) {
      throw wrong(key, value, "a string");
    }
    return text(value);
  }

  /** A string, or a default where the key is missing. */
  public String string(String key, String missing) {
    return has(key) ? string(key) : missing;
  }

  /** An integer of any type that fits an {@code int}. */
  public int integer(String key) {
    Value value = value(key);
    if (!value.type().isInteger()) {
      throw wrong(key, value, "an integer");
    }
    return asInt(key, value, 0);
  }

  /** An integer of any type that fits an {@code int}, or a default where the key is missing. */
  public int integer(String key, int missing) {
    return has(key) ? integer(key) : missing;
  }

  /** An integer of any type that fits a {@code long}. */
  public long longInteger(String key) {
    Value value = value(key);
    if (!value.type().isInteger()) {
      throw wrong(key, value, "an integer");
    }
    long bits = bits(value, 0);
    if (value.type() == ValueType.UINT64 && bits < 0) {
      throw wrong(key, value, "at most 2^63 - 1");
    }
    return bits;
  }

  /** An integer that fits a {@code long}, or a default where the key is missing. */
  public long longInteger(String key, long missing) {
    return has(key) ? longInteger(key) : missing;
  }

  /** A number of any type, rounded to {@code float}; it may be infinite or NaN. */
  public float floating(String key) {
    Value value = value(key);
    if (!value.type().isFloat() && !value.type().isInteger()) {
      throw wrong(key, value, "a number");
    }
    return (float) asDouble(value, 0);
  }

  /** A number of any type, or a default where the key is missing. */
  public float floating(String key, float missing) {
    return has(key) ? floating(key) : missing;
  }

  /** A boolean. */
  public boolean bool(String key) {
    Value value = value(key);
    if (value.type() != ValueType.BOOL) {
      throw wrong(key, value, "a boolean");
    }
    return asBoolean(key, value, 0);
  }

  /** A boolean, or a default where the key is missing. */
  public boolean bool(String key, boolean missing) {
    return has(key) ? bool(key) : missing;
  }

  /** An array of integers of any type, each of which fits an {@code int}; a scalar is one. */
  public int[] integers(String key) {
    Value value = value(key);
    if (!value.element().isInteger() || value.count() > MAX_NUMBERS) {
      throw wrong(key, value, "an array of at most " + MAX_NUMBERS + " integers");
    }
    int[] result = new int[value.count()];
    for (int i = 0; i < result.length; i++) {
      result[i] = asInt(key, value, i);
    }
    return result;
  }

  /** One integer for each layer; a scalar holds for all of them. */
  public int[] integersPerLayer(String key, int layers) {
    Value value = value(key);
    if (!value.element().isInteger()) {
      throw wrong(key, value, "integers");
    }
    int[] result = new int[perLayer(key, value, layers)];
    for (int i = 0; i < layers; i++) {
      result[i] = asInt(key, value, value.type() == ValueType.ARRAY ? i : 0);
    }
    return result;
  }

  /** One boolean for each layer; a scalar holds for all of them, integers 0 and 1 count. */
  public boolean[] booleansPerLayer(String key, int layers) {
    Value value = value(key);
    if (value.element() != ValueType.BOOL && !value.element().isInteger()) {
      throw wrong(key, value, "booleans");
    }
    boolean[] result = new boolean[perLayer(key, value, layers)];
    for (int i = 0; i < layers; i++) {
      result[i] = asBoolean(key, value, value.type() == ValueType.ARRAY ? i : 0);
    }
    return result;
  }

  /** An array of numbers, rounded to {@code float}; a scalar is one. */
  public float[] floats(String key) {
    Value value = value(key);
    boolean numbers = value.element().isFloat() || value.element().isInteger();
    if (!numbers || value.count() > MAX_NUMBERS) {
      throw wrong(key, value, "an array of at most " + MAX_NUMBERS + " numbers");
    }
    float[] result = new float[value.count()];
    for (int i = 0; i < result.length; i++) {
      result[i] = (float) asDouble(value, i);
    }
    return result;
  }

  /** An array of strings. */
  public StringArray strings(String key) {
    Value value = value(key);
    if (value.strings() == null) {
      throw wrong(key, value, "an array of strings");
    }
    return new StringArray(header, value.strings());
  }

  /**
   * A value as Java knows it: {@link String}, {@link Boolean}, {@link Double} for both floating
   * types, {@link Long} for integers ({@link BigInteger} beyond its range), {@link StringArray},
   * and a {@link List} of such values for any other array; null where the key is missing.
   */
  public Object get(String key) {
    Value value = values.get(key);
    if (value == null) {
      return null;
    }
    if (value.type() != ValueType.ARRAY) {
      return scalar(key, value, 0);
    }
    if (value.strings() != null) {
      return strings(key);
    }
    if (value.element() == ValueType.ARRAY) {
      GgufCursor cursor = new GgufCursor(header, name);
      cursor.take(value.at(), "the part before " + key);
      List<Object> arrays = new ArrayList<>();
      for (int i = 0; i < value.count(); i++) {
        arrays.add(nested(cursor, key));
      }
      return Collections.unmodifiableList(arrays);
    }
    return new Elements(value.count(), i -> scalar(key, value, i));
  }

  /** A key's value as it stands in the file: the number of its type, then its bytes. */
  byte[] raw(String key) {
    Value value = value(key);
    long start = value.at() - Integer.BYTES;
    if (value.type() == ValueType.ARRAY) {
      start -= Integer.BYTES + Long.BYTES;
    }
    GgufCursor cursor = new GgufCursor(header, name);
    cursor.take(start + Integer.BYTES, "the part before " + key);
    skip(cursor, value.type(), key);
    return header.asSlice(start, cursor.position() - start).toArray(ValueLayout.JAVA_BYTE);
  }

  private static void skip(GgufCursor cursor, ValueType type, String key) {
    switch (type) {
      case STRING -> cursor.take(cursor.stringLength(key), key);
      case ARRAY -> {
        ValueType element = ValueType.byId(cursor.u32(key)).orElseThrow();
        long count = cursor.u64(key);
        if (element.bytes() > 0) {
          cursor.take(Math.multiplyExact(count, (long) element.bytes()), key);
        } else {
          for (long i = 0; i < count; i++) {
            skip(cursor, element, key);
          }
        }
      }
      default -> cursor.take(type.bytes(), key);
    }
  }

  private List<Object> nested(GgufCursor cursor, String key) {
    ValueType element = ValueType.byId(cursor.u32(key)).orElseThrow();
    long count = cursor.u64(key);
    List<Object> list = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      list.add(
          switch (element) {
            case ARRAY -> nested(cursor, key);
            case STRING -> {
              long at = cursor.position();
              cursor.take(cursor.stringLength(key), key);
              yield text(new Value(ValueType.STRING, ValueType.STRING, 1, at, null));
            }
            default -> {
              long at = cursor.take(element.bytes(), key);
              yield scalar(key, new Value(element, element, 1, at, null), 0);
            }
          });
    }
    return Collections.unmodifiableList(list);
  }

  /** A read-only list of scalars that are read when asked for. */
  private static final class Elements extends AbstractList<Object> {
    private final int size;
    private final IntFunction<Object> element;

    Elements(int size, IntFunction<Object> element) {
      this.size = size;
      this.element = element;
    }

    @Override
    public int size() {
      return size;
    }

    @Override
    public Object get(int index) {
      Objects.checkIndex(index, size);
      return element.apply(index);
    }
  }

  private Value value(String key) {
    Value value = values.get(key);
    if (value == null) {
      throw new GgufException(name + ": metadata " + key + " is missing");
    }
    return value;
  }

  private int perLayer(String key, Value value, int layers) {
    if (value.type() == ValueType.ARRAY && value.count() != layers) {
      throw wrong(key, value, "one value or " + layers + ", one for each layer");
    }
    return layers;
  }

  private int asInt(String key, Value value, int index) {
    long bits = bits(value, index);
    if (bits != (int) bits) {
      throw wrong(key, value, index, "an integer of at most 31 bits");
    }
    return (int) bits;
  }

  private double asDouble(Value value, int index) {
    long bits = bits(value, index);
    return switch (value.element()) {
      case FLOAT32 -> Float.intBitsToFloat((int) bits);
      case FLOAT64 -> Double.longBitsToDouble(bits);
      case UINT64 -> bits >= 0 ? bits : new BigInteger(Long.toUnsignedString(bits)).doubleValue();
      default -> bits;
    };
  }

  private boolean asBoolean(String key, Value value, int index) {
    long bits = bits(value, index);
    if (bits < 0 || bits > 1) {
      throw wrong(key, value, index, "0 or 1 for a boolean");
    }
    return bits == 1;
  }

  private Object scalar(String key, Value value, int index) {
    return switch (value.element()) {
      case STRING -> text(value);
      case BOOL -> asBoolean(key, value, index);
      case FLOAT32, FLOAT64 -> asDouble(value, index);
      case UINT64 -> {
        long bits = bits(value, index);
        if (bits < 0) {
          yield new BigInteger(Long.toUnsignedString(bits));
        }
        yield bits;
      }
      default -> bits(value, index);
    };
  }

  private long bits(Value value, int index) {
    return GgufCursor.bits(
        header, value.element(), value.at() + (long) index * value.element().bytes());
  }

  private String text(Value value) {
    GgufCursor cursor = new GgufCursor(header, name);
    cursor.take(value.at(), "the part before a string");
    byte[] bytes = new byte[cursor.stringLength("a string")];
    MemorySegment.copy(
        header,
        ValueLayout.JAVA_BYTE,
        cursor.take(bytes.length, "a string"),
        bytes,
        0,
        bytes.length);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private GgufException wrong(String key, Value value, String expected) {
    String shown;
    if (value.type() == ValueType.ARRAY) {
      shown = "an array of " + value.count() + " " + value.element();
    } else if (value.type() == ValueType.STRING) {
      shown = Quote.quote(text(value));
    } else if (value.type() == ValueType.BOOL) {
      shown = "BOOL " + bits(value, 0);
    } else {
      shown = value.type() + " " + scalar(key, value, 0);
    }
    return new GgufException(
        name + ": metadata " + key + " is " + shown + ", expected " + expected);
  }

  private GgufException wrong(String key, Value value, int index, String expected) {
    if (value.type() != ValueType.ARRAY) {
      return wrong(key, value, expected);
    }
    Object shown =
        value.element() == ValueType.BOOL ? bits(value, index) : scalar(key, value, index);
    return new GgufException(
        String.format("%s: metadata %s[%d] is %s, expected %s", name, key, index, shown, expected));
  }
}
