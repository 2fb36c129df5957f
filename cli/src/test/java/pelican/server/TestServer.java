package pelican.server;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import pelican.engine.ModelOptions;
import pelican.models.Aliases;
import pelican.models.Digest;
import pelican.models.ModelName;
import pelican.models.OllamaStore;
import pelican.server.http.HttpLimits;
import pelican.server.inference.KeepAlive;
import pelican.server.inference.Scheduler;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A server in this process with a store in a folder, and a client of it. */
final class TestServer implements AutoCloseable {
  static final Path GOLDEN = Path.of("../engine/src/test/resources/golden");
  static final int PARALLEL = 4;
  static final long MAX_BLOB = 8 << 20;
  private static final long MEMORY = 4L << 30;
  private static final HttpLimits LIMITS =
      new HttpLimits(
          1 << 20,
          MAX_BLOB,
          8192,
          Duration.ofSeconds(2),
          Duration.ofSeconds(10),
          Duration.ofSeconds(60),
          512);

  final PelicanServer server;
  final OllamaStore store;
  final ByteArrayOutputStream log = new ByteArrayOutputStream();
  private final HttpClient client = HttpClient.newHttpClient();

  TestServer(Path folder) throws IOException {
    this(folder, 512, Optional.empty(), true);
  }

  TestServer(Path folder, int maxQueue, Optional<String> apiKey, boolean demo) throws IOException {
    this(folder, maxQueue, apiKey, demo, LIMITS, MEMORY);
  }

  TestServer(Path folder, int maxQueue, Optional<String> apiKey, boolean demo, HttpLimits limits)
      throws IOException {
    this(folder, maxQueue, apiKey, demo, limits, MEMORY);
  }

  TestServer(Path folder, int maxQueue, Optional<String> apiKey, boolean demo, long memory)
      throws IOException {
    this(folder, maxQueue, apiKey, demo, LIMITS, memory);
  }

  private TestServer(
      Path folder,
      int maxQueue,
      Optional<String> apiKey,
      boolean demo,
      HttpLimits limits,
      long memory)
      throws IOException {
    store = new OllamaStore(folder.resolve("store"));
    ServerSettings settings =
        new ServerSettings(
            "127.0.0.1",
            0,
            List.of("https://lab.example"),
            apiKey,
            limits,
            new Scheduler.Limits(
                PARALLEL,
                2,
                maxQueue,
                memory,
                new KeepAlive(Duration.ofMinutes(5)),
                4096,
                ModelOptions.DEFAULT),
            demo,
            false,
            "0.0.0-test");
    server =
        new PelicanServer(
            settings,
            store,
            new Aliases(folder.resolve("aliases")),
            new PrintStream(log, true, StandardCharsets.UTF_8));
    server.start();
  }

  /** Puts a model of a golden file into the store. */
  void install(String name, String file, String parser, String params) throws IOException {
    Files.createDirectories(store.root().resolve("blobs"));
    String model = layer("model", Files.readAllBytes(GOLDEN.resolve(file)));
    String system = layer("system", "You are a test.".getBytes(StandardCharsets.UTF_8));
    String parameters = layer("params", params.getBytes(StandardCharsets.UTF_8));
    String config =
        "{\"model_format\":\"gguf\",\"model_family\":\"gemma4\",\"renderer\":\"gemma4\",\"parser\":\"%s\"}"
            .formatted(parser);
    publish(name, config, List.of(model, system, parameters));
  }

  /** Puts a model into the store that has no weights of its own. */
  void installStub(String name, String config) throws IOException {
    Files.createDirectories(store.root().resolve("blobs"));
    publish(name, config, List.of());
  }

  private void publish(String name, String config, List<String> layers) throws IOException {
    String manifest =
        "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}"
            .formatted(
                blob(
                    "application/vnd.docker.container.image.v1+json",
                    config.getBytes(StandardCharsets.UTF_8)),
                String.join(",", layers));
    store.publish(ModelName.parse(name), manifest.getBytes(StandardCharsets.UTF_8));
  }

  private String layer(String kind, byte[] content) throws IOException {
    return blob("application/vnd.ollama.image." + kind, content);
  }

  private String blob(String type, byte[] content) throws IOException {
    Digest digest = Digest.of(content);
    Files.write(store.blob(digest), content);
    return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
        .formatted(type, digest, content.length);
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
        .timeout(Duration.ofSeconds(120));
  }

  HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
    return send(request(path).POST(HttpRequest.BodyPublishers.ofString(body)));
  }

  HttpResponse<String> method(String method, String path, String body)
      throws IOException, InterruptedException {
    return send(request(path).method(method, HttpRequest.BodyPublishers.ofString(body)));
  }

  JsonNode json(HttpResponse<String> response) {
    return JsonMapper.shared().readTree(response.body());
  }

  @Override
  public void close() {
    server.close();
  }
}
