package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
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

/** Status, text and fields of the endpoints that OpenAI's clients use. */
@Timeout(240)
class OpenAiContractTest {
  private static final String ASK =
      "\"messages\":[{\"role\":\"user\",\"content\":\"What is 22 + 15?\"}]";
  private static final String TOOLS =
      "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"add\",\"parameters\":"
          + "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"}}}}}]";

  @TempDir private static Path folder;
  private static TestServer server;

  @BeforeAll
  static void start() throws IOException {
    server = new TestServer(folder);
    server.install("tiny", "tiny-Q4_K_M.gguf", "gemma4", "{\"num_predict\":9}");
    ScriptedModel.install(server.store.root());
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
        "chat/completions | {} | 400 | model is required",
        "chat/completions | {\"model\":\"demo\"} | 400 | [] is too short - 'messages'",
        "chat/completions | {\"model\":\"demo\",\"messages\":[]} | 400 | [] is too short -"
            + " 'messages'",
        "chat/completions | {\"model\":\"no\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"
            + " | 404 | model 'no' not found",
        "chat/completions | {\"model\":\"demo\",\"messages\":[{\"role\":\"user\"}]} | 400 | invalid"
            + " message content type: null, expected a string or an array of parts",
        "chat/completions |"
            + " {\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}"
            + " | 400 | images are not supported: models are run on text alone",
        "chat/completions |"
            + " {\"model\":\"demo\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"7\"}}]}]}"
            + " | 400 | invalid tool call arguments",
        "chat/completions |"
            + " {\"model\":\"demo\",\"reasoning_effort\":\"much\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"
            + " | 400 | invalid reasoning value: 'much' (must be \"high\", \"medium\", \"low\","
            + " \"max\", or \"none\")",
        "chat/completions |"
            + " {\"model\":\"demo\",\"reasoning\":{\"effort\":\"low\"},\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"
            + " | 400 | \"demo:latest\" does not support thinking",
        "chat/completions |"
            + " {\"model\":\"demo\",\"response_format\":{\"type\":\"xml\"},\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"
            + " | 400 | \"response_format.type\" is 'xml', expected text, json_object or"
            + " json_schema",
        "chat/completions |"
            + " {\"model\":\"demo\",\"top_logprobs\":21,\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"
            + " | 400 | top_logprobs must be between 0 and 20",
        "completions | {\"model\":\"demo\"} | 400 | \"prompt\" is empty, expected a text",
        "completions | {\"model\":\"demo\",\"prompt\":[\"a\"]} | 400 | \"prompt\" is an array,"
            + " expected a string",
        "completions | {\"model\":\"demo\",\"prompt\":\"a\",\"suffix\":\"b\"} | 400 |"
            + " registry.ollama.ai/library/demo:latest does not support insert",
        "embeddings | {\"model\":\"demo\"} | 400 | invalid input",
        "embeddings | {\"model\":\"demo\",\"input\":[]} | 400 | invalid input",
        "embeddings | {\"model\":\"demo\",\"input\":[7]} | 400 | invalid input type",
        "embeddings | {\"model\":\"no\",\"input\":\"a\"} | 404 | model \"no\" not found, try"
            + " pulling it first",
        "embeddings | {\"model\":\"demo\",\"input\":\"a\",\"encoding_format\":\"hex\"} | 400 |"
            + " \"encoding_format\" is 'hex', expected float or base64",
      })
  void errors(String endpoint, String body, int status, String text) throws Exception {
    HttpResponse<String> response = server.post("/v1/" + endpoint, body);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    JsonNode error = server.json(response).get("error");
    assertThat(error.propertyNames()).containsExactly("message", "type", "param", "code");
    assertThat(error.get("message").asString()).isEqualTo(text);
    assertThat(error.get("type").asString())
        .isEqualTo(status == 404 ? "not_found_error" : "invalid_request_error");
    assertThat(error.get("param").isNull()).isTrue();
  }

  /** The objects of a stream of unnamed events that ends as it should. */
  private static List<JsonNode> chunks(HttpResponse<String> response) {
    assertThat(response.headers().firstValue("Content-Type")).hasValue("text/event-stream");
    List<String> events = List.of(response.body().split("\n\n"));
    assertThat(events.getLast()).isEqualTo("data: [DONE]");
    List<JsonNode> chunks = new ArrayList<>();
    for (String event : events.subList(0, events.size() - 1)) {
      assertThat(event).startsWith("data: {");
      chunks.add(JsonMapper.shared().readTree(event.substring(6)));
    }
    return chunks;
  }

  @Test
  void chatsWholeAndStreaming() throws Exception {
    String request = "{\"model\":\"demo\",\"temperature\":0," + ASK;
    HttpResponse<String> response = server.post("/v1/chat/completions", request + "}");
    assertThat(response.headers().firstValue("Content-Type")).hasValue("application/json");
    JsonNode whole = server.json(response);
    assertThat(whole.propertyNames())
        .containsExactly(
            "id", "object", "created", "model", "system_fingerprint", "choices", "usage");
    assertThat(whole.get("id").asString()).matches("chatcmpl-[0-9]{1,3}");
    assertThat(whole.get("object").asString()).isEqualTo("chat.completion");
    JsonNode choice = whole.get("choices").get(0);
    assertThat(choice.propertyNames()).containsExactly("index", "message", "finish_reason");
    assertThat(choice.get("message").propertyNames()).containsExactly("role", "content");
    String text = choice.get("message").get("content").asString();
    assertThat(text).isEqualTo("22 plus 15: 22 plus 10 is 32, and 32 plus 5 is 37.");
    JsonNode usage = whole.get("usage");
    assertThat(usage.get("total_tokens").asInt())
        .isEqualTo(usage.get("prompt_tokens").asInt() + usage.get("completion_tokens").asInt());

    List<JsonNode> chunks =
        chunks(
            server.post(
                "/v1/chat/completions",
                request
                    + ",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
                    + "\"logprobs\":true,\"top_logprobs\":1}"));
    StringBuilder joined = new StringBuilder();
    int probabilities = 0;
    for (int i = 0; i < chunks.size() - 2; i++) {
      JsonNode chunk = chunks.get(i);
      assertThat(chunk.propertyNames())
          .containsExactly("id", "object", "created", "model", "system_fingerprint", "choices");
      JsonNode delta = chunk.get("choices").get(0).get("delta");
      assertThat(delta.has("role")).isEqualTo(i == 0);
      assertThat(chunk.get("choices").get(0).get("finish_reason").isNull()).isTrue();
      joined.append(delta.get("content").asString());
      probabilities += chunk.at("/choices/0/logprobs/content").size();
    }
    assertThat(joined.toString()).isEqualTo(text);
    assertThat(probabilities).isGreaterThan(10);
    JsonNode end = chunks.get(chunks.size() - 2).get("choices").get(0);
    assertThat(end.get("delta").isEmpty()).isTrue();
    assertThat(end.get("finish_reason").asString()).isEqualTo("stop");
    assertThat(chunks.getLast().get("choices").isEmpty()).isTrue();
    assertThat(chunks.getLast().get("usage")).isEqualTo(usage);
  }

  @Test
  void limitsAreKept() throws Exception {
    for (String limit : List.of("max_tokens", "max_completion_tokens")) {
      JsonNode cut =
          server.json(
              server.post(
                  "/v1/chat/completions",
                  "{\"model\":\"demo\",\"temperature\":0,\"" + limit + "\":3," + ASK + "}"));
      assertThat(cut.at("/choices/0/finish_reason").asString()).isEqualTo("length");
      assertThat(cut.at("/usage/completion_tokens").asInt()).isEqualTo(3);
    }
    JsonNode stopped =
        server.json(
            server.post(
                "/v1/chat/completions",
                "{\"model\":\"demo\",\"temperature\":0,\"stop\":\" plus\"," + ASK + "}"));
    assertThat(stopped.at("/choices/0/message/content").asString()).isEqualTo("22");
    assertThat(stopped.at("/choices/0/finish_reason").asString()).isEqualTo("stop");
  }

  @Test
  void callsAreStringsOfJson() throws Exception {
    String request = "{\"model\":\"scripted\",\"reasoning_effort\":\"none\"," + ASK + "," + TOOLS;
    JsonNode whole = server.json(server.post("/v1/chat/completions", request + "}"));
    assertThat(whole.at("/choices/0/finish_reason").asString()).isEqualTo("tool_calls");
    List<JsonNode> chunks =
        chunks(server.post("/v1/chat/completions", request + ",\"stream\":true}"));
    assertThat(chunks.getLast().at("/choices/0/finish_reason").asString()).isEqualTo("tool_calls");
    JsonNode streamed =
        chunks.stream()
            .map(chunk -> chunk.at("/choices/0/delta/tool_calls/0"))
            .filter(JsonNode::isObject)
            .findFirst()
            .orElseThrow();
    for (JsonNode call : List.of(whole.at("/choices/0/message/tool_calls/0"), streamed)) {
      assertThat(call.propertyNames()).containsExactly("id", "index", "type", "function");
      assertThat(call.get("id").asString()).matches("call_[a-z0-9]{8}");
      assertThat(call.get("index").asInt()).isZero();
      assertThat(call.at("/function/arguments").asString()).isEqualTo("{\"a\":3,\"b\":4}");
    }
  }

  @Test
  void partsAndResultsOfToolsBecomeMessages() throws Exception {
    JsonNode json =
        server.json(
            server.post(
                "/v1/chat/completions",
                "{\"model\":\"tiny\",\"reasoning_effort\":\"none\",\"_debug_render_only\":true,"
                    + "\"messages\":[{\"role\":\"user\",\"content\":"
                    + "[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]},"
                    + "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\","
                    + "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1}\"}}]},"
                    + "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"r\"}]}"));
    assertThat(json.at("/_debug_info/rendered_template").asString())
        .isEqualTo(
            "<bos><|turn>system\nYou are a test.<turn|>\n"
                + "<|turn>user\na<turn|>\n<|turn>user\nb<turn|>\n"
                + "<|turn>model\n<|tool_call>call:f{x:1}<tool_call|>"
                + "<|tool_response>response:f{value:<|\"|>r<|\"|>}<tool_response|>");
  }

  @Test
  void completesWholeAndStreaming() throws Exception {
    String request = "{\"model\":\"demo\",\"temperature\":0,\"prompt\":\"What is 22 + 15?\"";
    JsonNode whole = server.json(server.post("/v1/completions", request + "}"));
    assertThat(whole.get("object").asString()).isEqualTo("text_completion");
    assertThat(whole.get("id").asString()).matches("cmpl-[0-9]{1,3}");
    JsonNode choice = whole.get("choices").get(0);
    assertThat(choice.propertyNames()).containsExactly("text", "index", "finish_reason");
    assertThat(choice.get("text").asString())
        .isEqualTo("22 plus 15: 22 plus 10 is 32, and 32 plus 5 is 37.");
    List<JsonNode> chunks =
        chunks(
            server.post(
                "/v1/completions",
                request + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}"));
    StringBuilder joined = new StringBuilder();
    for (JsonNode chunk : chunks.subList(0, chunks.size() - 1)) {
      assertThat(chunk.at("/usage/total_tokens").asInt()).isZero();
      joined.append(chunk.at("/choices/0/text").asString());
    }
    assertThat(joined.toString()).isEqualTo(choice.get("text").asString());
    assertThat(chunks.getLast().get("usage")).isEqualTo(whole.get("usage"));
  }

  @Test
  void embedsAsNumbersAndPacked() throws Exception {
    JsonNode numbers =
        server.json(
            server.post("/v1/embeddings", "{\"model\":\"demo\",\"input\":[\"a cat\",\"a dog\"]}"));
    assertThat(numbers.propertyNames()).containsExactly("object", "data", "model", "usage");
    JsonNode second = numbers.get("data").get(1);
    assertThat(second.propertyNames()).containsExactly("object", "embedding", "index");
    assertThat(second.get("index").asInt()).isEqualTo(1);
    JsonNode packed =
        server.json(
            server.post(
                "/v1/embeddings",
                "{\"model\":\"demo\",\"input\":\"a dog\",\"encoding_format\":\"BASE64\"}"));
    ByteBuffer bytes =
        ByteBuffer.wrap(Base64.getDecoder().decode(packed.at("/data/0/embedding").asString()))
            .order(ByteOrder.LITTLE_ENDIAN);
    assertThat(bytes.remaining()).isEqualTo(4 * second.get("embedding").size());
    for (JsonNode value : second.get("embedding")) {
      assertThat((double) bytes.getFloat()).isCloseTo(value.asDouble(), within(1e-4));
    }
  }

  @Test
  void listsModels(@TempDir Path other) throws Exception {
    JsonNode list = server.json(server.send(server.request("/v1/models")));
    assertThat(list.get("data").findValuesAsString("id"))
        .contains("tiny:latest", "demo:latest", "demo:q6");
    JsonNode one = server.json(server.send(server.request("/v1/models/tiny")));
    assertThat(one.propertyNames()).containsExactly("id", "object", "created", "owned_by");
    assertThat(one.get("id").asString()).isEqualTo("tiny");
    assertThat(one.get("owned_by").asString()).isEqualTo("library");
    HttpResponse<String> missing = server.send(server.request("/v1/models/no"));
    assertThat(missing.statusCode()).isEqualTo(404);
    assertThat(server.json(missing).at("/error/type").asString()).isEqualTo("not_found_error");
    try (TestServer empty = new TestServer(other, 8, Optional.empty(), false)) {
      assertThat(empty.send(empty.request("/v1/models")).body())
          .isEqualTo("{\"object\":\"list\",\"data\":null}");
    }
  }
}
