package pelican.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import pelican.cli.Interrupts;

/** {@code java -jar engine.jar serve} on a free port, with an empty store, until closed. */
final class ServedJar implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(120);

  private final Process process;
  private final String url;
  private final Path log;

  private ServedJar(Process process, String url, Path log) {
    this.process = process;
    this.url = url;
    this.log = log;
  }

  /**
   * Starts the server and waits until it answers.
   *
   * @param folder where its store and its log go
   * @param arguments what follows {@code serve}
   * @throws AssertionError with the log, if the server ends or does not answer in time
   */
  static ServedJar start(Path folder, String... arguments) throws Exception {
    return start(folder, Map.of(), arguments);
  }

  /**
   * The same with variables of its environment.
   *
   * @param environment added to this process's own; {@code PORT} in a value is the port
   */
  static ServedJar start(Path folder, Map<String, String> environment, String... arguments)
      throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    List<String> words = new ArrayList<>(List.of("serve"));
    words.addAll(List.of(arguments));
    Files.createDirectories(folder.resolve("models"));
    Path log = folder.resolve("serve.log");
    ProcessBuilder builder =
        new ProcessBuilder(Interrupts.command(words.toArray(String[]::new)))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().put("OLLAMA_HOST", "127.0.0.1:" + port);
    builder.environment().put("OLLAMA_MODELS", folder.resolve("models").toString());
    environment.forEach((name, value) ->
        builder.environment().put(name, value.replace("PORT", Integer.toString(port))));
    ServedJar server = new ServedJar(builder.start(), "http://127.0.0.1:" + port, log);
    try {
      server.await();
    } catch (Throwable e) {
      server.close();
      throw e;
    }
    return server;
  }

  /** The address of the server, without a slash at its end. */
  String url() {
    return url;
  }

  int port() {
    return URI.create(url).getPort();
  }

  /** What it has written so far. */
  String log() throws IOException {
    return Files.readString(log);
  }

  /** The process that was started; the one that serves is its child. */
  Process process() {
    return process;
  }

  private void await() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url + "/")).timeout(Duration.ofSeconds(10)).build();
    long deadline = System.nanoTime() + START.toNanos();
    try (HttpClient client = HttpClient.newHttpClient()) {
      while (true) {
        if (!process.isAlive() || System.nanoTime() > deadline) {
          throw new AssertionError(
              "serve "
                  + (process.isAlive() ? "does not answer" : "ended with " + process.exitValue())
                  + ":\n"
                  + Files.readString(log));
        }
        try {
          // any answer will do: with a key the server refuses this request
          client.send(request, HttpResponse.BodyHandlers.discarding());
          return;
        } catch (IOException e) {
          Thread.sleep(100);
        }
      }
    }
  }

  @Override
  public void close() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
    }
  }
}
