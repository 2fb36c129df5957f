package pelican.eval;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import pelican.models.Digest;
import pelican.models.ModelResolver;

/**
 * A model that is scored.
 *
 * @param model what it is called
 * @param file the name of its file
 * @param sha256 the digest of the file, {@code sha256:…}
 */
public record Candidate(String model, String file, String sha256) {
  /**
   * A model that was found. A large file takes a while to read; one in the store is named by its
   * digest.
   *
   * @param label what to call it
   */
  public static Candidate of(String label, ModelResolver.Resolved resolved) throws IOException {
    Path file = resolved.file();
    String name = file.getFileName().toString();
    Optional<String> stored =
        resolved.stored().map(model -> name).filter(n -> n.matches("sha256-[0-9a-f]{64}"));
    String digest = stored.isPresent() ? name.replace('-', ':') : Digest.of(file).toString();
    return new Candidate(label, name, digest);
  }
}
