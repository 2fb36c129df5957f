package pelican.gguf;

import java.util.Optional;

/** The types of a metadata value, in the order of their numbers in a GGUF file. */
public enum ValueType {
  UINT8(1),
  INT8(1),
  UINT16(2),
  INT16(2),
  UINT32(4),
  INT32(4),
  FLOAT32(4),
  BOOL(1),
  STRING(0),
  ARRAY(0),
  UINT64(8),
  INT64(8),
  FLOAT64(8);

  private static final ValueType[] TYPES = values();

  private final int bytes;

  ValueType(int bytes) {
    this.bytes = bytes;
  }

  /** The number that stands for this type in a GGUF file. */
  public int id() {
    return ordinal();
  }

  /** Bytes of one value; 0 for strings and arrays, whose size varies. */
  public int bytes() {
    return bytes;
  }

  /** Whether values are whole numbers (booleans are not). */
  public boolean isInteger() {
    return switch (this) {
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
      case FLOAT32, BOOL, STRING, ARRAY, FLOAT64 -> false;
    };
  }

  /** Whether values are floating-point numbers. */
  public boolean isFloat() {
    return this == FLOAT32 || this == FLOAT64;
  }

  /** The type with a number, or empty where there is none. */
  public static Optional<ValueType> byId(int id) {
    return id < 0 || id >= TYPES.length ? Optional.empty() : Optional.of(TYPES[id]);
  }
}
