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

/**
 * A GGUF file of version 2 or 3, little-endian, mapped into memory as one read-only segment: files
 * may be larger than 2 GB, and nothing of them is copied.
 *
 * <p>The header is checked wholly when the file is opened: whatever tensor the file names lies
 * inside it. A file that another process shortens while it is mapped makes later reads of tensor
 * data throw {@link InternalError}; reads of metadata throw {@link GgufException} then.
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

  private GgufFile(Path path, Arena arena, MemorySegment file) {
    this.path = path;
    this.arena = arena;
    this.file = file;
    this.header = GgufReader.read(file, path);
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
      return new GgufFile(path, arena, map(path, arena));
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  private static MemorySegment map(Path path, Arena arena) {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long size = channel.size();
      if (size == 0) {
        throw new GgufException(path + ": an empty file, expected a GGUF file");
      }
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
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
   * What to tell when reading the data of a tensor threw, as it does where the file was shortened.
   */
  public GgufException unreadable(InternalError cause) {
    return GgufCursor.shrunk(path.toString(), cause);
  }

  /** Unmaps the file. Further calls do nothing. */
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
