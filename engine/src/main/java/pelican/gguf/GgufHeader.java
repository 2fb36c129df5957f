package pelican.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the header of a GGUF file: magic, version, counts, metadata, tensor directory. Nothing in it is
 * trusted: a count is compared with the bytes that are left before memory is taken for it.
 */
record GgufHeader(
    int version, int alignment, GgufMetadata metadata, Map<String, TensorInfo> tensors) {
  private static final int MAGIC = 0x46554747; // "GGUF", little-endian
  private static final int MAX_NAME = 64;
  private static final int MAX_KEY = 65535;
  private static final int MAX_DIMS = 4;
  private static final int MAX_DEPTH = 4;
  private static final int DEFAULT_ALIGNMENT = 32;

  /** The fewest bytes of a key-value pair: key length, one letter, type, one byte. */
  private static final int MIN_PAIR = 8 + 1 + 4 + 1;

  /** The fewest bytes of a tensor's entry: name length, number of dims, one dim, type, offset. */
  private static final int MIN_TENSOR = 8 + 4 + 8 + 4 + 8;

  static GgufHeader read(Path path, MemorySegment file) {
    return new Reader(path, file).read();
  }

  private static final class Reader {
    private static final ValueLayout.OfInt INT =
        ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
        ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
        ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final MemorySegment file;
    private long at;

    /** What is being read, for messages. */
    private String field = "magic";

    Reader(Path path, MemorySegment file) {
      this.path = path;
      this.file = file;
    }

    GgufHeader read() {
      if (file.byteSize() == 0) {
        throw bad("is empty, expected a GGUF file");
      }
      int magic = file.byteSize() >= 4 ? readInt() : 0;
      if (magic != MAGIC) {
        throw bad("is not a GGUF file (it does not begin with the letters GGUF)");
      }
      field = "version";
      int version = readInt();
      if (version != 2 && version != 3) {
        if (Integer.reverseBytes(version) == 2 || Integer.reverseBytes(version) == 3) {
          throw bad("is a big-endian GGUF file, expected little-endian");
        }
        throw bad("has GGUF version " + Integer.toUnsignedString(version) + ", expected 2 or 3");
      }
      int tensorCount = count("tensor count", MIN_TENSOR);
      int pairCount = count("metadata count", MIN_PAIR);
      GgufMetadata metadata = new GgufMetadata(path, readPairs(pairCount));
      int alignment = metadata.integer("general.alignment", DEFAULT_ALIGNMENT);
      if (alignment < 1 || Integer.bitCount(alignment) != 1) {
        throw bad("general.alignment is " + alignment + ", expected a power of two");
      }
      return new GgufHeader(version, alignment, metadata, readTensors(tensorCount, alignment));
    }

    private Map<String, Object> readPairs(int count) {
      Map<String, Object> pairs = new LinkedHashMap<>();
      for (int i = 0; i < count; i++) {
        field = "metadata key " + i;
        String key = readString(MAX_KEY);
        if (key.isEmpty()) {
          throw bad("metadata key " + i + " is empty");
        }
        field = "metadata key " + printable(key);
        Object value = readValue(readType(), 0);
        if (pairs.put(key, value) != null) {
          throw bad("metadata key " + printable(key) + " occurs twice");
        }
      }
      return pairs;
    }

    private ValueType readType() {
      int id = readInt();
      ValueType type = ValueType.byId(id);
      if (type == null) {
        throw bad(field + " has value type " + id + ", expected 0 to 12");
      }
      return type;
    }

    private Object readValue(ValueType type, int depth) {
      return switch (type) {
        case STRING -> readString(Integer.MAX_VALUE);
        case ARRAY -> readArray(depth);
        case BOOL -> bool(readByte());
        case FLOAT32 -> (double) Float.intBitsToFloat(readInt());
        case FLOAT64 -> Double.longBitsToDouble(readLong());
        default -> readInteger(type);
      };
    }

    private long readInteger(ValueType type) {
      return switch (type) {
        case UINT8 -> Byte.toUnsignedLong(readByte());
        case INT8 -> readByte();
        case UINT16 -> Short.toUnsignedLong(readShort());
        case INT16 -> readShort();
        case UINT32 -> Integer.toUnsignedLong(readInt());
        case INT32 -> readInt();
        case UINT64 -> {
          long value = readLong();
          if (value < 0) {
            throw bad(
                field + " is " + Long.toUnsignedString(value) + ", expected less than 2^63");
          }
          yield value;
        }
        default -> readLong();
      };
    }

    private boolean bool(byte value) {
      if (value != 0 && value != 1) {
        throw bad(field + " is a boolean of value " + value + ", expected 0 or 1");
      }
      return value == 1;
    }

    private Object readArray(int depth) {
      if (depth == MAX_DEPTH) {
        throw bad(field + " nests arrays deeper than " + MAX_DEPTH);
      }
      ValueType type = readType();
      int fewestBytes =
          switch (type) {
            case STRING -> 8;
            case ARRAY -> 12;
            default -> type.bytes();
          };
      int size = arraySize(fewestBytes);
      return switch (type) {
        case STRING -> readStrings(size);
        case ARRAY -> {
          Object[] array = new Object[size];
          for (int i = 0; i < size; i++) {
            array[i] = readArray(depth + 1);
          }
          yield array;
        }
        case BOOL -> {
          boolean[] array = new boolean[size];
          for (int i = 0; i < size; i++) {
            array[i] = bool(readByte());
          }
          yield array;
        }
        case FLOAT32, FLOAT64 -> {
          double[] array = new double[size];
          for (int i = 0; i < size; i++) {
            array[i] =
                type == ValueType.FLOAT32
                    ? Float.intBitsToFloat(readInt())
                    : Double.longBitsToDouble(readLong());
          }
          yield array;
        }
        default -> {
          long[] array = new long[size];
          for (int i = 0; i < size; i++) {
            array[i] = readInteger(type);
          }
          yield array;
        }
      };
    }

    private StringArray readStrings(int size) {
      long[] starts = new long[size];
      for (int i = 0; i < size; i++) {
        starts[i] = at;
        skip(stringLength(Integer.MAX_VALUE));
      }
      return new StringArray(file, starts);
    }

    private Map<String, TensorInfo> readTensors(int count, int alignment) {
      Map<String, TensorInfo> relative = new LinkedHashMap<>();
      for (int i = 0; i < count; i++) {
        field = "name of tensor " + i;
        String name = readString(MAX_NAME);
        if (name.isEmpty()) {
          throw bad("tensor " + i + " has no name");
        }
        TensorInfo tensor = readTensor(name, alignment);
        if (relative.put(name, tensor) != null) {
          throw bad("tensor " + printable(name) + " occurs twice");
        }
      }
      long dataStart = at;
      if (!relative.isEmpty()) {
        dataStart = Math.ceilDiv(at, alignment) * alignment;
      }
      Map<String, TensorInfo> tensors = new LinkedHashMap<>();
      for (TensorInfo t : relative.values()) {
        tensors.put(t.name(), placed(t, dataStart));
      }
      checkOverlap(new ArrayList<>(tensors.values()));
      return tensors;
    }

    private TensorInfo readTensor(String name, int alignment) {
      field = "tensor " + printable(name);
      int dimCount = readInt();
      if (dimCount < 1 || dimCount > MAX_DIMS) {
        throw bad(
            field
                + " has "
                + Integer.toUnsignedString(dimCount)
                + " dimensions, expected 1 to "
                + MAX_DIMS);
      }
      List<Long> dims = new ArrayList<>();
      long elements = 1;
      for (int d = 0; d < dimCount; d++) {
        long dim = readLong();
        if (dim < 1) {
          throw bad(field + " has a dimension of " + dim + ", expected at least 1");
        }
        dims.add(dim);
        try {
          elements = Math.multiplyExact(elements, dim);
        } catch (ArithmeticException e) {
          throw bad(field + " has dimensions " + dims + ", whose product is too large");
        }
      }
      int typeId = readInt();
      GgmlType type =
          GgmlType.byId(typeId)
              .orElseThrow(
                  () ->
                      bad(
                          field
                              + " has type "
                              + Integer.toUnsignedString(typeId)
                              + ", which is not a ggml type"));
      if (type.withdrawn()) {
        throw bad(field + " has type " + type + ", which ggml has withdrawn");
      }
      if (dims.getFirst() % type.blockSize() != 0) {
        throw bad(
            field
                + " has rows of "
                + dims.getFirst()
                + " weights, expected a multiple of "
                + type.blockSize()
                + " for "
                + type);
      }
      long bytes;
      try {
        bytes = type.bytes(elements);
      } catch (ArithmeticException e) {
        throw bad(field + " has " + elements + " weights of type " + type + ", which is too large");
      }
      long offset = readLong();
      if (offset < 0 || offset % alignment != 0) {
        throw bad(
            field
                + " has offset "
                + Long.toUnsignedString(offset)
                + ", expected a multiple of "
                + alignment);
      }
      return new TensorInfo(name, type, dims, offset, bytes);
    }

    /** The tensor with its offset counted from the beginning of the file, checked against its end. */
    private TensorInfo placed(TensorInfo t, long dataStart) {
      long available = file.byteSize() - dataStart;
      if (t.offset() > available || t.byteSize() > available - t.offset()) {
        throw bad(
            "tensor "
                + printable(t.name())
                + " has "
                + t.byteSize()
                + " bytes at offset "
                + t.offset()
                + " of the data, which has only "
                + Math.max(0, available)
                + " bytes; is the file truncated?");
      }
      return new TensorInfo(t.name(), t.type(), t.dims(), dataStart + t.offset(), t.byteSize());
    }

    private void checkOverlap(List<TensorInfo> tensors) {
      tensors.sort(Comparator.comparingLong(TensorInfo::offset));
      for (int i = 1; i < tensors.size(); i++) {
        TensorInfo before = tensors.get(i - 1);
        TensorInfo after = tensors.get(i);
        if (after.offset() < before.offset() + before.byteSize()) {
          throw bad(
              "tensors " + printable(before.name()) + " and " + printable(after.name()) + " overlap");
        }
      }
    }

    /** Reads a count of things of at least {@code fewestBytes} bytes each. */
    private int count(String name, int fewestBytes) {
      field = name;
      return arraySize(fewestBytes);
    }

    private int arraySize(int fewestBytes) {
      long size = readLong();
      long left = file.byteSize() - at;
      if (size < 0 || size > left / fewestBytes || size > Integer.MAX_VALUE - 8) {
        throw bad(
            field
                + " has "
                + Long.toUnsignedString(size)
                + " entries, which do not fit in the remaining "
                + left
                + " bytes");
      }
      return (int) size;
    }

    private int stringLength(int max) {
      long length = readLong();
      long left = file.byteSize() - at;
      if (length < 0 || length > left || length > max) {
        throw bad(
            field
                + " is a string of "
                + Long.toUnsignedString(length)
                + " bytes, expected at most "
                + Math.min(left, max));
      }
      return (int) length;
    }

    private String readString(int max) {
      int length = stringLength(max);
      byte[] bytes = file.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE);
      at += length;
      return new String(bytes, StandardCharsets.UTF_8);
    }

    private void need(int bytes) {
      if (bytes > file.byteSize() - at) {
        throw bad("ends in the middle of the header, in " + field + "; is it truncated?");
      }
    }

    private void skip(int bytes) {
      need(bytes);
      at += bytes;
    }

    private byte readByte() {
      need(1);
      return file.get(ValueLayout.JAVA_BYTE, at++);
    }

    private short readShort() {
      need(2);
      at += 2;
      return file.get(SHORT, at - 2);
    }

    private int readInt() {
      need(4);
      at += 4;
      return file.get(INT, at - 4);
    }

    private long readLong() {
      need(8);
      at += 8;
      return file.get(LONG, at - 8);
    }

    private GgufException bad(String message) {
      return new GgufException(path + ": " + message);
    }

    private static String printable(String name) {
      StringBuilder out = new StringBuilder();
      name.codePoints()
          .limit(100)
          .forEach(c -> out.appendCodePoint(Character.isISOControl(c) ? '\uFFFD' : c));
      return out.toString();
    }
  }
}
