package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** Many clients at once. {@code -Dpelican.soak.seconds=300} lets them go on for five minutes. */
@Timeout(900)
class ManyClientsTest {
  private static final int CLIENTS = 64;

  private static String body(String prompt, boolean stream) {
    return JsonMapper.shared()
        .writeValueAsString(
            Map.of(
                "model",
                "demo",
                "stream",
                stream,
                "options",
                Map.of("temperature", 0, "num_predict", 24),
                "messages",
                List.of(Map.of("role", "user", "content", prompt))));
  }

  private static String answer(TestServer server, String prompt, boolean stream)
      throws IOException, InterruptedException {
    HttpResponse<String> response = server.post("/api/chat", body(prompt, stream));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    StringBuilder text = new StringBuilder();
    for (String line : response.body().lines().toList()) {
      text.append(
          JsonMapper.shared().readTree(line).path("message").path("content").asString("!" + line));
    }
    return text.toString();
  }

  @Test
  void eachGetsTheAnswerThatItGetsAlone(@TempDir Path folder) throws Exception {
    long end =
        System.nanoTime() + TimeUnit.SECONDS.toNanos(Integer.getInteger("pelican.soak.seconds", 8));
    try (TestServer server = new TestServer(folder);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Map<String, String> alone = new HashMap<>();
      for (int i = 0; i < 16; i++) {
        String prompt = "What is " + (i + 3) + " + " + (2 * i + 5) + "?";
        alone.put(prompt, answer(server, prompt, false));
      }
      List<String> prompts = List.copyOf(alone.keySet());
      List<Future<Integer>> clients = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        Random random = new Random(i);
        clients.add(
            threads.submit(() -> {
              int answers = 0;
              while (answers == 0 || System.nanoTime() < end) {
                String prompt = prompts.get(random.nextInt(prompts.size()));
                assertThat(answer(server, prompt, random.nextBoolean()))
                    .isEqualTo(alone.get(prompt));
                answers++;
              }
              return answers;
            }));
      }
      int total = 0;
      for (Future<Integer> client : clients) {
        total += client.get();
      }
      assertThat(total).isGreaterThanOrEqualTo(CLIENTS);
      assertThat(server.log.toString(StandardCharsets.UTF_8)).isEmpty();
    }
  }

  // Greedy, since the model of random weights then runs in circles and never ends by itself.
  private static final String LONG =
      "{\"model\":\"tiny\",\"prompt\":\"the\",\"raw\":true,\"stream\":%s,"
          + "\"options\":{\"num_ctx\":8000,\"temperature\":0}}";

  /** Sends a request that takes long and leaves the connection open. */
  private static Socket begin(TestServer server, boolean stream) throws IOException {
    Socket socket = new Socket("127.0.0.1", server.server.port());
    String body = LONG.formatted(stream);
    socket
        .getOutputStream()
        .write(
            ("POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                    + body.length()
                    + "\r\n\r\n"
                    + body)
                .getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  private static void awaitMetric(TestServer server, String name, int value) throws Exception {
    String metrics = "";
    for (int i = 0; i < 600; i++) {
      metrics = server.send(server.request("/metrics")).body();
      if (metrics.contains("\npelican_" + name + " " + value + "\n")) {
        return;
      }
      Thread.sleep(50);
    }
    assertThat(metrics).contains("pelican_" + name + " " + value);
  }

  @Test
  void overflowIsRefusedAndThoseWhoGoFreeTheirPlaces(@TempDir Path folder) throws Exception {
    try (TestServer server = new TestServer(folder, 2, Optional.empty(), true)) {
      server.install("tiny", "tiny-Q4_K_M.gguf", "gemma4", "{}");
      for (boolean stream : new boolean[] {false, true}) {
        List<Socket> sockets = new ArrayList<>();
        for (int i = 0; i < TestServer.PARALLEL; i++) {
          sockets.add(begin(server, stream));
          awaitMetric(server, "generating", i + 1);
        }
        sockets.add(begin(server, stream));
        awaitMetric(server, "queue", 1);
        sockets.add(begin(server, stream));
        awaitMetric(server, "queue", 2);
        HttpResponse<String> refused = server.post("/api/generate", LONG.formatted(stream));
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.body())
            .isEqualTo(
                "{\"error\":\"server busy, please try again.  maximum pending requests"
                    + " exceeded\"}");
        for (Socket socket : sockets) {
          socket.close();
        }
        awaitMetric(server, "queue", 0);
        awaitMetric(server, "generating", 0);
      }
    }
  }

  @Test
  void closingEndsStreamsWithAnError(@TempDir Path folder) throws Exception {
    TestServer server = new TestServer(folder);
    server.install("tiny", "tiny-Q4_K_M.gguf", "gemma4", "{}");
    Socket socket = begin(server, true);
    // Once a part of the answer is there the status is sent, and only the stream can tell.
    StringBuilder begun = new StringBuilder();
    while (begun.indexOf("\"response\"") < 0) {
      int next = socket.getInputStream().read();
      assertThat(next).as(begun.toString()).isNotNegative();
      begun.append((char) next);
    }
    server.close();
    String text = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(text).contains("{\"error\":\"the server is shutting down\"}").endsWith("0\r\n\r\n");
    socket.close();
  }
}
