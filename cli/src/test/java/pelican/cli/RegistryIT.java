package pelican.cli;

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
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code pull} through the jar, from a registry server: Debian's {@code docker-registry}, filled
 * through its own interface.
 */
@Timeout(300)
class RegistryIT {
  private static final Path TINY = Path.of("../engine/src/test/resources/golden/tiny-Q4_K_M.gguf");
  private static final String MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
  private static final String CONFIG = "application/vnd.docker.container.image.v1+json";

  @TempDir private Path folder;
  private final HttpClient http = HttpClient.newHttpClient();
  private Process registry;
  private String address;

  private record Result(int code, String out, String err) {}

  @BeforeEach
  void start() throws Exception {
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

  @AfterEach
  void stop() throws InterruptedException {
    http.close();
    if (registry != null) {
      registry.destroy();
      if (!registry.waitFor(30, TimeUnit.SECONDS)) {
        registry.destroyForcibly().waitFor();
      }
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

  private static String digest(byte[] content) throws Exception {
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
  private byte[] push(String repository, String tag, String system) throws Exception {
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

  private Result run(String... args) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                "target/engine.jar"));
    command.addAll(List.of(args));
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().put("LC_ALL", "C");
    builder.environment().put("OLLAMA_MODELS", folder.resolve("models").toString());
    Process process = builder.start();
    process.getOutputStream().close();
    if (!process.waitFor(120, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError(command + " does not end:\n" + Files.readString(err));
    }
    return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  private Result succeed(String... args) throws Exception {
    Result result = run(args);
    assertThat(result.code()).as(result.err()).isZero();
    return result;
  }

  @Test
  void pullsWhatTheRegistryHas() throws Exception {
    byte[] manifest = push("me/tiny", "q4", "You are tiny.");
    String name = address + "/me/tiny:q4";
    assertThat(succeed("pull", "--insecure", name).err())
        .contains("pulling manifest", "verifying sha256 digest", "writing manifest", "success");
    Path models = folder.resolve("models");
    assertThat(models.resolve("manifests").resolve(address).resolve("me/tiny/q4"))
        .hasBinaryContent(manifest);
    byte[] weights = Files.readAllBytes(TINY);
    assertThat(models.resolve("blobs").resolve(digest(weights).replace(':', '-')))
        .hasBinaryContent(weights);
    try (Stream<Path> blobs = Files.list(models.resolve("blobs"))) {
      assertThat(blobs).hasSize(4).noneMatch(blob -> blob.toString().contains("partial"));
    }
    assertThat(succeed("list").out()).contains(name);
    assertThat(succeed("show", name, "--system").out()).contains("You are tiny.");
    assertThat(succeed("chat", "--model", name, "--seed", "1", "the").out()).isNotBlank();

    // What the name means in the registry changes: so it does here, and the old prompt goes.
    byte[] newer = push("me/tiny", "q4", "You are newer.");
    succeed("pull", "--insecure", name);
    assertThat(models.resolve("manifests").resolve(address).resolve("me/tiny/q4"))
        .hasBinaryContent(newer);
    assertThat(succeed("show", name, "--system").out()).contains("You are newer.");
    try (Stream<Path> blobs = Files.list(models.resolve("blobs"))) {
      assertThat(blobs).hasSize(4);
    }
  }

  @Test
  void whatTheRegistryLacksIsReported() throws Exception {
    push("me/tiny", "q4", "You are tiny.");
    Result unknown = run("pull", "--insecure", address + "/me/tiny:q6");
    assertThat(unknown.code()).isEqualTo(1);
    assertThat(unknown.err())
        .contains("pull model manifest: file does not exist")
        .doesNotContain("\tat ");
    Result secure = run("pull", address + "/me/tiny:q4");
    assertThat(secure.code()).as("https at a server of plain http").isEqualTo(1);
    assertThat(secure.err()).contains("cannot pull").doesNotContain("\tat ");
    assertThat(succeed("list").out()).doesNotContain("tiny");
  }
}
