package pelican.gguf;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes GGUF files, version 3, little-endian. Metadata and tensors are named first, tensor data is
 * asked for while the file is written, so files may be larger than memory. A file appears under its
 * name only when it is complete.
 */
public final class GgufWriter {
  /** Gives the data of a tensor. */
  @FunctionalInterface
  public interface Source {
    /** Writes exactly as many bytes as type and dimensions amount to. */
    void writeTo(OutputStream out) throws IOException;
  }

  private record Tensor(String name, GgmlType type, long[] dims, long bytes, Source source) {}

  private static final int ALIGNMENT = 32;
  private static final int BUFFER = 1 << 20;

  private final Map<String, byte[]> values = new LinkedHashMap<>();
  private final List<Tensor> tensors = new ArrayList<>();

  /** Sets a string. */
  public GgufWriter put(String key, String value) {
    return put(key, ValueType.STRING, string(value.getBytes(StandardCharsets.UTF_8)));
  }

  /** Sets an unsigned 32-bit number. */
  public GgufWriter putUint32(String key, int value) {
    return put(key, ValueType.UINT32, buffer(4).putInt(value).array());
  }

  /** Sets a single-precision number. */
  public GgufWriter put(String key, float value) {
    return put(key, ValueType.FLOAT32, buffer(4).putFloat(value).array());
  }

  /** Sets a truth value. */
  public GgufWriter put(String key, boolean value) {
    return put(key, ValueType.BOOL, new byte[] {(byte) (value ? 1 : 0)});
  }

  /** Sets an array of signed 32-bit numbers. */
  public GgufWriter put(String key, int[] value) {
    ByteBuffer bytes = arrayHeader(ValueType.INT32, value.length, 4L * value.length);
    for (int v : value) {
      bytes.putInt(v);
    }
    return put(key, ValueType.ARRAY, bytes.array());
  }

  /** Sets an array of single-precision numbers. */
  public GgufWriter put(String key, float[] value) {
    ByteBuffer bytes = arrayHeader(ValueType.FLOAT32, value.length, 4L * value.length);
    for (float v : value) {
      bytes.putFloat(v);
    }
    return put(key, ValueType.ARRAY, bytes.array());
  }

  /** Sets an array of truth values. */
  public GgufWriter put(String key, boolean[] value) {
    ByteBuffer bytes = arrayHeader(ValueType.BOOL, value.length, value.length);
    for (boolean v : value) {
      bytes.put((byte) (v ? 1 : 0));
    }
    return put(key, ValueType.ARRAY, bytes.array());
  }

  /** Sets an array of strings. */
  public GgufWriter put(String key, List<byte[]> strings) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(arrayHeader(ValueType.STRING, strings.size(), 0).array());
    for (byte[] text : strings) {
      bytes.writeBytes(string(text));
    }
    return put(key, ValueType.ARRAY, bytes.toByteArray());
  }

  /**
   * Sets a value by its bytes as the format lays them out; what the other methods do not cover.
   *
   * @param type the type of the value
   * @param payload what follows the type in the file
   */
  public GgufWriter put(String key, ValueType type, byte[] payload) {
    byte[] typed = buffer(4 + payload.length).putInt(type.id()).put(payload).array();
    values.put(key, typed);
    return this;
  }

  /** Copies a value of another file. */
  public GgufWriter copy(GgufMetadata from, String key) {
    switch (from.type(key)) {
      case STRING -> put(key, from.string(key));
      case BOOL -> put(key, from.bool(key));
      case FLOAT32 -> put(key, from.floating(key));
      case ARRAY -> {
        switch (from.elementType(key)) {
          case STRING -> put(key, byteStrings(from.strings(key)));
          case FLOAT32 -> put(key, from.floats(key));
          case BOOL -> put(key, from.booleansPerLayer(key, from.length(key)));
          default -> put(key, from.integers(key));
        }
      }
      case UINT32, INT32, UINT16, INT16, UINT8, INT8 -> putUint32(key, from.integer(key));
      default ->
          put(key, ValueType.INT64, buffer(8).putLong(from.longInteger(key)).array());
    }
    return this;
  }

  private static List<byte[]> byteStrings(StringArray strings) {
    List<byte[]> result = new ArrayList<>(strings.size());
    for (int i = 0; i < strings.size(); i++) {
      result.add(strings.bytes(i));
    }
    return result;
  }

  /**
   * Adds a tensor.
   *
   * @param dims its size in each dimension, the first being the length of a row
   */
  public GgufWriter tensor(String name, GgmlType type, long[] dims, Source source) {
    long elements = 1;
    for (long dim : dims) {
      elements = Math.multiplyExact(elements, dim);
    }
    tensors.add(new Tensor(name, type, dims.clone(), type.bytes(elements), source));
    return this;
  }

  /** Writes the file, in place of one that may be there. */
  public void write(Path path) throws IOException {
    String name = path.getFileName() + "." + ProcessHandle.current().pid() + ".partial";
    Path temporary = path.resolveSibling(name);
    try {
      try (OutputStream out =
          new BufferedOutputStream(Files.newOutputStream(temporary), BUFFER)) {
        writeTo(out);
      }
      Files.move(
          temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** Writes the file to a stream. */
  public void writeTo(OutputStream out) throws IOException {
    byte[] header = header();
    out.write(header);
    pad(out, header.length);
    for (Tensor tensor : tensors) {
      Counter counter = new Counter(out);
      tensor.source().writeTo(counter);
      if (counter.count != tensor.bytes()) {
        throw new IOException(
            tensor.name() + ": " + counter.count + " bytes written, expected " + tensor.bytes());
      }
      pad(out, tensor.bytes());
    }
  }

  private byte[] header() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    out.writeBytes(
        buffer(20).putInt(3).putLong(tensors.size()).putLong(values.size()).array());
    values.forEach(
        (key, typed) -> {
          out.writeBytes(string(key.getBytes(StandardCharsets.UTF_8)));
          out.writeBytes(typed);
        });
    long offset = 0;
    for (Tensor tensor : tensors) {
      out.writeBytes(string(tensor.name().getBytes(StandardCharsets.UTF_8)));
      ByteBuffer info = buffer(4 + 8 * tensor.dims().length + 4 + 8).putInt(tensor.dims().length);
      for (long dim : tensor.dims()) {
        info.putLong(dim);
      }
      out.writeBytes(info.putInt(tensor.type().id()).putLong(offset).array());
      offset = Math.addExact(offset, aligned(tensor.bytes()));
    }
    return out.toByteArray();
  }

  private static long aligned(long size) {
    return Math.addExact(size, ALIGNMENT - 1) & -ALIGNMENT;
  }

  private static void pad(OutputStream out, long size) throws IOException {
    out.write(new byte[(int) (aligned(size) - size)]);
  }

  private static byte[] string(byte[] text) {
    return buffer(8 + text.length).putLong(text.length).put(text).array();
  }

  private static ByteBuffer arrayHeader(ValueType element, int length, long payload) {
    return buffer(Math.toIntExact(12 + payload)).putInt(element.id()).putLong(length);
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Counts what passes. */
  private static final class Counter extends OutputStream {
    private final OutputStream out;
    private long count;

    Counter(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
      count++;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
      count += length;
    }
  }
}
