package pelican.gguf;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes GGUF files, version 3, little-endian. Metadata and tensors are named first, tensor data is
 * asked for while the file is written, so files may be larger than memory. A file appears under its
 * name only when it is complete.
 *
 * <p>Setting a key again replaces its value. What no reader accepts is refused with {@link
 * IllegalArgumentException} when it is added.
 */
public final class GgufWriter {
  /** Gives the data of a tensor. */
  @FunctionalInterface
  public interface Source {
    /** Writes exactly as many bytes as type and dimensions amount to. */
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * An array as a metadata value.
   *
   * @param element the type of its elements
   * @param values as {@link GgufWriter#putValue} takes them; for arrays of arrays, more of these
   */
  public record ArrayValue(ValueType element, List<?> values) {}

  private record Tensor(String name, GgmlType type, long[] dims, long bytes, Source source) {}

  private static final int BUFFER = 1 << 20;

  private final Map<String, byte[]> values = new LinkedHashMap<>();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private int alignment = GgufReader.DEFAULT_ALIGNMENT;

  /**
   * Sets the alignment of tensor data, and its key {@code general.alignment}.
   *
   * @param bytes a power of two from 8 to 2^30; 32 unless set
   */
  public GgufWriter alignment(int bytes) {
    if (bytes < 8 || bytes > 1 << 30 || Integer.bitCount(bytes) != 1) {
      throw new IllegalArgumentException(
          "alignment is " + bytes + ", expected a power of two from 8 to 2^30");
    }
    putUint32(GgufReader.ALIGNMENT, bytes);
    alignment = bytes;
    return this;
  }

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
   * Sets a value of any type.
   *
   * @param value a {@link Number} in the range of an integer type; a {@link Number} for floating
   *     types; a {@link Boolean}; a {@link String}, or a {@code byte[]} of its UTF-8 form; an
   *     {@link ArrayValue}
   */
  public GgufWriter putValue(String key, ValueType type, Object value) {
    return put(key, type, GgufValueWriter.payload(type, value));
  }

  /**
   * Sets a value by its bytes as the format lays them out; what the other methods do not cover.
   *
   * @param type the type of the value
   * @param payload what follows the type in the file
   */
  public GgufWriter put(String key, ValueType type, byte[] payload) {
    byte[] typed = buffer(4 + payload.length).putInt(type.id()).put(payload).array();
    return putTyped(key, typed);
  }

  private GgufWriter putTyped(String key, byte[] typed) {
    checkName("metadata key", key, GgufReader.MAX_KEY_BYTES);
    if (values.size() == GgufReader.MAX_KEYS) {
      throw new IllegalArgumentException("more than " + GgufReader.MAX_KEYS + " metadata keys");
    }
    values.put(key, typed);
    return this;
  }

  /** Copies a value of another file, byte for byte. */
  public GgufWriter copy(GgufMetadata from, String key) {
    if (key.equals(GgufReader.ALIGNMENT)) {
      return alignment(from.integer(key));
    }
    return putTyped(key, from.raw(key));
  }

  /**
   * Adds a tensor.
   *
   * @param dims its size in each dimension, the first being the length of a row
   */
  public GgufWriter tensor(String name, GgmlType type, long[] dims, Source source) {
    checkName("tensor name", name, GgufReader.MAX_NAME_BYTES);
    String what = "tensor " + Quote.quote(name);
    if (dims.length < 1 || dims.length > GgufReader.MAX_DIMS) {
      throw new IllegalArgumentException(
          what + " has " + dims.length + " dimensions, expected 1 to " + GgufReader.MAX_DIMS);
    }
    if (type.withdrawn()) {
      throw new IllegalArgumentException(what + " has type " + type + ", which is withdrawn");
    }
    long elements = 1;
    for (long dim : dims) {
      if (dim < 1) {
        throw new IllegalArgumentException(what + " has a dimension of " + dim);
      }
      elements = Math.multiplyExact(elements, dim);
    }
    if (dims[0] % type.blockSize() != 0) {
      throw new IllegalArgumentException(
          String.format(
              "%s has rows of %d elements, expected a multiple of %d, the block of %s",
              what, dims[0], type.blockSize(), type));
    }
    if (tensors.size() == GgufReader.MAX_TENSORS) {
      throw new IllegalArgumentException("more than " + GgufReader.MAX_TENSORS + " tensors");
    }
    Tensor tensor = new Tensor(name, type, dims.clone(), type.bytes(elements), source);
    if (tensors.putIfAbsent(name, tensor) != null) {
      throw new IllegalArgumentException(what + " is already there");
    }
    return this;
  }

  private static void checkName(String what, String name, int max) {
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (bytes == 0 || bytes > max) {
      throw new IllegalArgumentException(
          String.format(
              "%s %s has %d bytes, expected 1 to %d", what, Quote.quote(name), bytes, max));
    }
  }

  /**
   * Writes the file, in place of one that may be there. If that fails, or the JVM is shut down
   * meanwhile, the file that was there stays and what was written is removed.
   */
  public void write(Path path) throws IOException {
    String name = path.getFileName() + "." + ProcessHandle.current().pid() + ".partial";
    Path temporary = path.resolveSibling(name);
    Thread cleaner = new Thread(() -> delete(temporary));
    Runtime.getRuntime().addShutdownHook(cleaner);
    try {
      try (FileChannel channel =
              FileChannel.open(
                  temporary,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.TRUNCATE_EXISTING,
                  StandardOpenOption.WRITE);
          OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER)) {
        writeTo(out);
        out.flush();
        channel.force(true);
      }
      Files.move(
          temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      delete(temporary);
      removeHook(cleaner);
    }
  }

  private static void delete(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      // what cannot be removed stays under a name that nothing reads
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // the JVM is shutting down: the hook is running already
    }
  }

  /** Writes the file to a stream. */
  public void writeTo(OutputStream out) throws IOException {
    byte[] header = header();
    out.write(header);
    pad(out, header.length);
    for (Tensor tensor : tensors.values()) {
      Counter counter = new Counter(out, tensor);
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
    out.writeBytes(buffer(20).putInt(3).putLong(tensors.size()).putLong(values.size()).array());
    values.forEach((key, typed) -> {
      out.writeBytes(string(key.getBytes(StandardCharsets.UTF_8)));
      out.writeBytes(typed);
    });
    long offset = 0;
    for (Tensor tensor : tensors.values()) {
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

  private long aligned(long size) {
    return Math.addExact(size, alignment - 1) & -alignment;
  }

  private void pad(OutputStream out, long size) throws IOException {
    byte[] zeros = new byte[(int) Math.min(BUFFER, aligned(size) - size)];
    for (long left = aligned(size) - size; left > 0; left -= zeros.length) {
      out.write(zeros, 0, (int) Math.min(left, zeros.length));
    }
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

  /** Counts what passes, and lets no more pass than the tensor has. */
  private static final class Counter extends OutputStream {
    private final OutputStream out;
    private final Tensor tensor;
    private long count;

    Counter(OutputStream out, Tensor tensor) {
      this.out = out;
      this.tensor = tensor;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (length > tensor.bytes() - count) {
        throw new IOException(
            tensor.name() + ": more bytes written than the " + tensor.bytes() + " it has");
      }
      out.write(bytes, offset, length);
      count += length;
    }
  }
}
