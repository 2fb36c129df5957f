package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A registry server: Debian's {@code docker-registry}, filled through its own interface. Where the
 * program is not installed, tests that need it are skipped, but on a build server they fail.
 */
public final class DockerRegistry implements AutoCloseable {
  /** The weights of the models that {@link #push} makes. */
  public static final Path TINY = Path.of("../engine/src/test/resources/golden/tiny-Q4_K_M.gguf");

  private static final String MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
  private static final String CONFIG = "application/vnd.docker.container.image.v1+json";

  private final HttpClient http = HttpClient.newHttpClient();
  private final Process registry;
  private final String address;

  /**
   * Starts a server that has no models.
   *
   * @param folder where it keeps what it is given
   */
  public DockerRegistry(Path folder) throws IOException, InterruptedException {
    Path program = program();
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      address = "127.0.0.1:" + free.getLocalPort();
    }
    Path settings =
        Files.writeString(
            folder.resolve("registry.yml"),
            """
            version: 0.1
            log:
              level: warn
            storage:
              filesystem:
                rootdirectory: %s
            http:
              addr: %s
            """
                .formatted(folder.resolve("registry"), address));
    Path log = folder.resolve("registry.log");
    registry =
        new ProcessBuilder(program.toString(), "serve", settings.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!answers()) {
      if (!registry.isAlive() || System.nanoTime() > deadline) {
        throw new AssertionError(program + " does not answer:\n" + Files.readString(log));
      }
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  /** Host and port. */
  public String address() {
    return address;
  }

  /** Where the server is. On a build server it has to be there. */
  private static Path program() {
    String path = System.getenv("PATH") == null ? "" : System.getenv("PATH");
    List<Path> found =
        Stream.of(path.split(":"))
            .filter(place -> !place.isEmpty())
            .map(place -> Path.of(place, "docker-registry"))
            .filter(Files::isExecutable)
            .toList();
    if (!found.isEmpty()) {
      return found.getFirst();
    }
    String missing = "no program docker-registry in PATH: pulling from it is not tested";
    if (System.getenv("CI") != null) {
      throw new AssertionError(missing);
    }
    System.out.println(missing);
    return abort(missing);
  }

  private boolean answers() throws InterruptedException {
    try {
      return send(HttpRequest.newBuilder(uri("/v2/"))).statusCode() == 200;
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() {
    http.close();
    registry.destroy();
    try {
      if (!registry.waitFor(30, TimeUnit.SECONDS)) {
        registry.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private URI uri(String path) {
    return URI.create("http://" + address).resolve(path);
  }

  private HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return http.send(
        request.timeout(Duration.ofSeconds(30)).build(), HttpResponse.BodyHandlers.ofString());
  }

  private static BodyPublisher body(byte[] content) {
    return BodyPublishers.ofByteArray(content);
  }

  /** The digest of some bytes, with its prefix. */
  public static String digest(byte[] content) throws Exception {
    return "sha256:"
        + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
  }

  /** Uploads a blob and returns its description in a manifest. */
  private String upload(String repository, String mediaType, byte[] content) throws Exception {
    HttpResponse<String> begun =
        send(
            HttpRequest.newBuilder(uri("/v2/" + repository + "/blobs/uploads/"))
                .POST(BodyPublishers.noBody()));
    assertThat(begun.statusCode()).as(begun.body()).isEqualTo(202);
    String location = begun.headers().firstValue("Location").orElseThrow();
    String digest = digest(content);
    URI target =
        uri(
            location
                + (location.contains("?") ? "&" : "?")
                + "digest="
                + digest.replace(":", "%3A"));
    HttpResponse<String> ended =
        send(
            HttpRequest.newBuilder(target)
                .header("Content-Type", "application/octet-stream")
                .PUT(body(content)));
    assertThat(ended.statusCode()).as(ended.body()).isEqualTo(201);
    return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
        .formatted(mediaType, digest, content.length);
  }

  /** Uploads a model with a system prompt and returns its manifest. */
  public byte[] push(String repository, String tag, String system) throws Exception {
    String config =
        upload(
            repository,
            CONFIG,
            "{\"model_format\":\"gguf\",\"model_family\":\"gemma4\",\"file_type\":\"Q4_K_M\"}"
                .getBytes(StandardCharsets.UTF_8));
    String layer = "application/vnd.ollama.image.";
    byte[] manifest =
        "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":%s,\"layers\":[%s,%s,%s]}"
            .formatted(
                MANIFEST,
                config,
                upload(repository, layer + "model", Files.readAllBytes(TINY)),
                upload(repository, layer + "system", system.getBytes(StandardCharsets.UTF_8)),
                upload(
                    repository,
                    layer + "params",
                    "{\"num_predict\":8}".getBytes(StandardCharsets.UTF_8)))
            .getBytes(StandardCharsets.UTF_8);
    HttpResponse<String> put =
        send(
            HttpRequest.newBuilder(uri("/v2/" + repository + "/manifests/" + tag))
                .header("Content-Type", MANIFEST)
                .PUT(body(manifest)));
    assertThat(put.statusCode()).as(put.body()).isEqualTo(201);
    return manifest;
  }
}
