package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pelican.server.http.HttpLimits;

/** What each known attack on a connection is answered with, byte for byte on the wire. */
@Timeout(300)
class ConnectionAttacksTest {
  private static final int MAX_CONNECTIONS = 16;

  private static final HttpLimits LIMITS =
      new HttpLimits(
          1 << 20,
          TestServer.MAX_BLOB,
          8192,
          Duration.ofSeconds(1),
          Duration.ofSeconds(1),
          Duration.ofSeconds(3),
          MAX_CONNECTIONS);

  private static final String HOST = "Host: localhost\r\n";
  private static final String END = HOST + "Connection: close\r\n\r\n";
  private static final String REFUSED = "HTTP/1.1 400 Bad Request";

  @TempDir private static Path folder;
  private static TestServer server;

  @BeforeAll
  static void start() throws IOException {
    server = new TestServer(folder, 4, Optional.empty(), true, LIMITS);
    server.install("tiny", "tiny-Q4_K_M.gguf", "gemma4", "{}");
  }

  @AfterAll
  static void stop() {
    assertThat(server.log.toString(StandardCharsets.UTF_8)).isEmpty();
    server.close();
  }

  private static Socket connect() throws IOException {
    Socket socket = new Socket("127.0.0.1", server.server.port());
    socket.setSoTimeout(120_000);
    return socket;
  }

  /** Sends bytes and gives all that comes until the server closes the connection. */
  private static String raw(String text) throws IOException {
    try (Socket socket = connect()) {
      socket.getOutputStream().write(HostileConnections.latin(text));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  private static int answers(String text) {
    return (int) Pattern.compile("HTTP/1\\.1 [0-9]{3} ").matcher(text).results().count();
  }

  private static void awaitMetric(String name, int value) throws Exception {
    String line = "\npelican_" + name + " " + value + "\n";
    for (int i = 0;
        i < 400 && !server.send(server.request("/metrics")).body().contains(line);
        i++) {
      Thread.sleep(25);
    }
    assertThat(server.send(server.request("/metrics")).body()).contains(line);
  }

  /** A request that another server on the way could take for two, or for a part of one. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 6",
        "Content-Length: 0\r\nContent-Length: 44",
        "Content-Length: 0, 44",
        "Content-Length: -1",
        "Content-Length: +44",
        "Content-Length: 0x2c",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding : chunked"
      })
  void nothingIsSmuggledPastAnAmbiguousLength(String header) throws Exception {
    String answer =
        raw(
            "POST /api/show HTTP/1.1\r\n"
                + HOST
                + header
                + "\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n"
                + HOST
                + "\r\n");
    assertThat(answer).startsWith("HTTP/1.1 4").doesNotContain("\r\nok");
    assertThat(answers(answer)).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-1\r\n",
        "fffffffffffffffff\r\nx",
        "zz\r\n",
        "2\r\n{}XX0\r\n\r\n",
        "2\r\n{}\r\n0\r\nbad trailer\r\n\r\n"
      })
  void brokenChunksAreTold(String chunks) throws Exception {
    String answer =
        raw("POST /api/show HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST + "\r\n" + chunks);
    assertThat(answer).startsWith(REFUSED);
    assertThat(answers(answer)).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    "GET /api/tags HTTP/1.1~~,400",
    "GET /api/tags HTTP/1.1~Host: evil.com~~,403",
    "GET /api/tags HTTP/1.1~Host: localhost.evil.com~~,403",
    "GET /api/tags HTTP/1.1~Host: 127.0.0.1.evil.com~~,403",
    "GET /api/tags HTTP/1.1~Host: 8.8.8.8~~,403",
    "GET /api/tags HTTP/1.1~Host: 0x7f000001~~,403",
    "GET /api/tags HTTP/1.1~Host: [2001:4860::1]~~,403",
    "GET /api/tags HTTP/1.1~Host: localhost~Host: evil.com~~,400",
    "GET /api/tags HTTP/1.1~Host: localhost@evil.com~~,400",
    "OPTIONS /api/chat HTTP/1.1~Host: evil.com~Origin: http://evil.com~~,403",
    "GET /api/tags HTTP/1.1~Host: localhost~Origin: http://evil.com~~,403",
    "GET /api/tags HTTP/1.1~Host: localhost~Origin: null~~,403",
    "GET /api/tags HTTP/1.1~Host: localhost~Origin: http://localhost.evil.com~~,403",
    "GET /api/tags HTTP/1.1~Host: localhost~Origin: http://localhost:80@evil.com~~,403",
    "POST /api/delete HTTP/1.1~Host: localhost~Origin: http://evil.com~Content-Length: 0~~,403",
    "GET /api/tags HTTP/1.1~Host: [::1]:80~~,200",
    "GET /api/tags HTTP/1.1~Host: 127.0.0.1~~,200",
    "GET /api/tags HTTP/1.1~Host: localhost~Origin: http://127.0.0.1:8080~~,200",
    "GET /api/tags HTTP/9.9~Host: localhost~~,505",
    "GET /api/tags HTTP/2.0~Host: localhost~~,426",
    "GET  HTTP/1.1~Host: localhost~~,505",
    "TRACE / HTTP/1.1~Host: localhost~~,405",
    "PRI * HTTP/2.0~~SM~~,",
    "GET /api/tags HTTP/1.1~Host: localhost~no colon~~,400",
    "GET /api/tags HTTP/1.1~Host: localhost~ folded~~,400",
    "GET /ui/..%2findex.html HTTP/1.1~Host: localhost~~,400",
    "GET /ui/%2e%2e/index.html HTTP/1.1~Host: localhost~~,400",
    "GET /ui/../../../../etc/passwd HTTP/1.1~Host: localhost~~,400",
    "GET /ui/index.html%00.js HTTP/1.1~Host: localhost~~,400",
    "GET /ui/%5c..%5c.. HTTP/1.1~Host: localhost~~,400",
    "GET /ui/%c0%ae%c0%ae/x HTTP/1.1~Host: localhost~~,400",
    "GET /ui/.hidden HTTP/1.1~Host: localhost~~,404",
    "HEAD /api/blobs/sha256:..%2f..%2fx HTTP/1.1~Host: localhost~~,400",
    "HEAD /api/blobs/sha256:x HTTP/1.1~Host: localhost~~,400"
  })
  void isAnsweredWith(String request, Integer status) throws Exception {
    String text = request.replace("~", "\r\n");
    String answer = raw(text.substring(0, text.length() - 2) + "Connection: close\r\n\r\n");
    assertThat(answer).doesNotContain("root:", "Exception");
    if (status == null) {
      assertThat(answer).doesNotContain(" 200 ");
    } else {
      assertThat(answer).startsWith("HTTP/1.1 " + status + " ");
    }
  }

  @Test
  void headersWithoutEndAreRefused() throws Exception {
    String flood = "X: yyyyyyyy\r\n".repeat(5000);
    assertThat(raw("GET / HTTP/1.1\r\n" + flood + END)).startsWith("HTTP/1.1 431 ");
    assertThat(raw("GET / HTTP/1.1\r\nX: " + "y".repeat(9000) + "\r\n" + END))
        .startsWith("HTTP/1.1 431 ");
    assertThat(raw("GET /" + "a".repeat(9000) + " HTTP/1.1\r\n" + END)).startsWith("HTTP/1.1 414 ");
  }

  @Test
  void anUpgradeIsNotMade() throws Exception {
    String upgrade =
        "GET /healthz HTTP/1.1\r\n"
            + HOST
            + "Connection: Upgrade, close\r\nUpgrade: %s\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assertThat(raw(upgrade.formatted("websocket"))).startsWith("HTTP/1.1 200 ");
    assertThat(raw(upgrade.formatted("h2c"))).startsWith("HTTP/1.1 200 ");
  }

  @Test
  void requestsSentAheadAreAnsweredInTheirOrder() throws Exception {
    StringBuilder requests = new StringBuilder();
    String body =
        "{\"model\":\"tiny\",\"prompt\":\"a\",\"stream\":true,\"options\":{\"num_predict\":3}}";
    for (int i = 0; i < 10; i++) {
      requests.append("GET /none/").append(i).append(" HTTP/1.1\r\n").append(HOST).append("\r\n");
      requests
          .append("POST /api/generate HTTP/1.1\r\n")
          .append(HOST)
          .append("Content-Length: ")
          .append(body.length())
          .append("\r\n\r\n")
          .append(body);
    }
    String answer = raw(requests + "GET /healthz HTTP/1.1\r\n" + END);
    List<String> statuses =
        Pattern.compile("HTTP/1\\.1 ([0-9]{3}) ")
            .matcher(answer)
            .results()
            .map(m -> m.group(1))
            .toList();
    assertThat(statuses).hasSize(21);
    for (int i = 0; i < 20; i++) {
      assertThat(statuses.get(i)).isEqualTo(i % 2 == 0 ? "404" : "200");
    }
    assertThat(answer).endsWith("\r\n\r\nok");
  }

  @Test
  void aBodyThatStaysAwayIsNotWaitedForLong() throws Exception {
    String start = "POST /api/show HTTP/1.1\r\n" + HOST + "Content-Length: 100\r\n\r\n";
    assertThat(raw(start)).startsWith("HTTP/1.1 408 ").contains("did not come within 1 s");
    try (Socket socket = connect()) {
      OutputStream out = socket.getOutputStream();
      out.write(HostileConnections.latin(start));
      long begun = System.nanoTime();
      try {
        for (int i = 0; i < 100; i++) {
          out.write(' ');
          Thread.sleep(100);
        }
      } catch (IOException e) {
        // closed, as it should be
      }
      assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(9));
    }
  }

  @Test
  void aBodyBeyondTheLimitIsNotKept() throws Exception {
    String header = "POST /api/show HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + END;
    String chunk = "100000\r\n" + " ".repeat(1 << 20) + "\r\n";
    assertThat(raw(header + chunk.repeat(2) + "0\r\n\r\n"))
        .startsWith("HTTP/1.1 413 ")
        .contains("larger than 1048576 bytes");
    assertThat(raw("POST /api/show HTTP/1.1\r\nContent-Length: 104857600\r\n" + END))
        .startsWith("HTTP/1.1 413 ");
    String deep = "[".repeat(1_000_000);
    assertThat(raw("POST /api/show HTTP/1.1\r\nContent-Length: 1000000\r\n" + END + deep))
        .startsWith(REFUSED)
        .contains("the JSON exceeds a limit");
    assertThat(
            raw("POST /api/show HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n" + END))
        .startsWith("HTTP/1.1 415 ");
  }

  /** A client that takes nothing of its answer holds its place only as long as it may be idle. */
  @Test
  void aClientThatDoesNotReadLosesItsPlace() throws Exception {
    String body =
        "{\"model\":\"tiny\",\"prompt\":\"the\",\"raw\":true,\"stream\":true,\"logprobs\":true,"
            // or it ends when it likes, sooner with some processors than with others
            + "\"format\":{\"type\":\"array\",\"minItems\":10000,\"items\":{\"type\":\"integer\"}},"
            + "\"top_logprobs\":20,\"options\":{\"num_ctx\":60000,\"temperature\":0}}";
    try (Socket socket = new Socket()) {
      socket.setReceiveBufferSize(4096);
      socket.connect(new InetSocketAddress("127.0.0.1", server.server.port()));
      socket
          .getOutputStream()
          .write(
              HostileConnections.latin(
                  "POST /api/generate HTTP/1.1\r\nContent-Length: "
                      + body.length()
                      + "\r\n"
                      + END
                      + body));
      awaitMetric("generating", 1);
      // First the buffers of both sides fill, and only then it is idle.
      for (int i = 0; i < 300; i++) {
        if (server.send(server.request("/metrics")).body().contains("pelican_generating 0\n")) {
          break;
        }
        Thread.sleep(500);
      }
      awaitMetric("generating", 0);
      InputStream in = socket.getInputStream();
      String rest = "";
      try {
        rest = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
      } catch (IOException e) {
        // reset
      }
      assertThat(rest).as("it was cut off, not finished").doesNotContain("\"done\":true");
    }
  }

  @Test
  void connectionsThatDoNothingKeepOthersOutForAWhileOnly() throws Exception {
    List<Socket> idle = new ArrayList<>();
    try {
      for (int i = 0; i < 2 * MAX_CONNECTIONS; i++) {
        idle.add(connect());
      }
      assertThat(raw("GET /healthz HTTP/1.1\r\n" + END)).endsWith("\r\n\r\nok");
    } finally {
      for (Socket socket : idle) {
        socket.close();
      }
    }
  }
}
