package pelican.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Connections beyond the limit wait until others end, and none of them is lost. */
@Timeout(240)
class WaitingConnectionsTest {
  /** More than the JDK lets wait by itself. */
  private static final int CLIENTS = 300;

  private static final HttpLimits LIMITS =
      new HttpLimits(
          1 << 20,
          1 << 20,
          8192,
          Duration.ofSeconds(200),
          Duration.ofSeconds(200),
          Duration.ofSeconds(200),
          2);

  @Test
  void manyWaitToBeAcceptedAndAreAnswered() throws Exception {
    HttpServer.RequestHandler handler =
        (request, response) ->
            new Exchange(request, response, LIMITS, BodyBudget.ofHeap(LIMITS), Map.of())
                .text(200, "here");
    List<Socket> clients = new ArrayList<>();
    try (HttpServer server = new HttpServer("127.0.0.1", 0, LIMITS, handler)) {
      server.start();
      InetSocketAddress address =
          new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port());
      String request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
      for (int i = 0; i < CLIENTS; i++) {
        Socket client = new Socket();
        clients.add(client);
        // The kernel tries again after a second if there is no room.
        client.connect(address, 900);
        client.setSoTimeout(60_000);
        if (i >= LIMITS.maxConnections()) {
          client.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        }
      }
      for (int i = 0; i < CLIENTS; i++) {
        if (i >= LIMITS.maxConnections()) {
          String answer =
              new String(clients.get(i).getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
          assertThat(answer).startsWith("HTTP/1.1 200").endsWith("here");
        }
        clients.get(i).close();
      }
    } finally {
      for (Socket client : clients) {
        client.close();
      }
    }
  }
}
