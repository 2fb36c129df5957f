package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Status, text and fields of Ollama's own endpoints. */
@Timeout(240)
class OllamaContractTest {
  @TempDir private static Path folder;
  private static TestServer server;

  @BeforeAll
  static void start() throws IOException {
    server = new TestServer(folder);
    server.install("tiny", "tiny-Q4_K_M.gguf", "gemma4", "{\"temperature\":0,\"num_predict\":9}");
    server.install("me/plain:1", "tiny-Q8_0.gguf", "passthrough", "{}");
  }

  @AfterAll
  static void stop() {
    server.close();
    assertThat(server.log.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "generate | {\"model\":\"\"} | 404 | model '' not found",
        "chat | {\"model\":\"\"} | 400 | model is required",
        "show | {\"model\":\"\"} | 400 | model is required",
        "pull | {\"model\":\"\"} | 400 | invalid model name",
        "copy | {\"source\":\"\",\"destination\":\"b\"} | 400 | source \"\" is invalid",
        "copy | {\"source\":\"tiny\",\"destination\":\"a b\"} | 400 | destination \"a b\" is"
            + " invalid",
        "generate | {\"model\":\"../../etc\"} | 400 | invalid model name",
        "chat | {\"model\":\"../../etc\"} | 400 | invalid model name",
        "show | {\"model\":\"a b\"} | 400 | invalid model name",
        "pull | {\"model\":\"a b\"} | 400 | invalid model name",
        "generate | {\"model\":\"x\"} | 404 | model 'x' not found",
        "chat | {\"model\":\"x\"} | 404 | model 'x' not found",
        "show | {\"model\":\"x\"} | 404 | model 'x:latest' not found",
        "copy | {\"source\":\"x\",\"destination\":\"y\"} | 404 | model \"x\" not found",
        "chat | {\"model\":\"tiny\",\"top_logprobs\":21} | 400 | top_logprobs must be between 0 and"
            + " 20",
        "generate | {\"model\":\"tiny\",\"top_logprobs\":-1} | 400 | top_logprobs must be between 0"
            + " and 20",
        "chat |"
            + " {\"model\":\"demo\",\"think\":true,\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"
            + " | 400 | \"demo:latest\" does not support thinking",
        "chat |"
            + " {\"model\":\"demo\",\"tools\":[{\"function\":{\"name\":\"f\"}}],\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"
            + " | 400 | registry.ollama.ai/library/demo:latest does not support tools",
        "generate | {\"model\":\"tiny\",\"prompt\":\"a\",\"suffix\":\"b\"} | 400 |"
            + " registry.ollama.ai/library/tiny:latest does not support insert",
        "generate | {\"model\":\"tiny\",\"prompt\":\"a\",\"raw\":true,\"system\":\"s\"} | 400 | raw"
            + " mode does not support template, system, or context",
        "generate | {\"model\":\"tiny\",\"prompt\":\"a\",\"raw\":true,\"context\":[1]} | 400 | raw"
            + " mode does not support template, system, or context",
        "chat | {\"model\":\"tiny\",\"options\":{\"num_ctx\":\"4\"}} | 500 | option \"num_ctx\""
            + " must be of type integer",
        "embed | {\"model\":\"\"} | 404 | model '' not found",
        "embed | {\"model\":\"a b\"} | 400 | invalid model name",
        "embed | {\"model\":\"x\"} | 404 | model \"x\" not found, try pulling it first",
        "embed | {\"model\":\"demo\",\"input\":7} | 400 | invalid input type",
        "embed | {\"model\":\"demo\",\"input\":[7]} | 400 | invalid input type",
        "embed | {\"model\":\"demo\",\"input\":\"a b c d e f g"
            + " h\",\"truncate\":false,\"options\":{\"num_ctx\":4}} | 400 | the input length"
            + " exceeds the context length",
        "embeddings | {\"model\":\"\"} | 400 | model is required",
        "embeddings | {\"model\":\"x\"} | 404 | model \"x\" not found, try pulling it first",
        "chat | {\"model\":\"a:local:cloud\"} | 400 | use either :local or :cloud, not both",
      })
  void errors(String endpoint, String body, int status, String text) throws Exception {
    HttpResponse<String> response = server.post("/api/" + endpoint, body);
    assertThat(response.body())
        .isEqualTo(JsonMapper.shared().writeValueAsString(java.util.Map.of("error", text)));
    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(response.headers().firstValue("Content-Type"))
        .hasValue("application/json; charset=utf-8");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "chat | {\"model\":\"tiny\",\"think\":\"some\"} | 400 | invalid think value",
        "chat | {\"model\":\"tiny\",\"format\":7} | 500 | invalid format:",
        "chat | {\"model\":\"tiny\",\"keep_alive\":\"300\"} | 400 | missing unit",
        "chat | {\"model\":\"tiny\",\"keep_alive\":true} | 400 | keep_alive",
        "chat | {\"model\":\"tiny\",\"options\":{\"temperature\":-1}} | 400 | temperature is -1",
        "chat | {\"model\":\"tiny\",\"options\":{\"num_ctx\":2147483648}} | 400 | num_ctx is"
            + " 2147483648",
        "chat | {\"model\":\"tiny\",\"options\":{\"num_ctx\":1e999999999}} | 400 | num_ctx",
        "chat | {\"model\":\"tiny\",\"options\":{\"temperature\":NaN}} | 400 | invalid JSON",
        "chat | {\"model\":7} | 400 | \"model\" is the number 7",
        "chat | {\"model\":\"tiny\" | 400 | invalid JSON",
        "chat | {\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"images\":[\"aa\"]}]} | 400 |"
            + " images are not supported",
        "chat |"
            + " {\"model\":\"tiny\",\"format\":{\"contains\":{}},\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"
            + " | 400 | format: schema at #: keyword 'contains' is not supported",
        "push | {\"model\":\"tiny\"} | 501 | push is not supported",
      })
  void errorsThatSay(String endpoint, String body, int status, String part) throws Exception {
    HttpResponse<String> response = server.post("/api/" + endpoint, body);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(server.json(response).get("error").asString()).contains(part);
  }

  @Test
  void emptyBodiesUnknownPathsAndWrongMethods() throws Exception {
    for (String endpoint : List.of("generate", "chat", "show", "pull", "copy")) {
      HttpResponse<String> response = server.post("/api/" + endpoint, "");
      assertThat(response.statusCode()).isEqualTo(400);
      assertThat(response.body()).isEqualTo("{\"error\":\"missing request body\"}");
    }
    HttpResponse<String> unknown = server.post("/nothing", "");
    assertThat(unknown.statusCode()).isEqualTo(404);
    assertThat(unknown.body()).isEqualTo("404 page not found");
    HttpResponse<String> wrong = server.post("/api/tags", "");
    assertThat(wrong.statusCode()).isEqualTo(405);
    assertThat(wrong.body()).isEqualTo("405 method not allowed");
    assertThat(server.method("HEAD", "/api/ps", "").statusCode()).isEqualTo(405);
    assertThat(server.method("HEAD", "/", "").statusCode()).isEqualTo(200);
    assertThat(server.send(server.request("/")).body()).isEqualTo("Ollama is running");
    assertThat(server.send(server.request("/api/tags/")).statusCode()).isEqualTo(301);
    HttpResponse<String> large =
        server.post("/api/chat", "{\"model\":\"" + "a".repeat(1 << 20) + "\"}");
    assertThat(large.statusCode()).isEqualTo(413);
    assertThat(server.post("/api/chat", "[".repeat(100_000)).statusCode()).isEqualTo(400);
    assertThat(
            server
                .send(
                    server
                        .request("/api/chat")
                        .header("Content-Encoding", "gzip")
                        .POST(java.net.http.HttpRequest.BodyPublishers.ofString("x")))
                .statusCode())
        .isEqualTo(415);
  }

  @Test
  void chatStreamsAndNot() throws Exception {
    String question = "\"messages\":[{\"role\":\"user\",\"content\":\"What is 22 + 15?\"}]";
    HttpResponse<String> whole =
        server.post(
            "/api/chat",
            "{\"model\":\"demo\",\"stream\":false,\"options\":{\"temperature\":0},"
                + question
                + "}");
    JsonNode answer = server.json(whole);
    assertThat(answer.propertyNames())
        .contains(
            "model",
            "created_at",
            "message",
            "done",
            "done_reason",
            "total_duration",
            "prompt_eval_count",
            "eval_count");
    String text = answer.get("message").get("content").asString();
    assertThat(text).isEqualTo("22 plus 15: 22 plus 10 is 32, and 32 plus 5 is 37.");
    assertThat(answer.get("done_reason").asString()).isEqualTo("stop");
    HttpResponse<String> streamed =
        server.post(
            "/api/chat", "{\"model\":\"demo\",\"options\":{\"temperature\":0}," + question + "}");
    assertThat(streamed.headers().firstValue("Content-Type")).hasValue("application/x-ndjson");
    StringBuilder joined = new StringBuilder();
    JsonNode last = null;
    for (String line : streamed.body().lines().toList()) {
      last = JsonMapper.shared().readTree(line);
      joined.append(last.get("message").get("content").asString());
    }
    assertThat(joined.toString()).isEqualTo(text);
    assertThat(last.get("done").asBoolean()).isTrue();
    assertThat(server.send(server.request("/metrics")).body())
        .containsPattern("pelican_cached_tokens_total [1-9]");
  }

  @Test
  void generateGivesContextLogprobsAndKeepsToItsLimits() throws Exception {
    JsonNode answer =
        server.json(
            server.post(
                "/api/generate",
                "{\"model\":\"tiny\",\"prompt\":\"the\",\"stream\":false,\"think\":false,"
                    + "\"logprobs\":true,\"top_logprobs\":2}"));
    assertThat(answer.get("eval_count").asInt()).isBetween(1, 9);
    assertThat(answer.get("context").size()).isGreaterThan(1);
    JsonNode first = answer.get("logprobs").get(0);
    assertThat(first.propertyNames()).contains("token", "logprob", "bytes", "top_logprobs");
    assertThat(first.get("top_logprobs").size()).isEqualTo(2);
    assertThat(first.get("logprob").asDouble())
        .isEqualTo(first.get("top_logprobs").get(0).get("logprob").asDouble());
  }

  @Test
  void loadsListsAndUnloads() throws Exception {
    JsonNode load = server.json(server.post("/api/generate", "{\"model\":\"me/plain:1\"}"));
    assertThat(load.get("done_reason").asString()).isEqualTo("load");
    JsonNode ps = server.json(server.send(server.request("/api/ps"))).get("models");
    assertThat(ps.findValuesAsString("name")).contains("me/plain:1");
    assertThat(ps.get(0).propertyNames())
        .containsExactlyInAnyOrder(
            "name",
            "model",
            "size",
            "digest",
            "details",
            "expires_at",
            "size_vram",
            "context_length");
    JsonNode unload =
        server.json(
            server.post(
                "/api/chat", "{\"model\":\"me/plain:1\",\"messages\":[],\"keep_alive\":0}"));
    assertThat(unload.get("done_reason").asString()).isEqualTo("unload");
    assertThat(
            server
                .json(server.send(server.request("/api/ps")))
                .get("models")
                .findValuesAsString("name"))
        .doesNotContain("me/plain:1");
  }

  @Test
  void listsShowsCopiesAndDeletes() throws Exception {
    assertThat(
            server
                .post("/api/copy", "{\"source\":\"tiny\",\"destination\":\"me/other\"}")
                .statusCode())
        .isEqualTo(200);
    JsonNode tags = server.json(server.send(server.request("/api/tags"))).get("models");
    assertThat(tags.findValuesAsString("name"))
        .contains("tiny:latest", "me/other:latest", "demo:latest", "demo:q6");
    assertThat(tags.get(0).propertyNames())
        .containsExactlyInAnyOrder(
            "name", "model", "modified_at", "size", "digest", "details", "capabilities");
    JsonNode show = server.json(server.post("/api/show", "{\"model\":\"me/other\"}"));
    assertThat(show.propertyNames())
        .contains(
            "modelfile",
            "parameters",
            "system",
            "details",
            "model_info",
            "capabilities",
            "modified_at");
    assertThat(show.get("model_info").get("general.architecture").asString()).isEqualTo("gemma4");
    HttpResponse<String> deleted =
        server.method("DELETE", "/api/delete", "{\"model\":\"me/other\"}");
    assertThat(deleted.statusCode()).isEqualTo(200);
    assertThat(deleted.body()).isEmpty();
    HttpResponse<String> again = server.method("DELETE", "/api/delete", "{\"model\":\"me/other\"}");
    assertThat(again.statusCode()).isEqualTo(404);
    assertThat(again.body()).isEqualTo("{\"error\":\"model 'me/other' not found\"}");
  }

  @Test
  void embeds() throws Exception {
    JsonNode both =
        server.json(
            server.post("/api/embed", "{\"model\":\"demo\",\"input\":[\"a cat\",\"a dog sat\"]}"));
    assertThat(both.propertyNames())
        .contains("model", "embeddings", "total_duration", "prompt_eval_count");
    JsonNode vector = both.get("embeddings").get(1);
    assertThat(vector.size()).isEqualTo(256);
    assertThat(length(vector)).isCloseTo(1, within(1e-5));
    JsonNode plain =
        server
            .json(server.post("/api/embeddings", "{\"model\":\"demo\",\"prompt\":\"a dog sat\"}"))
            .get("embedding");
    double scale = length(plain);
    for (int i = 0; i < 256; i++) {
      assertThat(plain.get(i).asDouble() / scale).isCloseTo(vector.get(i).asDouble(), within(1e-4));
    }
    JsonNode cut =
        server
            .json(
                server.post(
                    "/api/embed", "{\"model\":\"demo\",\"input\":\"a cat\",\"dimensions\":16}"))
            .get("embeddings")
            .get(0);
    assertThat(cut.size()).isEqualTo(16);
    assertThat(length(cut)).isCloseTo(1, within(1e-5));
    JsonNode none = server.json(server.post("/api/embed", "{\"model\":\"demo\"}"));
    assertThat(none.get("embeddings").size()).isZero();
  }

  private static double length(JsonNode vector) {
    double squares = 0;
    for (JsonNode value : vector) {
      squares += value.asDouble() * value.asDouble();
    }
    return Math.sqrt(squares);
  }

  @Test
  void rendersWithoutRunning() throws Exception {
    JsonNode json =
        server.json(
            server.post(
                "/api/chat",
                "{\"model\":\"tiny\",\"think\":false,\"_debug_render_only\":true,"
                    + "\"messages\":[{\"role\":\"user\",\"content\":\"<turn|>Hi\"}]}"));
    assertThat(json.get("_debug_info").get("rendered_template").asString())
        .isEqualTo(
            "<bos><|turn>system\n"
                + "You are a test.<turn|>\n"
                + "<|turn>user\n"
                + "<turn|>Hi<turn|>\n"
                + "<|turn>model\n");
  }

  /** Sends bytes as they are and returns the first line of the answer. */
  private static String raw(TestServer to, String text) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", to.server.port())) {
      socket.setSoTimeout(30_000);
      socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  @Test
  void guardsHostsOriginsAndKeys(@TempDir Path other) throws Exception {
    String end = "Connection: close\r\n\r\n";
    assertThat(raw(server, "GET /api/tags HTTP/1.1\r\nHost: evil.com\r\n" + end)).contains(" 403 ");
    assertThat(raw(server, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + end)).contains(" 200 ");
    String origin = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin: ";
    assertThat(raw(server, origin + "http://evil.com\r\n" + end)).contains(" 403 ");
    assertThat(raw(server, origin + "http://localhost.evil\r\n" + end)).contains(" 403 ");
    assertThat(raw(server, origin + "https://lab.example\r\n" + end))
        .contains(" 200 ", "Access-Control-Allow-Origin: https://lab.example");
    assertThat(
            raw(
                server,
                "OPTIONS /api/chat HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:3000\r\n"
                    + end))
        .contains(" 204 ", "Access-Control-Max-Age: 43200");
    try (TestServer locked = new TestServer(other, 8, Optional.of("s3cret"), false)) {
      assertThat(locked.send(locked.request("/api/tags")).statusCode()).isEqualTo(401);
      assertThat(
              locked
                  .send(locked.request("/api/tags").header("Authorization", "Bearer wrong"))
                  .statusCode())
          .isEqualTo(401);
      HttpResponse<String> open =
          locked.send(locked.request("/api/tags").header("Authorization", "Bearer s3cret"));
      assertThat(open.body()).isEqualTo("{\"models\":[]}");
    }
  }

  @Test
  void aHeaderThatDripsIsCutOff() throws Exception {
    assertThat(raw(server, "GET / HTTP/1.1\r\nHost: local")).isEmpty();
  }
}
