package pelican.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pelican.engine.PelicanException;

class HostileManifestTest {
  private static final String DIGEST = "sha256:" + "a".repeat(64);

  private static byte[] manifest(String digest, String size) {
    return """
    {"schemaVersion":2,"config":{"mediaType":"c","digest":"%s","size":1},
    "layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"%s","size":%s}]}\
    """
        .formatted(DIGEST, digest, size)
        .getBytes(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-1",
        "9223372036854775807",
        "1e30",
        "1.5",
        "\"12\"",
        "null",
        "4398046511105",
        "99999999999999999999999999"
      })
  void refusesSizesThatNoBlobHas(String size) {
    assertThat(Manifest.parse(manifest(DIGEST, "5"), "m").size()).isEqualTo(6);
    assertThatThrownBy(() -> Manifest.parse(manifest(DIGEST, size), "m"))
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining("size is " + (size.equals("1e30") ? "1" : size.substring(0, 1)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "sha256:",
        "sha256:../../../etc/passwd",
        "sha256-/etc/passwd",
        "md5:aaaa",
        "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/..",
        "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\u0000"
      })
  void refusesDigestsThatAreNone(String digest) {
    assertThatThrownBy(() -> Manifest.parse(manifest(digest, "5"), "m"))
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining("invalid digest format");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "..",
        "../x",
        "a/../b",
        "../../x/y",
        "/etc/passwd",
        "a//b",
        "x:..",
        "x:../../y",
        "a\0b",
        "./x",
        ".x",
        "h/n/../m",
        "h/n/m:t/x",
        "..:5000/n/m",
        "a..b/../m",
        "x@sha256:aa",
        ""
      })
  void refusesNamesThatLeadElsewhere(String name) {
    assertThatThrownBy(() -> ModelName.parse(name))
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining("no valid model name");
  }

  @Test
  void refusesTenMegabytesOfManifestAndDeepNesting(@TempDir Path root) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/v2/n/large/",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          try (OutputStream out = exchange.getResponseBody()) {
            out.write(("{\"layers\":[" + "[],".repeat(3_500_000) + "[]]}").getBytes());
          } catch (IOException e) {
            // the client stops reading at its limit
          }
        });
    server.createContext(
        "/v2/n/deep/",
        exchange -> {
          byte[] body = "[".repeat(1_000_000).getBytes();
          exchange.sendResponseHeaders(200, body.length);
          try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
          }
        });
    server.start();
    try {
      String host = "127.0.0.1:" + server.getAddress().getPort();
      Puller puller = new Puller(new OllamaStore(root), new PullerTest.Silent());
      assertThatThrownBy(() -> puller.pull(ModelName.parse(host + "/n/large"), true))
          .isInstanceOf(PelicanException.class)
          .hasMessageContaining("larger than 4 MiB");
      assertThatThrownBy(() -> puller.pull(ModelName.parse(host + "/n/deep"), true))
          .isInstanceOf(PelicanException.class)
          .hasMessageContaining("no manifest");
    } finally {
      server.stop(0);
    }
    try (Stream<Path> left = Files.walk(root)) {
      assertThat(left.filter(Files::isRegularFile)).isEmpty();
    }
  }
}
