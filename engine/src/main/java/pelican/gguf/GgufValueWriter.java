package pelican.gguf;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Checks metadata values and lays them out as the format asks. */
final class GgufValueWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteBuffer number = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);

  private GgufValueWriter() {}

  /** The bytes of a value, as {@link GgufWriter#putValue} takes them, without its type. */
  static byte[] payload(ValueType type, Object value) {
    check(type, value, 0);
    GgufValueWriter writer = new GgufValueWriter();
    writer.write(type, value);
    return writer.out.toByteArray();
  }

  private static void check(ValueType type, Object value, int depth) {
    boolean fits =
        switch (type) {
          case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> inRange(type, value);
          case FLOAT32, FLOAT64 -> value instanceof Number;
          case BOOL -> value instanceof Boolean;
          case STRING -> value instanceof String || value instanceof byte[];
          case ARRAY -> value instanceof GgufWriter.ArrayValue;
        };
    if (!fits) {
      throw new IllegalArgumentException("the value " + value + " is no " + type);
    }
    if (type == ValueType.ARRAY) {
      if (depth == GgufReader.MAX_NESTING) {
        throw new IllegalArgumentException("arrays nested deeper than " + GgufReader.MAX_NESTING);
      }
      GgufWriter.ArrayValue array = (GgufWriter.ArrayValue) value;
      for (Object element : array.values()) {
        check(array.element(), element, depth + 1);
      }
    }
    if (type == ValueType.STRING && utf8(value).length > GgufCursor.MAX_STRING) {
      throw new IllegalArgumentException(
          "a string longer than " + GgufCursor.MAX_STRING + " bytes");
    }
  }

  private static boolean inRange(ValueType type, Object value) {
    BigInteger integer;
    if (value instanceof BigInteger big) {
      integer = big;
    } else if (value instanceof Long
        || value instanceof Integer
        || value instanceof Short
        || value instanceof Byte) {
      integer = BigInteger.valueOf(((Number) value).longValue());
    } else {
      return false;
    }
    int bits = 8 * type.bytes();
    boolean signed =
        switch (type) {
          case INT8, INT16, INT32, INT64 -> true;
          default -> false;
        };
    return signed
        ? integer.bitLength() < bits
        : integer.signum() >= 0 && integer.bitLength() <= bits;
  }

  private void write(ValueType type, Object value) {
    switch (type) {
      case BOOL -> out.write((Boolean) value ? 1 : 0);
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 ->
          put(((Number) value).longValue(), type.bytes());
      case FLOAT32 -> put(Float.floatToRawIntBits(((Number) value).floatValue()), type.bytes());
      case FLOAT64 -> put(Double.doubleToRawLongBits(((Number) value).doubleValue()), type.bytes());
      case STRING -> {
        byte[] bytes = utf8(value);
        put(bytes.length, Long.BYTES);
        out.writeBytes(bytes);
      }
      case ARRAY -> {
        GgufWriter.ArrayValue array = (GgufWriter.ArrayValue) value;
        put(array.element().id(), Integer.BYTES);
        put(array.values().size(), Long.BYTES);
        for (Object element : array.values()) {
          write(array.element(), element);
        }
      }
    }
  }

  private void put(long value, int bytes) {
    out.write(number.putLong(0, value).array(), 0, bytes);
  }

  private static byte[] utf8(Object value) {
    return value instanceof byte[] bytes
        ? bytes
        : ((String) value).getBytes(StandardCharsets.UTF_8);
  }
}
