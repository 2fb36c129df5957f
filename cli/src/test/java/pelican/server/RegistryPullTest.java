package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code /api/pull} from a registry server. */
@Timeout(240)
class RegistryPullTest {
  @TempDir private Path folder;
  private DockerRegistry registry;
  private TestServer server;

  @BeforeEach
  void start() throws Exception {
    registry = new DockerRegistry(folder);
    server = new TestServer(folder);
  }

  @AfterEach
  void stop() {
    if (registry != null) {
      registry.close();
    }
    if (server != null) {
      server.close();
      assertThat(server.log.toString(StandardCharsets.UTF_8)).isEmpty();
    }
  }

  private HttpResponse<String> pull(String name, String fields) throws Exception {
    return server.post("/api/pull", "{\"model\":\"" + name + "\"" + fields + "}");
  }

  private static List<String> lines(HttpResponse<String> response, String field) {
    List<String> values = new ArrayList<>();
    for (String line : response.body().lines().toList()) {
      JsonNode value = JsonMapper.shared().readTree(line).get(field);
      if (value != null) {
        values.add(value.asString());
      }
    }
    return values;
  }

  @Test
  void pullsStreamingAndNot() throws Exception {
    byte[] manifest = registry.push("me/tiny", "q4", "You are tiny.");
    String name = registry.address() + "/me/tiny:q4";
    HttpResponse<String> response = pull(name, ",\"insecure\":true");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Type")).hasValue("application/x-ndjson");
    List<String> statuses = lines(response, "status");
    assertThat(statuses)
        .startsWith("pulling manifest")
        .contains("verifying sha256 digest")
        .anyMatch(status -> status.matches("pulling [0-9a-f]{12}"))
        .endsWith("writing manifest", "success");
    assertThat(lines(response, "digest")).allMatch(digest -> digest.matches("sha256:[0-9a-f]{64}"));
    assertThat(lines(response, "completed"))
        .contains(Long.toString(java.nio.file.Files.size(DockerRegistry.TINY)));
    Path stored =
        server.store.root().resolve("manifests").resolve(registry.address()).resolve("me/tiny/q4");
    assertThat(stored).hasBinaryContent(manifest);
    JsonNode show = server.json(server.post("/api/show", "{\"model\":\"" + name + "\"}"));
    assertThat(show.get("system").asString()).isEqualTo("You are tiny.");
    JsonNode answer =
        server.json(
            server.post(
                "/api/generate",
                "{\"model\":\"" + name + "\",\"prompt\":\"the\",\"stream\":false}"));
    assertThat(answer.get("eval_count").asInt()).as(answer.toString()).isBetween(1, 8);

    registry.push("me/tiny", "q4", "You are newer.");
    HttpResponse<String> again = pull(name, ",\"insecure\":true,\"stream\":false");
    assertThat(again.body()).isEqualTo("{\"status\":\"success\"}");
    assertThat(again.headers().firstValue("Content-Type")).hasValue("application/json");
    show = server.json(server.post("/api/show", "{\"model\":\"" + name + "\"}"));
    assertThat(show.get("system").asString()).isEqualTo("You are newer.");
  }

  @Test
  void failuresHaveOllamasTexts() throws Exception {
    registry.push("me/tiny", "q4", "You are tiny.");
    String unknown = registry.address() + "/me/tiny:q6";
    String missing = "{\"error\":\"pull model manifest: file does not exist\"}";
    HttpResponse<String> streamed = pull(unknown, ",\"insecure\":true");
    assertThat(streamed.statusCode()).as("line 1 was sent before").isEqualTo(200);
    assertThat(streamed.body()).isEqualTo("{\"status\":\"pulling manifest\"}\n" + missing + "\n");
    HttpResponse<String> whole = pull(unknown, ",\"insecure\":true,\"stream\":false");
    assertThat(whole.statusCode()).isEqualTo(500);
    assertThat(whole.body()).isEqualTo(missing);
    HttpResponse<String> plain =
        pull("http://" + registry.address() + "/me/tiny:q4", ",\"stream\":false");
    assertThat(plain.statusCode()).isEqualTo(500);
    assertThat(plain.body()).isEqualTo("{\"error\":\"insecure protocol http\"}");
    HttpResponse<String> plainStream = pull("http://" + registry.address() + "/me/tiny:q4", "");
    assertThat(plainStream.body())
        .isEqualTo("{\"status\":\"pulling manifest\"}\n{\"error\":\"insecure protocol http\"}\n");
    HttpResponse<String> secure = pull(registry.address() + "/me/tiny:q4", ",\"stream\":false");
    assertThat(secure.statusCode()).as("https at a server of plain http").isEqualTo(500);
    assertThat(server.json(secure).get("error").asString()).startsWith("cannot pull");
    assertThat(server.store.list()).isEmpty();
  }
}
