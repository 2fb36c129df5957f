package pelican.gguf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Parses the header of a mapped GGUF file: magic, version, metadata, tensor table. Every count,
 * length, offset and product is checked against the file before it is used.
 */
final class GgufReader {
  /** "GGUF", read as a little-endian integer. */
  static final int MAGIC = 0x46554747;

  static final String ALIGNMENT = "general.alignment";
  static final int DEFAULT_ALIGNMENT = 32;

  /** Limits of the format's specification. */
  static final int MAX_KEY_BYTES = 65535;

  static final int MAX_NAME_BYTES = 64;
  static final int MAX_DIMS = 4;

  /**
   * Far beyond any model (hundreds of keys, thousands of tensors), and small enough that the tables
   * of a hostile file take little memory.
   */
  static final int MAX_KEYS = 1 << 16;

  static final int MAX_TENSORS = 1 << 16;
  static final int MAX_NESTING = 4;

  /** Seventeen times what Gemma's vocabulary and merges take. */
  static final int MAX_METADATA_BYTES = 1 << 28;

  /** The least that a pair takes: key length, one byte of key, type, a value of one byte. */
  private static final int LEAST_PAIR = 8 + 1 + 4 + 1;

  /** The least that a tensor takes: name length, one byte of name, dimensions, type, offset. */
  private static final int LEAST_TENSOR = 8 + 1 + 4 + 8 + 4 + 8;

  private final MemorySegment file;
  private final Path path;
  private final Arena arena;
  private final GgufCursor in;

  /** What a header holds. */
  record Header(
      int version, int alignment, GgufMetadata metadata, Map<String, TensorInfo> tensors) {}

  private GgufReader(MemorySegment file, Path path, Arena arena) {
    this.file = file;
    this.path = path;
    this.arena = arena;
    this.in = new GgufCursor(file, path.toString());
  }

  /**
   * Reads the header of a file.
   *
   * @param arena where the copy of the metadata lives
   * @throws InternalError if the file became shorter meanwhile
   */
  static Header read(MemorySegment file, Path path, Arena arena) {
    return new GgufReader(file, path, arena).header();
  }

  private Header header() {
    int magic = in.remaining() >= Integer.BYTES ? in.u32("the magic number") : 0;
    if (magic != MAGIC) {
      throw in.error("no GGUF file: it does not begin with the letters GGUF");
    }
    int version = version();
    long tensorCount = count("tensors", MAX_TENSORS);
    long keyCount = count("metadata keys", MAX_KEYS);
    atLeast(tensorCount, LEAST_TENSOR, "tensors");
    atLeast(keyCount, LEAST_PAIR, "metadata keys");
    Map<String, GgufMetadata.Value> pairs = pairs((int) keyCount);
    GgufMetadata metadata = new GgufMetadata(copy(in.position()), path, pairs);
    int alignment = alignment(metadata);
    return new Header(version, alignment, metadata, tensors((int) tensorCount, alignment));
  }

  /** The file's first bytes, in memory that stays as it is whatever becomes of the file. */
  private MemorySegment copy(long bytes) {
    return arena.allocate(bytes).copyFrom(file.asSlice(0, bytes)).asReadOnly();
  }

  private int version() {
    int version = in.u32("the version");
    if (version == 2 || version == 3) {
      return version;
    }
    int reversed = Integer.reverseBytes(version);
    if (reversed >= 1 && reversed <= 3) {
      throw in.error("a big-endian GGUF file, expected little-endian");
    }
    throw in.error("GGUF version " + Integer.toUnsignedString(version) + ", expected 2 or 3");
  }

  private long count(String what, int most) {
    long count = in.u64("the number of " + what);
    if (count < 0 || count > most) {
      throw in.error(
          String.format(
              "the number of %s is %s, expected 0 to %d",
              what, Long.toUnsignedString(count), most));
    }
    return count;
  }

  private void atLeast(long count, int bytes, String what) {
    if (count > in.remaining() / bytes) {
      throw in.error(
          String.format(
              "truncated: %d %s cannot lie in the %d bytes that are left",
              count, what, in.remaining()));
    }
  }

  private Map<String, GgufMetadata.Value> pairs(int count) {
    Map<String, GgufMetadata.Value> pairs = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      String key = in.identifier("metadata key " + i, MAX_KEY_BYTES);
      String what = "metadata " + Quote.quote(key);
      if (pairs.put(key, value(what)) != null) {
        throw in.error(what + " appears twice");
      }
      if (in.position() > MAX_METADATA_BYTES) {
        throw in.error(
            String.format(
                "%s ends at byte %d, expected at most %d",
                what, in.position(), MAX_METADATA_BYTES));
      }
    }
    return pairs;
  }

  private GgufMetadata.Value value(String what) {
    ValueType type = valueType(what);
    return switch (type) {
      case STRING -> {
        long at = in.position();
        in.take(in.stringLength(what), what);
        yield new GgufMetadata.Value(type, type, 1, at, null);
      }
      case ARRAY -> array(what);
      default -> new GgufMetadata.Value(type, type, 1, in.take(type.bytes(), what), null);
    };
  }

  private GgufMetadata.Value array(String what) {
    ValueType element = valueType(what);
    int count = arrayLength(what, element);
    long at = in.position();
    long[] strings = null;
    switch (element) {
      case STRING -> strings = in.strings(count, what);
      case ARRAY -> {
        for (int i = 0; i < count; i++) {
          skipArray(what, 2);
        }
      }
      default -> in.take((long) count * element.bytes(), what);
    }
    return new GgufMetadata.Value(ValueType.ARRAY, element, count, at, strings);
  }

  /** Checks and steps over an array inside another one. */
  private void skipArray(String what, int depth) {
    if (depth > MAX_NESTING) {
      throw in.error(what + " has arrays nested deeper than " + MAX_NESTING);
    }
    ValueType element = valueType(what);
    int count = arrayLength(what, element);
    if (element == ValueType.ARRAY) {
      for (int i = 0; i < count; i++) {
        skipArray(what, depth + 1);
      }
    } else if (element == ValueType.STRING) {
      for (int i = 0; i < count; i++) {
        in.take(in.stringLength(what), what);
      }
    } else {
      in.take((long) count * element.bytes(), what);
    }
  }

  private ValueType valueType(String what) {
    int id = in.u32("the type of " + what);
    return ValueType.byId(id)
        .orElseThrow(() ->
            in.error(
                String.format(
                    "%s has the unknown value type %s, expected 0 to %d",
                    what, Integer.toUnsignedString(id), ValueType.values().length - 1)));
  }

  private int arrayLength(String what, ValueType element) {
    long count = in.u64("the length of " + what);
    int least =
        switch (element) {
          case STRING -> StringArray.PREFIX;
          case ARRAY -> Integer.BYTES + Long.BYTES;
          default -> element.bytes();
        };
    if (count < 0 || count > in.remaining() / least) {
      throw in.error(
          String.format(
              "%s is an array of %s %s, but only %d bytes are left in the file",
              what, Long.toUnsignedString(count), element, in.remaining()));
    }
    if (count > MAX_METADATA_BYTES / least) {
      throw in.error(
          String.format(
              "%s is an array of %d %s, expected at most %d",
              what, count, element, MAX_METADATA_BYTES / least));
    }
    return (int) count;
  }

  private int alignment(GgufMetadata metadata) {
    if (!metadata.has(ALIGNMENT)) {
      return DEFAULT_ALIGNMENT;
    }
    if (metadata.type(ALIGNMENT) != ValueType.UINT32) {
      throw in.error(ALIGNMENT + " is of type " + metadata.type(ALIGNMENT) + ", expected UINT32");
    }
    long alignment = metadata.longInteger(ALIGNMENT);
    if (alignment < 8 || alignment > 1 << 30 || Long.bitCount(alignment) != 1) {
      throw in.error(ALIGNMENT + " is " + alignment + ", expected a power of two from 8 to 2^30");
    }
    return (int) alignment;
  }

  private Map<String, TensorInfo> tensors(int count, int alignment) {
    List<TensorInfo> table = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      table.add(tensor(i, alignment));
    }
    long start = (in.position() + alignment - 1) & -alignment;
    long dataSize = Math.max(0, file.byteSize() - start);
    Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    long end = 0;
    for (TensorInfo info : table) {
      String what = "tensor " + Quote.quote(info.name());
      if (info.offset() < end) {
        throw in.error(
            String.format(
                "%s at offset %d overlaps the one before, which ends at %d",
                what, info.offset(), end));
      }
      if (info.offset() > dataSize - info.byteSize()) {
        throw in.error(
            String.format(
                "truncated: %s needs %d bytes at offset %d of the data, but the data has %d",
                what, info.byteSize(), info.offset(), dataSize));
      }
      end = info.offset() + info.byteSize();
      TensorInfo placed =
          new TensorInfo(
              info.name(), info.type(), info.dims(), start + info.offset(), info.byteSize());
      if (tensors.put(info.name(), placed) != null) {
        throw in.error(what + " appears twice");
      }
    }
    return tensors;
  }

  /** Reads one line of the table; its offset is still relative to the data. */
  private TensorInfo tensor(int index, int alignment) {
    String tensor = in.identifier("the name of tensor " + index, MAX_NAME_BYTES);
    String what = "tensor " + Quote.quote(tensor);
    List<Long> dims = dims(what);
    int id = in.u32("the type of " + what);
    GgmlType type =
        GgmlType.byId(id)
            .orElseThrow(() ->
                in.error(what + " has the unknown ggml type " + Integer.toUnsignedString(id)));
    if (type.withdrawn()) {
      throw in.error(what + " has type " + type + ", which ggml has withdrawn");
    }
    if (dims.getFirst() % type.blockSize() != 0) {
      throw in.error(
          String.format(
              "%s has rows of %d elements, expected a multiple of %d, the block of %s",
              what, dims.getFirst(), type.blockSize(), type));
    }
    long bytes;
    try {
      long elements = 1;
      for (long dim : dims) {
        elements = Math.multiplyExact(elements, dim);
      }
      bytes = type.bytes(elements);
    } catch (ArithmeticException e) {
      throw in.error(what + " of " + dims + " " + type + " elements is too large for any file");
    }
    long offset = in.u64("the offset of " + what);
    if (offset < 0 || offset % alignment != 0) {
      throw in.error(
          String.format(
              "%s has offset %s, expected a multiple of the alignment %d",
              what, Long.toUnsignedString(offset), alignment));
    }
    return new TensorInfo(tensor, type, dims, offset, bytes);
  }

  private List<Long> dims(String what) {
    int count = in.u32("the number of dimensions of " + what);
    if (count < 1 || count > MAX_DIMS) {
      throw in.error(
          String.format(
              "%s has %s dimensions, expected 1 to %d",
              what, Integer.toUnsignedString(count), MAX_DIMS));
    }
    Long[] dims = new Long[count];
    for (int i = 0; i < count; i++) {
      dims[i] = in.u64("dimension " + i + " of " + what);
      if (dims[i] < 1) {
        throw in.error(
            String.format(
                "dimension %d of %s is %s, expected at least 1",
                i, what, Long.toUnsignedString(dims[i])));
      }
    }
    return List.of(dims);
  }
}
