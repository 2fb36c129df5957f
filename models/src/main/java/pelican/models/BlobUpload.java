package pelican.models;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import pelican.engine.PelicanException;

/**
 * Takes a blob in pieces and puts it into the store when it has the digest that was promised. Until
 * then it has no name there; what is given up leaves nothing.
 */
public final class BlobUpload implements AutoCloseable {
  private final Path target;
  private final Digest digest;
  private final Path temporary;
  private final OutputStream out;
  private final MessageDigest sha = Digest.sha256();

  /**
   * @param size bytes that will come, or -1 if that is not known
   * @throws PelicanException if the store cannot be written, or its disk has less room
   */
  public BlobUpload(OllamaStore store, Digest digest, long size) {
    this.digest = digest;
    target = store.blob(digest);
    temporary = store.temporary();
    try {
      Files.createDirectories(target.getParent());
      long room = Files.getFileStore(target.getParent()).getUsableSpace();
      if (size > room) {
        throw new PelicanException(
            "a blob of " + size + " bytes does not fit the disk, which has room for " + room);
      }
      out = Files.newOutputStream(temporary, StandardOpenOption.CREATE_NEW);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** Whether a store has a blob. */
  public static boolean isThere(OllamaStore store, Digest digest) {
    return Files.isRegularFile(store.blob(digest));
  }

  /**
   * Takes the next bytes.
   *
   * @throws PelicanException if they cannot be written
   */
  public void write(byte[] bytes, int count) {
    try {
      out.write(bytes, 0, count);
      sha.update(bytes, 0, count);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** Publishes the blob if its digest is the right one; says whether it is. */
  public boolean finish() {
    try {
      out.close();
      if (!HexFormat.of().formatHex(sha.digest()).equals(digest.hex())) {
        return false;
      }
      OllamaStore.force(temporary);
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      return true;
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private PelicanException failed(IOException e) {
    return new PelicanException("cannot write the blob " + digest + ": " + e, e);
  }

  /** Removes what was not published. */
  @Override
  public void close() {
    try {
      out.close();
      Files.deleteIfExists(temporary);
    } catch (IOException e) {
      throw failed(e);
    }
  }
}
