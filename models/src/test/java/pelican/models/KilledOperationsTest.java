package pelican.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pelican.engine.PelicanException;

/**
 * Changes to a store by a process that is killed at random moments, then made again. The system
 * property {@code pelican.kills} says how many times, 50 unless it is set.
 */
@Timeout(600)
class KilledOperationsTest {
  private static final int KILLS = Integer.getInteger("pelican.kills", 50);
  private static final int CHUNK = 2000;
  private static final long CHUNK_MILLIS = 20;

  private static final ModelName OLD = ModelName.parse("me/old:1");
  private static final ModelName NEIGHBOUR = ModelName.parse("me/neighbour:1");
  private static final ModelName STRANGER = ModelName.parse("you/stranger");

  @TempDir private Path folder;
  private final Map<String, byte[]> served = new ConcurrentHashMap<>();
  private HttpServer server;
  private ModelName pulled;
  private byte[] pulledManifest;
  private Path demo;
  private volatile boolean slow;

  /**
   * A change.
   *
   * @param target the model that it makes, replaces or removes
   * @param replaces whether there is such a model before
   * @param arguments for {@link StoreOperation} after the store
   */
  private record Change(ModelName target, boolean replaces, List<String> arguments) {
    boolean removes() {
      return arguments.getFirst().equals("rm");
    }
  }

  @BeforeEach
  void start() throws IOException {
    Map<String, byte[]> layers = Stores.layers("pulled");
    pulledManifest = Stores.manifest(Stores.config(), layers);
    layers.values().forEach(content -> served.put(Digest.of(content).toString(), content));
    served.put(Digest.of(Stores.config()).toString(), Stores.config());
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/v2/me/x/", this::serve);
    server.start();
    pulled = ModelName.parse("localhost:" + server.getAddress().getPort() + "/me/x:1");
    demo = Files.copy(DemoModel.Q4_K_M.unpack(), folder.resolve("demo.gguf"));
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void serve(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    byte[] body = served.get(path.substring(path.lastIndexOf('/') + 1));
    int status = 200;
    if (body == null) {
      body = pulledManifest;
    } else {
      String range = exchange.getRequestHeaders().getFirst("Range");
      int from = Integer.parseInt(range.substring("bytes=".length(), range.indexOf('-')));
      exchange
          .getResponseHeaders()
          .add("Content-Range", "bytes " + from + "-" + (body.length - 1) + "/" + body.length);
      body = Arrays.copyOfRange(body, from, body.length);
      status = 206;
    }
    exchange.sendResponseHeaders(status, body.length);
    try (OutputStream out = exchange.getResponseBody()) {
      for (int at = 0; at < body.length; at += CHUNK) {
        if (slow) {
          Thread.sleep(CHUNK_MILLIS);
        }
        out.write(body, at, Math.min(CHUNK, body.length - at));
        out.flush();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private List<Change> changes() {
    ModelName fresh = ModelName.parse("me/fresh:1");
    String old = OLD.toString();
    return List.of(
        new Change(pulled, false, List.of("pull", pulled.toString())),
        new Change(fresh, false, List.of("create", fresh.toString(), demo.toString())),
        new Change(fresh, false, List.of("cp", NEIGHBOUR.toString(), fresh.toString())),
        new Change(OLD, true, List.of("rm", old)),
        new Change(pulled, true, List.of("pull", pulled.toString())),
        new Change(OLD, true, List.of("create", old, demo.toString())),
        new Change(OLD, true, List.of("cp", NEIGHBOUR.toString(), old)));
  }

  /** Models with blobs of their own, and with a license, parameters and a config in common. */
  private OllamaStore layOut(Change change) {
    try {
      Path root = Files.createTempDirectory(folder, "store");
      for (ModelName name : List.of(OLD, NEIGHBOUR, STRANGER)) {
        Stores.add(root, name, Stores.layers(name.model()));
      }
      if (change.replaces() && !change.target().equals(OLD)) {
        Stores.add(root, change.target(), Stores.layers("replaced"));
      }
      return new OllamaStore(root);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static String[] arguments(OllamaStore store, Change change) {
    return Stream.concat(Stream.of(store.root().toString()), change.arguments().stream())
        .toArray(String[]::new);
  }

  private static Process launch(OllamaStore store, Change change) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                StoreOperation.class.getName()));
    command.addAll(List.of(arguments(store, change)));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  private static BufferedReader ready(Process process) throws IOException {
    BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
    assertThat(out.readLine()).isEqualTo("ready");
    return out;
  }

  /** Nanoseconds of a change that is left alone. */
  private long duration(Change change) throws Exception {
    OllamaStore store = layOut(change);
    Process process = launch(store, change);
    try (BufferedReader out = ready(process)) {
      long begin = System.nanoTime();
      assertThat(out.readAllAsString().strip()).isEqualTo("done");
      long nanos = System.nanoTime() - begin;
      assertThat(process.waitFor()).isZero();
      checkChanged(store, change);
      return nanos;
    }
  }

  /** Kills the process of a change after so many nanoseconds; whether that came before its end. */
  private static boolean kill(OllamaStore store, Change change, long nanos) throws Exception {
    Process process = launch(store, change);
    try (BufferedReader out = ready(process)) {
      TimeUnit.NANOSECONDS.sleep(nanos);
      // Not the process's own method, which closes the stream as well.
      process.toHandle().destroyForcibly();
      process.waitFor();
      String rest = out.readAllAsString().strip();
      assertThat(rest).isIn("", "done");
      return rest.isEmpty();
    }
  }

  @Test
  void loseNothing() throws Exception {
    slow = true;
    List<Change> changes = changes();
    List<Long> durations = new ArrayList<>();
    for (Change change : changes) {
      durations.add(duration(change));
    }
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int[] early = new int[changes.size()];
    for (int i = 0; i < KILLS; i++) {
      int kind = i % changes.size();
      Change change = changes.get(kind);
      long nanos = random.nextLong(durations.get(kind));
      OllamaStore store = layOut(change);
      List<StoredModel> before = store.list();
      String what = "%s killed after %d us, seed %d".formatted(change, nanos / 1000, seed);
      try {
        slow = true;
        if (kill(store, change, nanos)) {
          early[kind]++;
        }
        slow = false;
        checkOthers(store, change, before);
        checkAgain(store, change);
        checkOthers(store, change, before);
      } catch (AssertionError | PelicanException e) {
        throw new AssertionError(what, e);
      }
    }
    System.out.printf("of %d kills, before the end: %s%n", KILLS, Arrays.toString(early));
    // A slow registry keeps a pull busy for longer than any machine needs to kill a process.
    assertThat(early[0]).isPositive();
    assertThat(Arrays.stream(early).sum()).isGreaterThanOrEqualTo(KILLS / 10);
  }

  /**
   * The models that a change does not concern are as they were, and whatever is listed is whole.
   */
  private static void checkOthers(OllamaStore store, Change change, List<StoredModel> before) {
    for (StoredModel model : before) {
      if (!model.name().equals(change.target())) {
        assertThat(store.list()).extracting(StoredModel::name).contains(model.name());
        assertThat(store.find(model.name()).orElseThrow().manifest().bytes())
            .isEqualTo(model.manifest().bytes());
      }
    }
    boolean wasThere = before.stream().anyMatch(model -> model.name().equals(change.target()));
    if (wasThere && !change.removes()) {
      assertThat(store.find(change.target())).as("what is replaced").isPresent();
    }
    for (StoredModel model : store.list()) {
      for (Manifest.Layer layer : model.manifest().blobs()) {
        assertWhole(store, model, layer);
      }
    }
  }

  private static void assertWhole(OllamaStore store, StoredModel model, Manifest.Layer layer) {
    try {
      Path blob = store.blob(layer.digest());
      assertThat(blob).as("%s of %s", layer, model.name()).hasSize(layer.size());
      assertThat(Digest.of(blob)).as("%s of %s", layer, model.name()).isEqualTo(layer.digest());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void checkAgain(OllamaStore store, Change change) {
    if (change.removes() && store.find(change.target()).isEmpty()) {
      assertThatThrownBy(() -> StoreOperation.run(arguments(store, change)))
          .isInstanceOf(PelicanException.class)
          .hasMessageContaining("not found");
    } else {
      StoreOperation.run(arguments(store, change));
    }
    checkChanged(store, change);
  }

  private void checkChanged(OllamaStore store, Change change) {
    if (change.removes()) {
      assertThat(store.find(change.target())).isEmpty();
      return;
    }
    StoredModel model = store.find(change.target()).orElseThrow();
    switch (change.arguments().getFirst()) {
      case "pull" -> assertThat(model.manifest().bytes()).isEqualTo(pulledManifest);
      case "create" -> {
        assertThat(model.file()).hasSameBinaryContentAs(demo);
        assertThat(model.system()).contains("You are created.");
      }
      default ->
          assertThat(model.manifest().bytes())
              .isEqualTo(store.find(NEIGHBOUR).orElseThrow().manifest().bytes());
    }
  }
}
