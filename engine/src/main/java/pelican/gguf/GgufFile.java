package pelican.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A GGUF file of version 2 or 3, little-endian, mapped into memory as one read-only segment: files
 * may be larger than 2 GB, and nothing of them is copied.
 *
 * <p>The header is checked wholly when the file is opened: whatever tensor the file names lies
 * inside it. The metadata is copied then, the data of tensors is mapped: a file that another
 * process shortens makes later reads of tensor data throw {@link InternalError}.
 *
 * <p>Safe for use by many threads. After {@link #close()} every segment and string array of the
 * file throws {@link IllegalStateException} when read.
 */
public final class GgufFile implements AutoCloseable {
  private final Path path;
  private final Arena arena;
  private final MemorySegment file;
  private final GgufReader.Header header;
  private final Map<String, TensorInfo> tensors;

  private GgufFile(Path path, Arena arena, MemorySegment file, GgufReader.Header header) {
    this.path = path;
    this.arena = arena;
    this.file = file;
    this.header = header;
    this.tensors = Collections.unmodifiableMap(header.tensors());
  }

  /**
   * Maps a file and reads its header.
   *
   * @throws GgufException if there is no such file, or it is no GGUF file that can be used
   */
  public static GgufFile open(Path path) {
    if (!Files.exists(path)) {
      throw new GgufException(path + ": no such file");
    }
    if (Files.isDirectory(path)) {
      throw new GgufException(path + ": a directory, expected a GGUF file");
    }
    if (!Files.isRegularFile(path)) {
      throw new GgufException(path + ": no regular file, expected a GGUF file");
    }
    Arena arena = Arena.ofShared();
    try {
      return open(path, arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  private static GgufFile open(Path path, Arena arena) {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long size = channel.size();
      if (size == 0) {
        throw new GgufException(path + ": an empty file, expected a GGUF file");
      }
      MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
      GgufReader.Header header = reading(path, () -> GgufReader.read(file, path, arena));
      return new GgufFile(path, arena, file, header);
    } catch (NoSuchFileException e) {
      throw new GgufException(path + ": no such file", e);
    } catch (AccessDeniedException e) {
      throw new GgufException(path + ": permission denied", e);
    } catch (IOException e) {
      throw new GgufException(path + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** The path that the file was opened by. */
  public Path path() {
    return path;
  }

  /** The version of the format: 2 or 3. */
  public int version() {
    return header.version();
  }

  /** The size of the file in bytes. */
  public long size() {
    return file.byteSize();
  }

  /** The alignment of tensor data in bytes. */
  public int alignment() {
    return header.alignment();
  }

  /** The key-value pairs. */
  public GgufMetadata metadata() {
    return header.metadata();
  }

  /** All tensors by name, in the order of the file. */
  public Map<String, TensorInfo> tensors() {
    return tensors;
  }

  /**
   * A tensor that must be there.
   *
   * @throws GgufException if it is missing
   */
  public TensorInfo tensor(String name) {
    return find(name)
        .orElseThrow(() -> new GgufException(path + ": tensor " + name + " is missing"));
  }

  /** A tensor that may be there. */
  public Optional<TensorInfo> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /** The data of one of this file's tensors: a read-only segment of exactly its size. */
  public MemorySegment data(TensorInfo tensor) {
    return file.asSlice(tensor.offset(), tensor.byteSize());
  }

  /**
   * Does what reads the data of tensors.
   *
   * @throws GgufException if the file was shortened or cannot be read
   */
  public <T> T reading(Supplier<T> read) {
    return reading(path, read);
  }

  private static <T> T reading(Path path, Supplier<T> read) {
    try {
      T result = read.get();
      // Compiled code goes on after a read that failed. Its error is thrown when a thread next
      // returns from a native method, at the latest: here, where it is caught.
      Thread.yield();
      return result;
    } catch (InternalError e) {
      throw unreadable(path, e);
    }
  }

  /** What to tell when reading the data of a tensor threw elsewhere. */
  public GgufException unreadable(InternalError cause) {
    return unreadable(path, cause);
  }

  private static GgufException unreadable(Path path, InternalError cause) {
    return new GgufException(
        path + ": the file became shorter, or could not be read, while in use", cause);
  }

  /** Unmaps the file. Further calls do nothing. */
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
