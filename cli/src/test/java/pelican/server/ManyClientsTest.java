package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pelican.chat.Message;
import pelican.engine.ModelOptions;
import pelican.models.Aliases;
import pelican.models.OllamaStore;
import pelican.server.http.ApiException;
import pelican.server.inference.Caller;
import pelican.server.inference.Catalog;
import pelican.server.inference.ChatRequest;
import pelican.server.inference.Completion;
import pelican.server.inference.Delta;
import pelican.server.inference.FormatCompiler;
import pelican.server.inference.Inference;
import pelican.server.inference.KeepAlive;
import pelican.server.inference.Options;
import pelican.server.inference.Scheduler;

/** More requests than there are places, clients that go, and a server that closes. */
@Timeout(900)
class ManyClientsTest {
  // Greedy, since the model of random weights then runs in circles and never ends by itself.
  private static final String LONG =
      "{\"model\":\"tiny\",\"prompt\":\"the\",\"raw\":true,\"stream\":%s,"
          // or it ends when it likes, sooner with some processors than with others
          + "\"format\":{\"type\":\"array\",\"minItems\":10000,\"items\":{\"type\":\"integer\"}},"
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
  void nothingIsComputedForACallerThatHasGone(@TempDir Path folder) {
    Scheduler.Limits limits =
        new Scheduler.Limits(
            1, 1, 8, 4L << 30, new KeepAlive(Duration.ofMinutes(1)), 4096, ModelOptions.DEFAULT);
    OllamaStore store = new OllamaStore(folder.resolve("store"));
    Catalog catalog = new Catalog(store, new Aliases(folder.resolve("no-aliases")), true);
    try (Scheduler scheduler = new Scheduler(limits);
        Inference inference = new Inference(catalog, scheduler, FormatCompiler.grammars())) {
      ChatRequest request =
          ChatRequest.of("demo", List.of(Message.user("Draw a red circle.")))
              .withOptions(new Options(Map.of("temperature", 0)));
      Completion whole = inference.chat(request, new LeavingCaller(Integer.MAX_VALUE));
      assertThat(whole.metrics().tokens()).isGreaterThan(20);
      for (int patience : new int[] {0, 1, 2, 7}) {
        LeavingCaller caller = new LeavingCaller(patience);
        long before = inference.totals().answers();
        assertThatThrownBy(() -> inference.chat(request, caller))
            .isInstanceOfSatisfying(
                ApiException.class,
                e -> assertThat(e.status()).isEqualTo(ApiException.CLIENT_CLOSED_REQUEST));
        assertThat(caller.parts).isEqualTo(patience);
        assertThat(inference.generating()).isZero();
        assertThat(inference.totals().answers()).isEqualTo(before);
        // The only place is free again, and what was left in the cache is right.
        assertThat(inference.chat(request, new LeavingCaller(Integer.MAX_VALUE)).content())
            .isEqualTo(whole.content());
      }
    }
  }

  /** Goes after so many parts of an answer. */
  private static final class LeavingCaller implements Caller {
    private final int patience;
    private volatile int parts;

    LeavingCaller(int patience) {
      this.patience = patience;
    }

    @Override
    public boolean gone() {
      return parts >= patience;
    }

    @Override
    public void accept(Delta delta) {
      parts++;
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
