package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pelican.compare.BlockDefinition;
import tools.jackson.databind.JsonNode;

/** The precision page's endpoints: numbers against the formats' definitions, and refusals. */
class PrecisionRoutesTest {
  @TempDir private static Path folder;
  private static TestServer server;

  @BeforeAll
  static void start() throws Exception {
    server = new TestServer(folder);
    for (String type : new String[] {"Q8_0", "Q4_K_M", "Q6_K"}) {
      server.install("tiny:" + type, "tiny-" + type + ".gguf", "", "{}");
    }
    server.install("dense", "dense-Q4_K_M.gguf", "", "{}");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static HttpResponse<String> block(String models, String tensor, String block)
      throws Exception {
    return server.post(
        "/api/precision/block",
        "{\"models\":[%s],\"tensor\":\"%s\",\"block\":%s}".formatted(models, tensor, block));
  }

  @ParameterizedTest
  @CsvSource({
    "Q8_0, blk.0.attn_q.weight, Q8_0, 0",
    "Q8_0, blk.1.ffn_up.weight, Q8_0, 77",
    "Q8_0, blk.4.attn_output.weight, Q8_0, 1000",
    "Q4_K_M, blk.0.attn_q.weight, Q4_K, 0",
    "Q4_K_M, blk.0.attn_q.weight, Q4_K, 13",
    "Q4_K_M, blk.1.ffn_up.weight, Q4_K, 79",
    "Q6_K, blk.0.attn_q.weight, Q6_K, 0",
    "Q6_K, blk.0.attn_q.weight, Q6_K, 11",
    "Q6_K, blk.1.ffn_up.weight, Q6_K, 78",
  })
  void numbersAreThoseOfTheFormat(String file, String tensor, String type, int number)
      throws Exception {
    HttpResponse<String> response = block("\"tiny:" + file + "\"", tensor, "" + number);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    JsonNode view = server.json(response);
    JsonNode stored = view.path("stored").path(0);
    assertThat(stored.path("type").asString()).isEqualTo(type);
    int size = BlockDefinition.size(type);
    int groupSize = BlockDefinition.groupSize(type);
    byte[] bytes = HexFormat.of().parseHex(stored.path("bytes").asString());
    assertThat(bytes).hasSize(BlockDefinition.bytes(type));
    assertThat(bytes).isEqualTo(inFile("tiny-" + file, stored.path("offset").asInt(), bytes));
    assertThat(view.path("first").asInt()).isEqualTo(32 * number);
    assertThat(stored.path("weights").size()).isEqualTo(32);
    for (int j = 0; j < 32; j++) {
      BlockDefinition.Weight weight = BlockDefinition.weight(type, bytes, 32 * number % size + j);
      JsonNode group = stored.path("groups").path(j / groupSize);
      assertThat(group.path("integers").path(j % groupSize).asInt()).isEqualTo(weight.integer());
      assertThat(group.path("scale").asDouble()).isCloseTo(weight.scale(), within(1e-9));
      assertThat(group.path("min").asDouble()).isCloseTo(weight.min(), within(1e-7));
      assertThat(stored.path("weights").path(j).asDouble()).isCloseTo(weight.value(), within(1e-6));
    }
  }

  private static byte[] inFile(String name, int offset, byte[] like) throws Exception {
    byte[] all = Files.readAllBytes(TestServer.GOLDEN.resolve(name + ".gguf"));
    return Arrays.copyOfRange(all, offset, offset + like.length);
  }

  @Test
  void errorsAreAgainstTheFirstModel() throws Exception {
    JsonNode view = server.json(block("\"tiny:Q8_0\",\"tiny:Q4_K_M\"", "blk.0.attn_q.weight", "5"));
    double max = 0;
    for (int i = 0; i < 32; i++) {
      double difference =
          view.path("stored").path(1).path("weights").path(i).asDouble()
              - view.path("stored").path(0).path("weights").path(i).asDouble();
      max = Math.max(max, Math.abs(difference));
    }
    assertThat(max).isPositive();
    assertThat(view.path("stored").path(1).path("maxError").asDouble())
        .isCloseTo(max, within(1e-7));
    assertThat(view.path("stored").path(0).path("maxError").asDouble()).isZero();
  }

  @Test
  void tensorsAreThoseThatAllModelsShare() throws Exception {
    HttpResponse<String> response =
        server.post(
            "/api/precision/tensors", "{\"models\":[\"tiny:Q8_0\",\"demo\",\"tiny:Q4_K_M\"]}");
    assertThat(server.json(response).path("models").path(1).asString()).isEqualTo("demo:latest");
    assertThat(server.json(response).path("tensors").valueStream())
        .noneMatch(tensor -> tensor.path("tensor").asString().equals("token_embd.weight"));
    JsonNode tensors =
        server
            .json(
                server.post(
                    "/api/precision/tensors", "{\"models\":[\"tiny:Q8_0\",\"tiny:Q4_K_M\"]}"))
            .path("tensors");
    JsonNode query =
        tensors
            .valueStream()
            .filter(tensor -> tensor.path("tensor").asString().equals("blk.0.attn_q.weight"))
            .findFirst()
            .orElseThrow();
    assertThat(query.path("types").toString()).isEqualTo("[\"Q8_0\",\"Q4_K\"]");
    assertThat(query.path("blocks").asInt()).isPositive();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "400 | block is -1, expected 0 to |"
            + " {\"models\":[\"demo\"],\"tensor\":\"token_embd.weight\",\"block\":-1}",
        "400 | block is 2147483647, expected 0 to |"
            + " {\"models\":[\"demo\"],\"tensor\":\"token_embd.weight\",\"block\":2147483647}",
        "400 | a whole number of at most 31 bits |"
            + " {\"models\":[\"demo\"],\"tensor\":\"token_embd.weight\",\"block\":1e30}",
        "400 | a whole number of at most 31 bits |"
            + " {\"models\":[\"demo\"],\"tensor\":\"token_embd.weight\",\"block\":0.5}",
        "400 | a whole number of at most 31 bits |"
            + " {\"models\":[\"demo\"],\"tensor\":\"token_embd.weight\",\"block\":\"0\"}",
        "400 | block is required | {\"models\":[\"demo\"],\"tensor\":\"token_embd.weight\"}",
        "400 | tensor is required | {\"models\":[\"demo\"],\"block\":1}",
        "404 | tensor 'no.weight' not found |"
            + " {\"models\":[\"demo\"],\"tensor\":\"no.weight\",\"block\":0}",
        "404 | model 'nobody' not found |"
            + " {\"models\":[\"nobody\"],\"tensor\":\"token_embd.weight\",\"block\":0}",
        "400 | invalid model name |"
            + " {\"models\":[\"../../etc/passwd\"],\"tensor\":\"token_embd.weight\",\"block\":0}",
        "400 | models has 0 elements, expected 1 to 4 |"
            + " {\"tensor\":\"token_embd.weight\",\"block\":0}",
        "400 | models has 5 elements, expected 1 to 4 |"
            + " {\"models\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"tensor\":\"token_embd.weight\",\"block\":0}",
        "400 | models names one model twice |"
            + " {\"models\":[\"demo\",\"demo:latest\"],\"tensor\":\"token_embd.weight\",\"block\":0}",
        "400 | \"models[0]\" is the number 3, expected a string |"
            + " {\"models\":[3],\"tensor\":\"token_embd.weight\",\"block\":0}",
        "404 | not found in the same shape in every model |"
            + " {\"models\":[\"demo\",\"dense\"],\"tensor\":\"token_embd.weight\",\"block\":0}",
        "400 | missing request body | ''",
      })
  void whatCannotBeShownIsRefused(int status, String message, String body) throws Exception {
    HttpResponse<String> response = server.post("/api/precision/block", body);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(server.json(response).path("error").asString()).contains(message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/api/precision/tensors", "/api/precision/block"})
  void keyAndOriginAreAskedForAsElsewhere(String path) throws Exception {
    Path other = folder.resolve("locked");
    try (TestServer locked = new TestServer(other, 8, Optional.of("a-key"), true)) {
      String body = "{\"models\":[\"demo\"],\"tensor\":\"token_embd.weight\",\"block\":0}";
      assertThat(locked.post(path, body).statusCode()).isEqualTo(401);
      HttpRequest.Builder with =
          locked
              .request(path)
              .header("Authorization", "Bearer a-key")
              .POST(HttpRequest.BodyPublishers.ofString(body));
      assertThat(locked.send(with).statusCode()).isEqualTo(200);
      assertThat(locked.send(locked.request("/precision").GET()).statusCode()).isEqualTo(200);
    }
    HttpRequest.Builder foreign =
        server
            .request(path)
            .header("Origin", "https://elsewhere.example")
            .POST(HttpRequest.BodyPublishers.ofString("{\"models\":[\"demo\"]}"));
    assertThat(server.send(foreign).statusCode()).isEqualTo(403);
  }

  @Test
  void thePageMayRunOnlyItsOwnScripts() throws Exception {
    HttpResponse<String> page = server.send(server.request("/precision").GET());
    assertThat(page.statusCode()).isEqualTo(200);
    assertThat(page.headers().firstValue("Content-Type")).hasValue("text/html; charset=utf-8");
    String policy = page.headers().firstValue("Content-Security-Policy").orElseThrow();
    assertThat(policy)
        .contains("default-src 'none'", "script-src 'self';", "connect-src 'self';")
        .doesNotContain("unsafe");
  }
}
