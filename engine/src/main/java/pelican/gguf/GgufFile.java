package pelican.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;

/**
 * An open GGUF file, version 2 or 3, little-endian. The file is mapped, not read: tensors are views of
 * the mapping, and only the header is looked at when opening. Every length and offset in the header is
 * checked against the file before anything is done with it.
 */
public final class GgufFile implements AutoCloseable {
  private final Path path;
  private final Arena arena;
  private final MemorySegment file;
  private final int version;
  private final int alignment;
  private final GgufMetadata metadata;
  private final Map<String, TensorInfo> tensors;

  private GgufFile(Path path, Arena arena, MemorySegment file, GgufHeader header) {
    this.path = path;
    this.arena = arena;
    this.file = file;
    this.version = header.version();
    this.alignment = header.alignment();
    this.metadata = header.metadata();
    this.tensors = Collections.unmodifiableMap(header.tensors());
  }

  /**
   * Maps a file and reads its header.
   *
   * @throws GgufException if it cannot be read or is not a sound GGUF file
   */
  public static GgufFile open(Path path) {
    if (Files.isDirectory(path)) {
      throw new GgufException(path + ": is a directory, expected a GGUF file");
    }
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      GgufHeader header = GgufHeader.read(path, file);
      return new GgufFile(path, arena, file, header);
    } catch (NoSuchFileException e) {
      arena.close();
      throw new GgufException(path + ": no such file", e);
    } catch (IOException e) {
      arena.close();
      throw new GgufException(path + ": cannot be read: " + e.getMessage(), e);
    } catch (InternalError e) {
      // How the JVM reports an access to a mapped page that the file no longer has.
      arena.close();
      throw new GgufException(path + ": became shorter while it was read", e);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  public Path path() {
    return path;
  }

  /** The version of the format: 2 or 3. */
  public int version() {
    return version;
  }

  /** The length of the file in bytes. */
  public long size() {
    return file.byteSize();
  }

  /** The alignment of tensor data in bytes. */
  public int alignment() {
    return alignment;
  }

  public GgufMetadata metadata() {
    return metadata;
  }

  /** All tensors by name, in the file's order. */
  public Map<String, TensorInfo> tensors() {
    return tensors;
  }

  public Optional<TensorInfo> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /**
   * A tensor by name.
   *
   * @throws GgufException if the file has none of that name
   */
  public TensorInfo tensor(String name) {
    TensorInfo tensor = tensors.get(name);
    if (tensor == null) {
      throw new GgufException(path + ": tensor " + name + " is missing");
    }
    return tensor;
  }

  /** The data of a tensor: a read-only view of exactly its bytes. */
  public MemorySegment data(TensorInfo tensor) {
    return file.asSlice(tensor.offset(), tensor.byteSize());
  }

  /** Unmaps the file; its tensors and string arrays cannot be used any more. */
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
