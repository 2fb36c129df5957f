package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The rows of Ollama's error matrix, in its order. A full queue is in {@link ManyClientsTest}, the
 * failures of pulls in {@link RegistryPullTest}, those of creation and blobs in {@link CreateTest}.
 */
@Timeout(240)
class ErrorMatrixTest {
  @TempDir private static Path folder;
  private static TestServer server;

  @BeforeAll
  static void start() throws IOException {
    Files.writeString(
        folder.resolve("aliases"),
        "short = tiny\nmine = "
            + TestServer.GOLDEN.resolve("tiny-Q8_0.gguf").toAbsolutePath()
            + "\ngone = /nowhere/gone.gguf\n");
    server = new TestServer(folder);
    server.install("tiny", "tiny-Q4_K_M.gguf", "gemma4", "{\"temperature\":0,\"num_predict\":9}");
    ScriptedModel.installEmbedder(server.store.root(), "embedder");
    server.installStub(
        "far", "{\"remote_host\":\"https://cloud.example\",\"remote_model\":\"far\"}");
    server.installStub(
        "painter", "{\"model_format\":\"safetensors\",\"capabilities\":[\"image\"]}");
  }

  @AfterAll
  static void stop() {
    server.close();
    assertThat(server.log.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  private static HttpResponse<String> send(String endpoint, String body) throws Exception {
    return server.method(endpoint.equals("delete") ? "DELETE" : "POST", "/api/" + endpoint, body);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "generate",
        "chat",
        "embed",
        "embeddings",
        "show",
        "pull",
        "push",
        "create",
        "delete",
        "copy"
      })
  void bodiesThatAreNone(String endpoint) throws Exception {
    HttpResponse<String> empty = send(endpoint, "");
    assertThat(empty.statusCode()).isEqualTo(400);
    assertThat(empty.body()).isEqualTo("{\"error\":\"missing request body\"}");
    for (String body : List.of("{", "[]", "{\"model\":\"a\"", "{\"model\":}", "{} {}")) {
      assertThat(send(endpoint, body).statusCode()).as(body).isEqualTo(400);
    }
    String field = endpoint.equals("copy") ? "source" : "model";
    assertThat(send(endpoint, "{\"" + field + "\":7}").statusCode()).isEqualTo(400);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        // model empty
        "generate | {\"model\":\"\"} | 404 | model '' not found",
        "chat | {\"model\":\"\"} | 400 | model is required",
        "embed | {\"model\":\"\"} | 404 | model '' not found",
        "embeddings | {\"model\":\"\"} | 400 | model is required",
        "show | {\"model\":\"\"} | 400 | model is required",
        "pull | {\"model\":\"\"} | 400 | invalid model name",
        "delete | {\"model\":\"\"} | 400 | model is required",
        "copy | {\"source\":\"\",\"destination\":\"b\"} | 400 | source \"\" is invalid",
        // name syntactically invalid
        "generate | {\"model\":\"a b\"} | 400 | invalid model name",
        "chat | {\"model\":\"a b\"} | 400 | invalid model name",
        "embed | {\"model\":\"a b\"} | 400 | invalid model name",
        "embeddings | {\"model\":\"a b\"} | 400 | invalid model name",
        "show | {\"model\":\"a b\"} | 400 | invalid model name",
        "pull | {\"model\":\"a b\"} | 400 | invalid model name",
        "delete | {\"model\":\"a b\"} | 400 | name \"a b\" is invalid",
        "copy | {\"source\":\"a b\",\"destination\":\"b\"} | 400 | source \"a b\" is invalid",
        "copy | {\"source\":\"tiny\",\"destination\":\"a b\"} | 400 | destination \"a b\" is"
            + " invalid",
        // well-formed, not installed
        "generate | {\"model\":\"x\"} | 404 | model 'x' not found",
        "chat | {\"model\":\"x\"} | 404 | model 'x' not found",
        "embed | {\"model\":\"x\"} | 404 | model \"x\" not found, try pulling it first",
        "embeddings | {\"model\":\"x\"} | 404 | model \"x\" not found, try pulling it first",
        "show | {\"model\":\"x\"} | 404 | model 'x:latest' not found",
        "delete | {\"model\":\"x\"} | 404 | model 'x' not found",
        "copy | {\"source\":\"x\",\"destination\":\"y\"} | 404 | model \"x\" not found",
        // other inference failures
        "chat | {\"model\":\"tiny\",\"top_logprobs\":21} | 400 | top_logprobs must be between 0 and"
            + " 20",
        "generate | {\"model\":\"tiny\",\"top_logprobs\":-1} | 400 | top_logprobs must be between 0"
            + " and 20",
        "chat | {\"model\":\"demo\",\"think\":true,\"messages\":[M]} | 400 | \"demo:latest\" does"
            + " not support thinking",
        "generate | {\"model\":\"demo\",\"think\":\"high\",\"prompt\":\"a\"} | 400 |"
            + " \"demo:latest\" does not support thinking",
        "generate | {\"model\":\"embedder\",\"prompt\":\"a\"} | 400 | \"embedder:latest\" does not"
            + " support generate",
        "generate | {\"model\":\"embedder\"} | 400 | \"embedder:latest\" does not support generate",
        "chat | {\"model\":\"embedder\",\"messages\":[M]} | 400 | \"embedder:latest\" does not"
            + " support chat",
        "chat | {\"model\":\"embedder\"} | 400 | \"embedder:latest\" does not support chat",
        "chat | {\"model\":\"demo\",\"tools\":[{\"function\":{\"name\":\"f\"}}],\"messages\":[M]} |"
            + " 400 | registry.ollama.ai/library/demo:latest does not support tools",
        "generate | {\"model\":\"tiny\",\"prompt\":\"a\",\"suffix\":\"b\"} | 400 |"
            + " registry.ollama.ai/library/tiny:latest does not support insert",
        "generate | {\"model\":\"tiny\",\"prompt\":\"a\",\"raw\":true,\"system\":\"s\"} | 400 | raw"
            + " mode does not support template, system, or context",
        "generate | {\"model\":\"tiny\",\"prompt\":\"a\",\"raw\":true,\"template\":\"t\"} | 400 |"
            + " raw mode does not support template, system, or context",
        "generate | {\"model\":\"tiny\",\"prompt\":\"a\",\"raw\":true,\"context\":[1]} | 400 | raw"
            + " mode does not support template, system, or context",
        "embed | {\"model\":\"demo\",\"input\":\"a b c d e f g h\",\"truncate\":false,"
            + "\"options\":{\"num_ctx\":4}} | 400 | the input length exceeds the context length",
        "embed | {\"model\":\"demo\",\"input\":7} | 400 | invalid input type",
        "embed | {\"model\":\"demo\",\"input\":[\"a\",7]} | 400 | invalid input type",
        "chat | {\"model\":\"painter\",\"messages\":[M]} | 400 | image generation models are not"
            + " currently supported",
        "generate | {\"model\":\"painter\",\"prompt\":\"a\"} | 400 | image generation models are"
            + " not currently supported",
        "chat | {\"model\":\"a:local:cloud\"} | 400 | use either :local or :cloud, not both",
        "chat | {\"model\":\"a:cloud:local\"} | 400 | use either :local or :cloud, not both",
        "chat | {\"model\":\"far\",\"messages\":[M]} | 403 | cloud is disabled: 'far:latest' would"
            + " run on another machine",
        "chat | {\"model\":\"tiny\",\"options\":{\"num_ctx\":\"4\"}} | 500 | option \"num_ctx\""
            + " must be of type integer",
      })
  void rows(String endpoint, String body, int status, String text) throws Exception {
    String message = "{\"role\":\"user\",\"content\":\"a\"}";
    HttpResponse<String> response = send(endpoint, body.replace("[M]", "[" + message + "]"));
    assertThat(response.body())
        .isEqualTo(JsonMapper.shared().writeValueAsString(Map.of("error", text)));
    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(response.headers().firstValue("Content-Type"))
        .hasValue("application/json; charset=utf-8");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "chat | {\"model\":\"tiny\",\"think\":\"some\",\"messages\":[M]} | 400 | invalid think"
            + " value",
        "generate | {\"model\":\"tiny\",\"think\":7,\"prompt\":\"a\"} | 400 | invalid think value",
        "chat | {\"model\":\"tiny\",\"format\":7,\"messages\":[M]} | 500 | invalid format:",
        "chat | {\"model\":\"tiny\",\"format\":\"xml\",\"messages\":[M]} | 500 | JSON Schema"
            + " object",
        "chat | {\"model\":\"tiny\",\"truncate\":false,\"shift\":false,\"options\":{\"num_ctx\":4},"
            + "\"messages\":[M]} | 400 | the prompt is longer than the available context length",
        "generate |"
            + " {\"model\":\"tiny\",\"truncate\":false,\"shift\":false,\"options\":{\"num_ctx\":4},\"prompt\":\"a"
            + " b c d e f g\"} | 400 | the prompt is longer than the available context length",
      })
  void rowsWhoseTextsSay(String endpoint, String body, int status, String part) throws Exception {
    String message = "{\"role\":\"user\",\"content\":\"a b c d e f g\"}";
    HttpResponse<String> response = send(endpoint, body.replace("[M]", "[" + message + "]"));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(server.json(response).get("error").asString()).contains(part);
  }

  @Test
  void embeddingOnlyModelsEmbedAndCanBeUnloaded() throws Exception {
    JsonNode show = server.json(server.post("/api/show", "{\"model\":\"embedder\"}"));
    assertThat(show.get("capabilities").toString()).isEqualTo("[\"embedding\"]");
    JsonNode vectors =
        server.json(server.post("/api/embed", "{\"model\":\"embedder\",\"input\":\"x\"}"));
    assertThat(vectors.get("embeddings").get(0).size()).isEqualTo(512);
    JsonNode unload =
        server.json(server.post("/api/generate", "{\"model\":\"embedder\",\"keep_alive\":0}"));
    assertThat(unload.get("done_reason").asString()).isEqualTo("unload");
  }

  @Test
  void theCatalogKnowsTheDemosNamesAndAliases() throws Exception {
    JsonNode tags = server.json(server.send(server.request("/api/tags"))).get("models");
    assertThat(tags.findValuesAsString("name"))
        .contains("demo:latest", "demo:q4", "demo:q6", "mine:latest", "tiny:latest")
        .doesNotContain("gone:latest", "short:latest", "far:latest", "painter:latest");
    for (String name : pelican.models.DemoModel.names()) {
      assertThat(server.post("/api/show", "{\"model\":\"" + name + "\"}").statusCode())
          .isEqualTo(200);
    }
    for (String alias : List.of("short", "mine")) {
      JsonNode answer =
          server.json(
              server.post(
                  "/api/generate",
                  "{\"model\":\""
                      + alias
                      + "\",\"prompt\":\"the\",\"stream\":false,"
                      + "\"options\":{\"num_predict\":3}}"));
      assertThat(answer.path("eval_count").asInt()).as(answer.toString()).isBetween(1, 3);
    }
    assertThat(server.post("/api/show", "{\"model\":\"gone\"}").statusCode()).isEqualTo(400);
    // A name means the same for copying and deleting.
    assertThat(
            server
                .post("/api/copy", "{\"source\":\"short\",\"destination\":\"copied\"}")
                .statusCode())
        .isEqualTo(200);
    assertThat(server.method("DELETE", "/api/delete", "{\"model\":\"copied\"}").statusCode())
        .isEqualTo(200);
  }

  @Test
  void whatNeverFitsTheMemoryIsRefused(@TempDir Path other) throws Exception {
    try (TestServer small = new TestServer(other, 8, Optional.empty(), true, 6 << 20)) {
      for (String endpoint : List.of("generate", "embed")) {
        HttpResponse<String> response =
            small.post("/api/" + endpoint, "{\"model\":\"demo\",\"input\":\"a\"}");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(503);
        assertThat(small.json(response).get("error").asString())
            .startsWith("model requires more system memory (");
      }
    }
  }
}
