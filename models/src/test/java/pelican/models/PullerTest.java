package pelican.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pelican.engine.PelicanException;

/** Pulling from a registry that behaves, and from one that does not. */
@Timeout(60)
class PullerTest {
  /** How the registry answers a request for a blob; returns whether it has answered. */
  private interface Misbehaviour {
    boolean answer(HttpExchange exchange, byte[] blob) throws IOException;
  }

  @TempDir private Path root;
  private final Map<String, byte[]> blobs = new ConcurrentHashMap<>();
  private final List<String> statuses = new ArrayList<>();
  private final AtomicInteger requests = new AtomicInteger();
  private HttpServer server;
  private OllamaStore store;
  private ModelName name;
  private byte[] manifest;
  private volatile Misbehaviour misbehaviour = (exchange, blob) -> false;

  @BeforeEach
  void start() throws IOException {
    Map<String, byte[]> layers = Stores.layers("pulled");
    manifest = Stores.manifest(Stores.config(), layers);
    layers.values().forEach(content -> blobs.put(Digest.of(content).toString(), content));
    blobs.put(Digest.of(Stores.config()).toString(), Stores.config());
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/v2/me/x/manifests/1", exchange -> send(exchange, 200, manifest));
    server.createContext("/v2/me/x/blobs/", this::blob);
    server.createContext("/", exchange -> send(exchange, 404, new byte[0]));
    server.start();
    name = ModelName.parse("localhost:" + server.getAddress().getPort() + "/me/x:1");
    store = new OllamaStore(root.resolve("models"));
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void blob(HttpExchange exchange) throws IOException {
    requests.incrementAndGet();
    String path = exchange.getRequestURI().getPath();
    byte[] blob = blobs.get(path.substring(path.lastIndexOf('/') + 1));
    if (blob == null) {
      send(exchange, 404, new byte[0]);
    } else if (!misbehaviour.answer(exchange, blob)) {
      range(exchange, blob);
    }
  }

  private static int first(HttpExchange exchange) {
    String range = exchange.getRequestHeaders().getFirst("Range");
    return Integer.parseInt(range.substring("bytes=".length(), range.indexOf('-')));
  }

  private static void range(HttpExchange exchange, byte[] blob) throws IOException {
    int from = first(exchange);
    exchange
        .getResponseHeaders()
        .add("Content-Range", "bytes " + from + "-" + (blob.length - 1) + "/" + blob.length);
    send(exchange, 206, Arrays.copyOfRange(blob, from, blob.length));
  }

  private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(body);
    }
  }

  private StoredModel pull() {
    Puller.Progress progress =
        new Puller.Progress() {
          @Override
          public void status(String text) {
            statuses.add(text);
          }

          @Override
          public void blob(Digest digest, long completed, long total) {
            assertThat(completed).isLessThanOrEqualTo(total);
          }
        };
    return new Puller(store, progress).pull(name, true);
  }

  private void failsThenCompletes(String message) {
    assertThatThrownBy(this::pull)
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining(message);
    assertThat(store.list()).isEmpty();
    misbehaviour = (exchange, blob) -> false;
    assertThat(pull().file()).hasBinaryContent(Stores.layers("pulled").get("model"));
  }

  @Test
  void pullsAModelWhole() throws IOException {
    StoredModel model = pull();
    assertThat(model.manifest().bytes()).isEqualTo(manifest);
    assertThat(model.file()).hasBinaryContent(Stores.layers("pulled").get("model"));
    assertThat(statuses)
        .startsWith("pulling manifest")
        .contains("verifying sha256 digest", "writing manifest")
        .endsWith("success");
    try (var files = Files.list(root.resolve("models/blobs"))) {
      assertThat(files).hasSize(5).noneMatch(file -> file.toString().contains("partial"));
    }
    int before = requests.get();
    pull();
    assertThat(requests.get()).as("blobs that are there are not fetched").isEqualTo(before);
  }

  @Test
  void aWrongDigestIsRefused() {
    misbehaviour =
        (exchange, blob) -> {
          byte[] wrong = blob.clone();
          wrong[wrong.length / 2] ^= 1;
          range(exchange, wrong);
          return true;
        };
    failsThenCompletes("digest mismatch, file must be downloaded again");
  }

  @Test
  void aBodyThatBreaksOffIsContinued() {
    AtomicInteger starts = new AtomicInteger();
    misbehaviour =
        (exchange, blob) -> {
          int from = first(exchange);
          if (from > 0 || blob.length < 1000) {
            return false;
          }
          starts.incrementAndGet();
          exchange
              .getResponseHeaders()
              .add("Content-Range", "bytes 0-" + (blob.length - 1) + "/" + blob.length);
          exchange.sendResponseHeaders(206, blob.length);
          exchange.getResponseBody().write(blob, 0, blob.length / 2);
          exchange.getResponseBody().flush();
          exchange.close();
          return true;
        };
    assertThat(pull().file()).hasBinaryContent(Stores.layers("pulled").get("model"));
    assertThat(starts.get()).isEqualTo(1);
  }

  @Test
  void aServerWithoutRangesIsGoodEnough() {
    misbehaviour =
        (exchange, blob) -> {
          send(exchange, 200, blob);
          return true;
        };
    assertThat(pull().file()).hasBinaryContent(Stores.layers("pulled").get("model"));
  }

  @Test
  void aRangeThatStartsElsewhereIsRefused() {
    misbehaviour =
        (exchange, blob) -> {
          exchange.getResponseHeaders().add("Content-Range", "bytes 7-9/10");
          send(exchange, 206, new byte[] {1, 2, 3});
          return true;
        };
    failsThenCompletes("expected bytes from 0");
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 403, 404, 416})
  void aStatusThatMeansNoIsReported(int status) {
    misbehaviour =
        (exchange, blob) -> {
          send(exchange, status, "no".getBytes());
          return true;
        };
    failsThenCompletes(status + ": no");
  }

  @Test
  void aShortBodyIsContinued() {
    AtomicInteger starts = new AtomicInteger();
    misbehaviour =
        (exchange, blob) -> {
          int from = first(exchange);
          if (from > 0 || blob.length < 1000) {
            return false;
          }
          starts.incrementAndGet();
          exchange.getResponseHeaders().add("Content-Range", "bytes 0-99/" + blob.length);
          send(exchange, 206, Arrays.copyOf(blob, 100));
          return true;
        };
    assertThat(pull().file()).hasBinaryContent(Stores.layers("pulled").get("model"));
    assertThat(starts.get()).isEqualTo(1);
  }

  /** The state of parts in the form that Ollama gives it. */
  @Test
  void goesOnWhereAnotherPullStopped() throws IOException {
    byte[] weights = Stores.layers("pulled").get("model");
    Path blob = store.blob(Digest.of(weights));
    Files.createDirectories(blob.getParent());
    Path data = blob.resolveSibling(blob.getFileName() + "-partial");
    Files.write(data, Arrays.copyOf(Arrays.copyOf(weights, 5000), weights.length));
    Files.writeString(
        data.resolveSibling(data.getFileName() + "-0"),
        "{\"N\":0,\"Offset\":0,\"Size\":%d,\"Completed\":5000}\n".formatted(weights.length));
    List<Integer> starts = new CopyOnWriteArrayList<>();
    misbehaviour =
        (exchange, content) -> {
          if (content.length == weights.length) {
            starts.add(first(exchange));
          }
          return false;
        };
    assertThat(pull().file()).hasBinaryContent(weights);
    assertThat(starts).containsExactly(5000);
    try (var files = Files.list(blob.getParent())) {
      assertThat(files).hasSize(5).noneMatch(file -> file.toString().contains("partial"));
    }
  }

  @Test
  void aFullDiskEndsThePullAtOnce() throws Exception {
    Path disk = Files.createDirectory(root.resolve("disk"));
    boolean mounted = mount("-t", "tmpfs", "-o", "size=12k", "tmpfs", disk.toString());
    if (!mounted) {
      System.out.println("aFullDiskEndsThePullAtOnce is skipped: no tmpfs can be mounted here");
    }
    assumeTrue(mounted, "no tmpfs can be mounted here");
    try {
      store = new OllamaStore(disk.resolve("models"));
      assertThatThrownBy(this::pull)
          .isInstanceOf(PelicanException.class)
          .hasMessageStartingWith("cannot pull " + name);
      assertThat(requests.get()).as("requests for blobs").isEqualTo(1);
      assertThat(store.list()).isEmpty();
      assertThat(mount("-o", "remount,size=1m", disk.toString())).isTrue();
      assertThat(pull().file()).hasBinaryContent(Stores.layers("pulled").get("model"));
    } finally {
      run("umount", disk.toString());
    }
  }

  private static boolean mount(String... arguments) throws Exception {
    return run(Stream.concat(Stream.of("mount"), Stream.of(arguments)).toArray(String[]::new));
  }

  private static boolean run(String... command) throws InterruptedException {
    try {
      return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void anUnauthorisedPullSaysSo() {
    misbehaviour =
        (exchange, blob) -> {
          exchange
              .getResponseHeaders()
              .add("WWW-Authenticate", "Bearer realm=\"http://evil.example/t\",service=\"s\"");
          send(exchange, 401, new byte[0]);
          return true;
        };
    failsThenCompletes("sends to 'http://evil.example/t' for authorisation");
  }

  @Test
  void aServerErrorIsTriedAgain() {
    AtomicInteger failures = new AtomicInteger();
    misbehaviour =
        (exchange, blob) -> {
          if (failures.getAndIncrement() > 0) {
            return false;
          }
          send(exchange, 500, new byte[0]);
          return true;
        };
    assertThat(pull().file()).exists();
  }

  private void redirect(HttpExchange exchange, String location) throws IOException {
    exchange.getResponseHeaders().add("Location", location);
    send(exchange, 307, new byte[0]);
  }

  /** The registry wants a token; where it redirects to must not see it. */
  @Test
  void aTokenIsForTheRegistryAlone() {
    int port = server.getAddress().getPort();
    server.createContext(
        "/token",
        exchange -> {
          assertThat(exchange.getRequestURI().getQuery()).contains("service=s", "scope=a:b");
          send(exchange, 200, "{\"token\":\"secret\"}".getBytes());
        });
    List<String> leaked = new CopyOnWriteArrayList<>();
    AtomicInteger elsewhere = new AtomicInteger();
    misbehaviour =
        (exchange, blob) -> {
          String authorization = exchange.getRequestHeaders().getFirst("Authorization");
          if (exchange.getRequestURI().getQuery() != null) {
            elsewhere.incrementAndGet();
            if (authorization != null) {
              leaked.add(authorization);
            }
            return false;
          }
          if ("Bearer secret".equals(authorization)) {
            redirect(exchange, "http://127.0.0.1:" + port + exchange.getRequestURI() + "?s");
          } else {
            challenge(exchange);
          }
          return true;
        };
    assertThat(pull().file()).hasBinaryContent(Stores.layers("pulled").get("model"));
    assertThat(elsewhere.get()).isEqualTo(blobs.size());
    assertThat(leaked).isEmpty();
  }

  private void challenge(HttpExchange exchange) throws IOException {
    exchange
        .getResponseHeaders()
        .add(
            "WWW-Authenticate",
            "Bearer realm=\"http://localhost:%d/token\",service=\"s\",scope=\"a:b\""
                .formatted(server.getAddress().getPort()));
    send(exchange, 401, new byte[0]);
  }

  @Test
  void aTokenThatIsRefusedSaysSo() {
    server.createContext(
        "/token", exchange -> send(exchange, 200, "{\"token\":\"old\"}".getBytes()));
    misbehaviour =
        (exchange, blob) -> {
          challenge(exchange);
          return true;
        };
    failsThenCompletes("unauthorized: access denied to " + name);
  }

  @Test
  void redirectsWithoutEndAreRefused() {
    misbehaviour =
        (exchange, blob) -> {
          redirect(exchange, exchange.getRequestURI().toString());
          return true;
        };
    failsThenCompletes("more than 10 redirects");
  }

  @ParameterizedTest
  @ValueSource(strings = {"file:///etc/passwd", "ftp://localhost/x"})
  void aRedirectOutOfTheWebIsRefused(String location) {
    misbehaviour =
        (exchange, blob) -> {
          redirect(exchange, location);
          return true;
        };
    failsThenCompletes("insecure redirect");
  }

  @Test
  void anUnknownModelSaysSo() {
    ModelName other = ModelName.parse(name.host() + "/me/y");
    assertThatThrownBy(() -> new Puller(store, new Silent()).pull(other, true))
        .hasMessage("pull model manifest: file does not exist");
    server.stop(0);
    assertThatThrownBy(this::pull).hasMessageContaining("cannot pull");
  }

  static final class Silent implements Puller.Progress {
    @Override
    public void status(String text) {}

    @Override
    public void blob(Digest digest, long completed, long total) {}
  }
}
