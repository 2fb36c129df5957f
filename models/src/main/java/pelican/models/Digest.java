package pelican.models;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Pattern;
import pelican.engine.PelicanException;

/**
 * A SHA-256 digest.
 *
 * @param hex 64 lower-case hexadecimal digits
 */
public record Digest(String hex) {
  private static final Pattern FORM = Pattern.compile("sha256[:-][0-9a-fA-F]{64}");

  /**
   * Reads {@code sha256:…} or {@code sha256-…}.
   *
   * @throws PelicanException if it is anything else, as a path that leads elsewhere would be
   */
  public static Digest parse(String text) {
    if (text == null || !FORM.matcher(text).matches()) {
      throw new PelicanException("invalid digest format: '" + text + "', expected sha256:<64 hex>");
    }
    return new Digest(text.substring(7).toLowerCase(Locale.ROOT));
  }

  /** The digest of some bytes. */
  public static Digest of(byte[] bytes) {
    return new Digest(HexFormat.of().formatHex(sha256().digest(bytes)));
  }

  /** The digest of a file. */
  public static Digest of(Path file) throws IOException {
    MessageDigest sha = sha256();
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        sha.update(buffer, 0, n);
      }
    }
    return new Digest(HexFormat.of().formatHex(sha.digest()));
  }

  /** The name of the blob's file. */
  public String fileName() {
    return "sha256-" + hex;
  }

  /** The beginning, for people. */
  public String abbreviated() {
    return hex.substring(0, 12);
  }

  @Override
  public String toString() {
    return "sha256:" + hex;
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
