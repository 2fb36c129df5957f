package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import pelican.cli.Interrupts;

/** {@code serve} of the jar: whom it lets in, and how it ends. */
@Timeout(300)
class ServeIT {
  private static final String CUT_OFF = "{\"error\":\"the server is shutting down\"}";

  @TempDir private Path folder;

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private HttpResponse<String> get(ServedJar server, String path, String... headers)
      throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.url() + path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static HttpRequest post(ServedJar server, String body) {
    return HttpRequest.newBuilder(URI.create(server.url() + "/api/chat"))
        .timeout(Duration.ofSeconds(120))
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
  }

  /** Numbers that a schema does not let end before there are so many of them. */
  private static String counting(int numbers) {
    return """
    {"model":"demo","stream":true,"messages":[{"role":"user","content":"Count."}],
    "format":{"type":"array","items":{"enum":[1]},"minItems":%d},
    "options":{"temperature":0}}\
    """
        .formatted(numbers);
  }

  /** Begins an answer of so many numbers and waits for its first part. */
  private BufferedReader begin(ServedJar server, int numbers) throws Exception {
    HttpResponse<InputStream> response =
        client.send(post(server, counting(numbers)), HttpResponse.BodyHandlers.ofInputStream());
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(lines.readLine()).contains("\"done\":false");
    return lines;
  }

  /** The addresses on which the system says that somebody listens at a port, in hexadecimal. */
  private static List<String> listeners(int port) throws IOException {
    String end = ":%04X".formatted(port);
    List<String> found = new java.util.ArrayList<>();
    for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
      if (Files.exists(Path.of(table))) {
        for (String line : Files.readAllLines(Path.of(table))) {
          String[] fields = line.strip().split(" +");
          if (fields[1].endsWith(end) && fields[3].equals("0A")) {
            found.add(fields[1].substring(0, fields[1].length() - end.length()));
          }
        }
      }
    }
    return found;
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void listensOnLoopbackUnlessToldAndWarnsElsewhere() throws Exception {
    try (ServedJar server = ServedJar.start(folder.resolve("loopback"))) {
      assertThat(listeners(server.port()))
          .isNotEmpty()
          .allMatch(address -> address.endsWith("0100007F"));
      assertThat(server.log()).doesNotContain("Warning");
    }
    try (ServedJar server =
        ServedJar.start(folder.resolve("all"), Map.of("OLLAMA_HOST", "0.0.0.0:PORT"))) {
      assertThat(listeners(server.port())).isNotEmpty().allMatch(address -> address.matches("0+"));
      assertThat(server.log()).contains("Warning: listening beyond this machine without an API");
    }
    try (ServedJar server =
        ServedJar.start(
            folder.resolve("locked"),
            Map.of("OLLAMA_HOST", "0.0.0.0:PORT", "PELICAN_API_KEY", "k"))) {
      assertThat(server.log()).doesNotContain("Warning");
    }
  }

  @Test
  void theKeyComesByFlagFileOrVariable() throws Exception {
    Path file = Files.writeString(folder.resolve("key"), "a key\n");
    record Way(Map<String, String> environment, List<String> arguments) {}
    for (Way way :
        List.of(
            new Way(Map.of(), List.of("--api-key", "a key")),
            new Way(Map.of(), List.of("--api-key-file", file.toString())),
            new Way(Map.of("PELICAN_API_KEY", "a key"), List.of()))) {
      try (ServedJar server =
          ServedJar.start(
              folder.resolve("server"),
              way.environment(),
              way.arguments().toArray(new String[0]))) {
        for (String path : List.of("/api/tags", "/v1/models", "/metrics", "/api/ps")) {
          String what = way + " " + path;
          assertThat(get(server, path).statusCode()).as(what).isEqualTo(401);
          for (String wrong : List.of("Bearer a ke", "Bearer a keyy", "Bearer", "Basic YSBrZXk=")) {
            assertThat(get(server, path, "Authorization", wrong).statusCode())
                .as(what + wrong)
                .isEqualTo(401);
          }
          assertThat(get(server, path, "Authorization", "Bearer a key").statusCode())
              .as(what)
              .isEqualTo(200);
          assertThat(get(server, path, "x-api-key", "a key").statusCode()).as(what).isEqualTo(200);
        }
        assertThat(get(server, "/healthz").statusCode()).isEqualTo(200);
        assertThat(get(server, "/").body()).isEqualTo("Ollama is running");
      }
    }
  }

  @Test
  void aBodyThatIsTooLargeIsRefusedBeforeItComes() throws Exception {
    try (ServedJar server = ServedJar.start(folder);
        Socket socket = new Socket("127.0.0.1", server.port())) {
      socket.setSoTimeout(120_000);
      socket
          .getOutputStream()
          .write(
              ("POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 104857600\r\n\r\n{")
                  .getBytes(StandardCharsets.US_ASCII));
      assertThat(
              new BufferedReader(new InputStreamReader(socket.getInputStream(), "US-ASCII"))
                  .readLine())
          .isEqualTo("HTTP/1.1 413 Payload Too Large");
    }
  }

  @Test
  void toldToEndItFinishesWhatItBeganAndTakesNothingNew() throws Exception {
    try (ServedJar server = ServedJar.start(folder, "--grace", "100")) {
      BufferedReader lines = begin(server, 300);
      server.process().toHandle().destroy();
      assertThat(refusal(server)).isEqualTo(CUT_OFF);
      String last = lines.lines().reduce((first, second) -> second).orElseThrow();
      assertThat(last).contains("\"done\":true", "\"done_reason\":\"stop\"");
      assertThat(server.process().waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(server.process().exitValue()).isEqualTo(143);
      assertThat(server.log())
          .containsPattern("Stopping: [12] requests? ha(s|ve) up to 100 s to end");
    }
  }

  /** The body of the first answer of status 503, which comes soon. */
  private String refusal(ServedJar server) throws Exception {
    HttpResponse<String> response = null;
    for (int i = 0; i < 200; i++) {
      response = get(server, "/api/version");
      if (response.statusCode() == 503) {
        return response.body();
      }
      Thread.sleep(20);
    }
    throw new AssertionError("still answered with " + response);
  }

  @Test
  void whatDoesNotEndInTimeIsEndedWithAnError() throws Exception {
    try (ServedJar server = ServedJar.start(folder, "--grace", "1")) {
      BufferedReader lines = begin(server, 1900);
      server.process().toHandle().destroy();
      // A stream that broke off would be an exception here.
      String last = lines.lines().reduce((first, second) -> second).orElseThrow();
      assertThat(last).isEqualTo(CUT_OFF);
      assertThat(server.process().waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(server.process().exitValue()).isEqualTo(143);
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void interruptedTwiceItEndsAtOnce() throws Exception {
    try (ServedJar server = ServedJar.start(folder, "--grace", "200")) {
      BufferedReader lines = begin(server, 1900);
      Interrupts.all(server.process());
      assertThat(refusal(server)).isEqualTo(CUT_OFF);
      assertThat(lines.readLine()).contains("\"done\":false");
      assertThat(server.process().isAlive()).isTrue();
      Interrupts.all(server.process());
      assertThat(server.process().waitFor(10, TimeUnit.SECONDS)).isTrue();
      assertThat(server.process().exitValue()).isEqualTo(130);
    }
  }
}
