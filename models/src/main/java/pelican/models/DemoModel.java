package pelican.models;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import pelican.engine.PelicanException;

/**
 * The toy model that is carried inside: a Gemma 4 of a few million weights, trained by the scripts
 * in {@code models/demo}. A GGUF is read through a memory map, so it is unpacked once into the
 * user's cache; every later use checks the unpacked file against its SHA-256 digest.
 */
public enum DemoModel {
  /** Mostly 4-bit weights; {@code demo} and {@code demo:q4}. */
  Q4_K_M("demo-q4_k_m.gguf"),
  /** 6-bit weights; {@code demo:q6}. */
  Q6_K("demo-q6_k.gguf"),
  /** 16-bit weights, from which the others are quantized; {@code demo:f16}. */
  F16("demo-f16.gguf");

  /** What {@code general.name} says in its files, and in those that are made from them. */
  public static final String GENERAL_NAME = "Pelican demo";

  private static final String DIGESTS = "demo/SHA256SUMS";

  private final String file;

  // what digest() read, the same for all threads
  private volatile String digest;

  DemoModel(String file) {
    this.file = file;
  }

  /**
   * Returns the demo model of a name.
   *
   * @param name {@code demo}, {@code demo:q4}, {@code demo:q6} or {@code demo:f16}, in any case
   */
  public static Optional<DemoModel> byName(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "demo", "demo:q4", "demo:latest" -> Optional.of(Q4_K_M);
      case "demo:q6" -> Optional.of(Q6_K);
      case "demo:f16" -> Optional.of(F16);
      default -> Optional.empty();
    };
  }

  /** All names, the usual one first. */
  public static List<String> names() {
    return Stream.of("demo", "demo:q4", "demo:q6", "demo:f16")
        .filter(name -> byName(name).isPresent())
        .toList();
  }

  /** The name of the file among the resources. */
  public String file() {
    return file;
  }

  /** The SHA-256 digest of the file, in 64 lower-case hexadecimal digits. */
  public String digest() {
    String known = digest;
    if (known == null) {
      known = readDigest();
      digest = known;
    }
    return known;
  }

  private String readDigest() {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(open(DIGESTS), StandardCharsets.US_ASCII))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.endsWith("  " + file)) {
          return line.substring(0, line.indexOf(' '));
        }
      }
    } catch (IOException e) {
      throw new PelicanException("cannot read the digests of the demo model: " + e.getMessage(), e);
    }
    throw new PelicanException(DIGESTS + " names no digest of " + file);
  }

  /**
   * Returns the model's path in the user's cache, unpacking it if it is not there or not whole.
   *
   * @throws PelicanException if the cache cannot be written
   */
  public Path unpack() {
    return unpack(cache());
  }

  /**
   * Returns the model's path in a folder, unpacking it if it is not there or not whole. Several
   * processes may do so at once: the file appears under its name only when it is complete.
   *
   * @param folder made if it does not exist
   * @throws PelicanException if the folder cannot be written
   */
  public Path unpack(Path folder) {
    String digest = digest();
    // A later release with another model must not fight with this one over the same name.
    Path target = folder.resolve(file.replace(".gguf", "-" + digest.substring(0, 12) + ".gguf"));
    try {
      if (Files.isRegularFile(target) && digest.equals(digestOf(target))) {
        return target;
      }
      Files.createDirectories(folder);
      Path part = Files.createTempFile(folder, file, ".part");
      try {
        String written = copy(part);
        if (!digest.equals(written)) {
          throw new PelicanException(
              "the demo model inside is damaged: SHA-256 of %s is %s, expected %s"
                  .formatted(file, written, digest));
        }
        publish(part, target);
      } finally {
        Files.deleteIfExists(part);
      }
      return target;
    } catch (IOException e) {
      throw new PelicanException("cannot unpack the demo model to " + target + ": " + e, e);
    }
  }

  private String copy(Path part) throws IOException {
    MessageDigest sha = sha256();
    try (InputStream in = new DigestInputStream(open("demo/" + file), sha);
        OutputStream out = Files.newOutputStream(part)) {
      in.transferTo(out);
    }
    return HexFormat.of().formatHex(sha.digest());
  }

  private static void publish(Path part, Path target) throws IOException {
    try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    try {
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static String digestOf(Path path) throws IOException {
    MessageDigest sha = sha256();
    try (InputStream in = new DigestInputStream(Files.newInputStream(path), sha)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return HexFormat.of().formatHex(sha.digest());
  }

  private static InputStream open(String resource) {
    InputStream in = DemoModel.class.getResourceAsStream(resource);
    if (in == null) {
      throw new PelicanException("the demo model is not in this build: no resource " + resource);
    }
    return in;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /** The folder for what can be made again: by the custom of the operating system. */
  private static Path cache() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    Path home = Path.of(System.getProperty("user.home"));
    if (os.startsWith("windows")) {
      String local = System.getenv("LOCALAPPDATA");
      Path base = local == null || local.isBlank() ? home.resolve("AppData/Local") : Path.of(local);
      return base.resolve("pelican").resolve("cache");
    }
    if (os.startsWith("mac")) {
      return home.resolve("Library/Caches/pelican");
    }
    String xdg = System.getenv("XDG_CACHE_HOME");
    boolean given = xdg != null && Path.of(xdg).isAbsolute();
    return (given ? Path.of(xdg) : home.resolve(".cache")).resolve("pelican");
  }
}
