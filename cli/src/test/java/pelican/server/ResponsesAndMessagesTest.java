package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Status, text, fields and events of {@code /v1/responses} and {@code /v1/messages}. */
@Timeout(240)
class ResponsesAndMessagesTest {
  private static final String QUESTION = "What is 22 + 15?";
  private static final String ANSWER = "22 plus 15: 22 plus 10 is 32, and 32 plus 5 is 37.";
  private static final String RESPONSE =
      "{\"model\":\"demo\",\"temperature\":0,\"input\":\"" + QUESTION + "\"";
  private static final String MESSAGE =
      "{\"model\":\"demo\",\"temperature\":0,\"max_tokens\":64,\"thinking\":{\"type\":\"enabled\","
          + "\"budget_tokens\":32},\"messages\":[{\"role\":\"user\",\"content\":\""
          + QUESTION
          + "\"}]";

  @TempDir private static Path folder;
  private static TestServer server;

  @BeforeAll
  static void start() throws IOException {
    server = new TestServer(folder);
    ScriptedModel.install(server.store.root());
  }

  @AfterAll
  static void stop() {
    server.close();
    assertThat(server.log.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  /** The objects of a stream of events whose names are their types. */
  private static List<JsonNode> events(HttpResponse<String> response) {
    assertThat(response.headers().firstValue("Content-Type")).hasValue("text/event-stream");
    List<JsonNode> events = new ArrayList<>();
    for (String event : response.body().split("\n\n")) {
      String[] lines = event.split("\n");
      assertThat(lines).hasSize(2);
      JsonNode data = JsonMapper.shared().readTree(lines[1].substring("data: ".length()));
      assertThat(lines[0]).isEqualTo("event: " + data.get("type").asString());
      events.add(data);
    }
    return events;
  }

  private static String joined(List<JsonNode> events, String type, String pointer) {
    StringBuilder text = new StringBuilder();
    for (JsonNode event : events) {
      if (event.get("type").asString().equals(type)) {
        text.append(event.at(pointer).asString());
      }
    }
    return text.toString();
  }

  private static List<String> types(List<JsonNode> events) {
    return events.stream().map(event -> event.get("type").asString()).distinct().toList();
  }

  @Test
  void responds() throws Exception {
    JsonNode whole = server.json(server.post("/v1/responses", RESPONSE + "}"));
    assertThat(whole.get("object").asString()).isEqualTo("response");
    assertThat(whole.get("status").asString()).isEqualTo("completed");
    assertThat(whole.get("output").size()).isEqualTo(1);
    assertThat(whole.at("/output/0").propertyNames())
        .containsExactly("id", "type", "status", "role", "content");
    assertThat(whole.at("/output/0/content/0/text").asString()).isEqualTo(ANSWER);
    JsonNode usage = whole.get("usage");
    assertThat(usage.get("total_tokens").asInt())
        .isEqualTo(usage.get("input_tokens").asInt() + usage.get("output_tokens").asInt());
    List<JsonNode> events = events(server.post("/v1/responses", RESPONSE + ",\"stream\":true}"));
    assertThat(types(events))
        .containsExactly(
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed");
    for (int i = 0; i < events.size(); i++) {
      assertThat(events.get(i).get("sequence_number").asInt()).isEqualTo(i);
    }
    assertThat(joined(events, "response.output_text.delta", "/delta")).isEqualTo(ANSWER);
    assertThat(events.getLast().at("/response/output/0/content/0/text").asString())
        .isEqualTo(ANSWER);
    JsonNode cut =
        server.json(server.post("/v1/responses", RESPONSE + ",\"max_output_tokens\":3}"));
    assertThat(cut.get("status").asString()).isEqualTo("incomplete");
    assertThat(cut.at("/incomplete_details/reason").asString()).isEqualTo("max_output_tokens");
  }

  @Test
  void respondsWithCallsAndToTheirResults() throws Exception {
    String tools =
        "\"reasoning\":{\"effort\":\"none\"},\"tools\":[{\"type\":\"function\",\"name\":\"add\","
            + "\"parameters\":{\"type\":\"object\",\"properties\":{}}}]";
    String request = "{\"model\":\"scripted\"," + tools + ",\"input\":";
    JsonNode asked = server.json(server.post("/v1/responses", request + "\"add\"}"));
    JsonNode call = asked.at("/output/0");
    assertThat(call.propertyNames())
        .containsExactly("id", "type", "status", "call_id", "name", "arguments");
    assertThat(call.get("arguments").asString()).isEqualTo("{\"a\":3,\"b\":4}");
    List<JsonNode> events =
        events(server.post("/v1/responses", request + "\"add\",\"stream\":true}"));
    assertThat(joined(events, "response.function_call_arguments.delta", "/delta"))
        .isEqualTo("{\"a\":3,\"b\":4}");
    JsonNode answered =
        server.json(
            server.post(
                "/v1/responses",
                request
                    + "[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\","
                    + "\"text\":\"add\"}]},"
                    + call
                    + ",{\"type\":\"function_call_output\",\"call_id\":"
                    + call.get("call_id")
                    + ",\"output\":\"7\"}]}"));
    assertThat(answered.at("/output/0/content/0/text").asString()).isEqualTo("The sum is 7.");
  }

  @Test
  void answersMessages() throws Exception {
    JsonNode whole = server.json(server.post("/v1/messages", MESSAGE + "}"));
    assertThat(whole.propertyNames())
        .containsExactly(
            "id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage");
    assertThat(whole.get("content").size()).isEqualTo(1);
    assertThat(whole.at("/content/0/text").asString()).isEqualTo(ANSWER);
    assertThat(whole.get("stop_reason").asString()).isEqualTo("end_turn");
    List<JsonNode> events = events(server.post("/v1/messages", MESSAGE + ",\"stream\":true}"));
    assertThat(types(events))
        .containsExactly(
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop");
    assertThat(joined(events, "content_block_delta", "/delta/text")).isEqualTo(ANSWER);
    assertThat(events.get(events.size() - 2).get("usage")).isEqualTo(whole.get("usage"));
  }

  @Test
  void usesToolsInMessages() throws Exception {
    String request =
        "{\"model\":\"scripted\",\"max_tokens\":64,\"thinking\":{\"type\":\"disabled\"},"
            + "\"tools\":[{\"name\":\"add\",\"input_schema\":{\"type\":\"object\"}}],"
            + "\"messages\":[{\"role\":\"user\",\"content\":\"add\"}";
    JsonNode asked = server.json(server.post("/v1/messages", request + "]}"));
    assertThat(asked.get("stop_reason").asString()).isEqualTo("tool_use");
    JsonNode use = asked.at("/content/0");
    assertThat(use.propertyNames()).containsExactly("type", "id", "name", "input");
    assertThat(use.at("/input/b").asInt()).isEqualTo(4);
    List<JsonNode> events = events(server.post("/v1/messages", request + "],\"stream\":true}"));
    assertThat(joined(events, "content_block_delta", "/delta/partial_json"))
        .isEqualTo("{\"a\":3,\"b\":4}");
    JsonNode answered =
        server.json(
            server.post(
                "/v1/messages",
                request
                    + ",{\"role\":\"assistant\",\"content\":["
                    + use
                    + "]},{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
                    + "\"tool_use_id\":"
                    + use.get("id")
                    + ",\"content\":[{\"type\":\"text\",\"text\":\"7\"}]}]}]}"));
    assertThat(answered.at("/content/0/text").asString()).isEqualTo("The sum is 7.");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "messages | {} | 400 | invalid_request_error | model is required",
        "messages | {\"model\":\"demo\",\"max_tokens\":1} | 400 | invalid_request_error | messages"
            + " is required",
        "messages | {\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]} | 400"
            + " | invalid_request_error | max_tokens is required and must be positive",
        "messages |"
            + " {\"model\":\"no\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"
            + " | 404 | not_found_error | model 'no' not found",
        "messages |"
            + " {\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\"}]}]}"
            + " | 400 | invalid_request_error | images are not supported: models are run on text"
            + " alone",
        "responses | {\"model\":\"demo\"} | 400 | invalid_request_error | \"input\" is empty,"
            + " expected a text or items",
        "responses | {\"model\":\"demo\",\"input\":\"a\",\"previous_response_id\":\"r\"} | 400 |"
            + " invalid_request_error | \"previous_response_id\" is not supported: send the whole"
            + " conversation as \"input\"",
        "responses | {\"model\":\"no\",\"stream\":true,\"input\":\"a\"} | 404 | not_found_error |"
            + " model 'no' not found",
      })
  void errors(String endpoint, String body, int status, String type, String text) throws Exception {
    HttpResponse<String> response = server.post("/v1/" + endpoint, body);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    JsonNode json = server.json(response);
    assertThat(json.at("/error/type").asString()).isEqualTo(type);
    assertThat(json.at("/error/message").asString()).isEqualTo(text);
    assertThat(json.has("type")).isEqualTo(endpoint.equals("messages"));
  }
}
