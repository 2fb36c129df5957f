package pelican.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whoever asks too late whether a client has gone does not take the client's next request. */
@Timeout(240)
class StaleQuestionTest {
  private static final int REQUESTS = 500;

  /** Another thread asks all the time for the answer before: it has no say in when it runs. */
  @Test
  void keptConnectionsAnswerWhileSomebodyAsksForAnAnswerThatIsComplete() throws Exception {
    AtomicReference<Exchange> answered = new AtomicReference<>();
    HttpServer.RequestHandler handler =
        (request, response) -> {
          Exchange exchange =
              new Exchange(
                  request,
                  response,
                  HttpLimits.DEFAULT,
                  BodyBudget.ofHeap(HttpLimits.DEFAULT),
                  Map.of());
          exchange.json(200, exchange.body().string("text"));
          answered.set(exchange);
        };
    AtomicLong asked = new AtomicLong();
    AtomicBoolean stopped = new AtomicBoolean();
    try (HttpServer server = new HttpServer("127.0.0.1", 0, HttpLimits.DEFAULT, handler)) {
      server.start();
      Thread asking =
          Thread.ofPlatform()
              .start(() -> {
                while (!stopped.get()) {
                  Exchange stale = answered.get();
                  if (stale != null && !stale.clientGone()) {
                    asked.incrementAndGet();
                  }
                }
              });
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
        socket.setSoTimeout(30_000);
        BufferedReader answers =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
        for (int i = 0; i < REQUESTS; i++) {
          String body = "{\"text\":\"" + i + "\"}";
          String header =
              "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + body.length() + "\r\n\r\n";
          socket.getOutputStream().write(header.getBytes(StandardCharsets.US_ASCII));
          if (i % 3 == 0) {
            // The body may come by itself.
            Thread.yield();
          }
          socket.getOutputStream().write(body.getBytes(StandardCharsets.US_ASCII));
          assertThat(answer(answers)).isEqualTo("\"" + i + "\"");
        }
      } finally {
        stopped.set(true);
        asking.join();
      }
      assertThat(asked.get()).isGreaterThan(REQUESTS / 10);
    }
  }

  private static String answer(BufferedReader answers) throws IOException {
    int length = -1;
    for (String line = answers.readLine(); !line.isEmpty(); line = answers.readLine()) {
      if (line.startsWith("Content-Length: ")) {
        length = Integer.parseInt(line.substring("Content-Length: ".length()));
      }
    }
    char[] body = new char[length];
    for (int i = 0; i < length; ) {
      i += answers.read(body, i, length - i);
    }
    return new String(body);
  }
}
