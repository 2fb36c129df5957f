package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pelican.models.DemoModel;
import pelican.models.Digest;
import pelican.models.ModelName;
import pelican.models.Modelfile;
import pelican.models.StoredModel;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code /api/blobs} and {@code /api/create}: what they make, and what they refuse. */
@Timeout(240)
class CreateTest {
  @TempDir private static Path folder;
  private static TestServer server;
  private static final String NO_MODEL = "no model at all";
  private List<Path> before;

  @BeforeAll
  static void start() throws Exception {
    server = new TestServer(folder);
    server.install("here", "tiny-Q4_K_M.gguf", "gemma4", "{}");
    uploadTiny();
    byte[] text = NO_MODEL.getBytes(StandardCharsets.UTF_8);
    upload(Digest.of(text).toString(), text);
  }

  @BeforeEach
  void look() throws IOException {
    before = blobs();
  }

  @AfterAll
  static void stop() {
    server.close();
    assertThat(server.log.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  private static byte[] tiny() throws IOException {
    return Files.readAllBytes(TestServer.GOLDEN.resolve("tiny-Q8_0.gguf"));
  }

  private static HttpResponse<String> upload(String digest, byte[] content) throws Exception {
    return server.send(
        server.request("/api/blobs/" + digest).POST(BodyPublishers.ofByteArray(content)));
  }

  private int head(String digest) throws Exception {
    return server.method("HEAD", "/api/blobs/" + digest, "").statusCode();
  }

  private static String uploadTiny() throws Exception {
    String digest = Digest.of(tiny()).toString();
    assertThat(upload(digest, tiny()).statusCode()).isIn(200, 201);
    return digest;
  }

  private static List<Path> blobs() throws IOException {
    Path blobs = server.store.root().resolve("blobs");
    if (!Files.exists(blobs)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(blobs)) {
      return files.toList();
    }
  }

  private StoredModel stored(String name) {
    return server.store.find(ModelName.parse(name)).orElseThrow();
  }

  @Test
  void blobsAreTakenWhenTheirDigestIsRight() throws Exception {
    byte[] content = "some content".getBytes(StandardCharsets.UTF_8);
    String digest = Digest.of(content).toString();
    assertThat(head(digest)).isEqualTo(404);
    HttpResponse<String> wrong = upload(digest, "other content".getBytes(StandardCharsets.UTF_8));
    assertThat(wrong.statusCode()).isEqualTo(400);
    assertThat(server.json(wrong).get("error").asString()).startsWith("digest mismatch");
    assertThat(blobs()).containsExactlyInAnyOrderElementsOf(before);
    HttpResponse<String> created = upload(digest, content);
    assertThat(created.statusCode()).isEqualTo(201);
    assertThat(created.body()).isEmpty();
    assertThat(head(digest)).isEqualTo(200);
    assertThat(server.store.blob(Digest.parse(digest))).hasBinaryContent(content);
    assertThat(upload(digest, content).statusCode()).isEqualTo(200);
    assertThat(blobs()).hasSize(before.size() + 1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sha256:12",
        "sha512:0000000000000000000000000000000000000000000000000000000000000000",
        "sha256:000000000000000000000000000000000000000000000000000000000000000g",
        "sha256:..%2f..%2f..%2fetc%2fpasswd",
        "..%5c..%5cetc"
      })
  void whatIsNoDigestIsRefused(String digest) throws Exception {
    HttpResponse<String> response = upload(digest, new byte[] {1});
    assertThat(response.statusCode()).isEqualTo(400);
    if (!digest.contains("%")) {
      // The HTTP server itself turns ambiguous paths away.
      assertThat(response.body()).isEqualTo("{\"error\":\"invalid digest format\"}");
      assertThat(head(digest)).isEqualTo(400);
    }
    assertThat(blobs()).containsExactlyInAnyOrderElementsOf(before);
  }

  @Test
  void blobsThatAreTooLargeOrBreakOffLeaveNothing() throws Exception {
    byte[] large = new byte[(int) TestServer.MAX_BLOB + 1];
    String digest = Digest.of(large).toString();
    String head =
        "POST /api/blobs/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
            .formatted(digest, large.length);
    try (Socket socket = new Socket("127.0.0.1", server.server.port())) {
      socket.setSoTimeout(30_000);
      socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      byte[] start = socket.getInputStream().readNBytes("HTTP/1.1 413".length());
      assertThat(new String(start, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 413");
    }
    // Without a stated length the limit shows while the content comes.
    HttpResponse<String> chunked =
        server.send(
            server
                .request("/api/blobs/" + digest)
                .POST(BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(large))));
    assertThat(chunked.statusCode()).isEqualTo(413);
    try (Socket socket = new Socket("127.0.0.1", server.server.port())) {
      String part = head.replace(Integer.toString(large.length), "1000") + "only this";
      socket.getOutputStream().write(part.getBytes(StandardCharsets.US_ASCII));
    }
    for (int i = 0; i < 200 && blobs().size() > before.size(); i++) {
      Thread.sleep(50);
    }
    assertThat(blobs()).containsExactlyInAnyOrderElementsOf(before);
    assertThat(head(digest)).isEqualTo(404);
  }

  @Test
  void makesAModelOfAFileStreaming() throws Exception {
    String digest = uploadTiny();
    HttpResponse<String> response =
        server.post(
            "/api/create",
            """
            {"model":"me/made:1","files":{"tiny.gguf":"%s"},
             "system":"You are made.","template":"{{ .Prompt }}","license":["One.","Two."],
             "parameters":{"temperature":0,"num_predict":5.0,"stop":["a","b"],"use_mmap":true},
             "messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi"}],
             "renderer":"gemma4","parser":"gemma4-no-thinking","requires":"0.20.0"}
            """
                .formatted(digest));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Type")).hasValue("application/x-ndjson");
    List<String> statuses =
        response
            .body()
            .lines()
            .map(line -> JsonMapper.shared().readTree(line).get("status").asString())
            .toList();
    assertThat(statuses)
        .startsWith("using existing layer " + digest)
        .anyMatch(status -> status.startsWith("creating new layer sha256:"))
        .endsWith("writing manifest", "success");
    StoredModel model = stored("me/made:1");
    assertThat(model.system()).contains("You are made.");
    assertThat(model.template()).contains("{{ .Prompt }}");
    assertThat(model.license()).contains("One.\nTwo.");
    assertThat(model.parameters())
        .isEqualTo(
            Map.of(
                "temperature", List.of("0.0"),
                "num_predict", List.of("5"),
                "stop", List.of("a", "b"),
                "use_mmap", List.of("true")));
    assertThat(model.config().get("parser").asString()).isEqualTo("gemma4-no-thinking");
    assertThat(model.config().get("requires").asString()).isEqualTo("0.20.0");
    assertThat(model.config().get("model_family").asString()).isEqualTo("gemma4");
    JsonNode answer =
        server.json(
            server.post(
                "/api/generate", "{\"model\":\"me/made:1\",\"prompt\":\"the\",\"stream\":false}"));
    assertThat(answer.get("eval_count").asInt()).as(answer.toString()).isBetween(1, 5);
  }

  @Test
  void makesAModelOfAnotherNotStreamingAndQuantizes() throws Exception {
    String digest = uploadTiny();
    String first =
        "{\"model\":\"base\",\"files\":{\"t.gguf\":\"%s\"},\"stream\":false,\"system\":\"One.\","
            + "\"parameters\":{\"top_k\":7}}";
    HttpResponse<String> response = server.post("/api/create", first.formatted(digest));
    assertThat(response.body()).isEqualTo("{\"status\":\"success\"}");
    assertThat(response.headers().firstValue("Content-Type")).hasValue("application/json");
    assertThat(stored("base").config().get("parser").asString()).isEqualTo("gemma4");
    response =
        server.post(
            "/api/create",
            "{\"name\":\"smaller\",\"from\":\"BASE\",\"quantize\":\"q4_0\",\"stream\":false}");
    assertThat(response.body()).isEqualTo("{\"status\":\"success\"}");
    StoredModel smaller = stored("smaller");
    assertThat(smaller.config().get("file_type").asString()).isEqualTo("Q4_0");
    assertThat(smaller.system()).contains("One.");
    assertThat(smaller.parameters()).containsEntry("top_k", List.of("7"));
    assertThat(Files.size(smaller.file())).isLessThan(tiny().length);
    // What is made of the demo model answers as it does, and is not said to do more.
    server.post(
        "/api/create",
        "{\"model\":\"sum\",\"from\":\"demo:q6\",\"parameters\":{\"temperature\":0}}");
    String question =
        "{\"model\":\"sum\",\"stream\":false,\"messages\":[{\"role\":\"user\","
            + "\"content\":\"What is 22 + 15?\"}]}";
    assertThat(
            server
                .json(server.post("/api/chat", question))
                .get("message")
                .get("content")
                .asString())
        .endsWith("37.");
    assertThat(server.json(server.post("/api/show", "{\"model\":\"sum\"}")).get("capabilities"))
        .hasSize(1);
  }

  private static List<JsonNode> lines(String body) {
    return body.lines().map(line -> JsonMapper.shared().readTree(line)).toList();
  }

  @Test
  void quantizingTellsHowFarItHasCome() throws Exception {
    HttpResponse<String> response =
        server.post(
            "/api/create", "{\"model\":\"told\",\"from\":\"demo:f16\",\"quantize\":\"Q8_0\"}");
    assertThat(response.body()).endsWith("{\"status\":\"success\"}\n");
    List<JsonNode> steps =
        lines(response.body()).stream()
            .filter(line -> line.path("status").asString().equals("quantizing to Q8_0"))
            .toList();
    assertThat(steps.getFirst().has("completed")).isFalse();
    List<Long> completed = steps.stream().skip(1).map(s -> s.get("completed").asLong()).toList();
    long total = Files.size(DemoModel.F16.unpack());
    assertThat(steps.stream().skip(1)).allMatch(step -> step.get("total").asLong() == total);
    assertThat(completed).isSorted().hasSizeGreaterThan(1).endsWith(total);
    assertThat(completed.getFirst()).isBetween(1L, total - 1);
  }

  private static String createRequest(String body) {
    return "POST /api/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
        + body.length()
        + "\r\n\r\n"
        + body;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theClientsLeavingEndsTheWork(boolean stream) throws Exception {
    String body =
        "{\"model\":\"left\",\"from\":\"demo:f16\",\"quantize\":\"Q4_K_M\",\"stream\":"
            + stream
            + "}";
    try (Socket socket = new Socket("127.0.0.1", server.server.port())) {
      socket.setSoTimeout(60_000);
      socket.getOutputStream().write(createRequest(body).getBytes(StandardCharsets.US_ASCII));
      if (stream) {
        BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
        while (!lines.readLine().contains("\"completed\"")) {
          assertThat(server.store.find(ModelName.parse("left"))).isEmpty();
        }
      } else {
        for (int i = 0; i < 6_000 && blobs().size() == before.size(); i++) {
          Thread.sleep(10);
        }
        assertThat(blobs()).as("the work has begun").hasSizeGreaterThan(before.size());
      }
    }
    for (int i = 0; i < 600 && blobs().size() > before.size(); i++) {
      Thread.sleep(50);
    }
    assertThat(blobs()).as("nothing is left").containsExactlyInAnyOrderElementsOf(before);
    assertThat(server.store.find(ModelName.parse("left"))).isEmpty();
  }

  @Test
  void copiesWhatTheProgramCarries() throws Exception {
    HttpResponse<String> same =
        server.post("/api/copy", "{\"source\":\"demo:q6\",\"destination\":\"demo:q6\"}");
    assertThat(same.statusCode()).isEqualTo(200);
    assertThat(server.store.find(ModelName.parse("demo:q6"))).isEmpty();
    for (int i = 0; i < 2; i++) {
      HttpResponse<String> copied =
          server.post("/api/copy", "{\"source\":\"demo:q6\",\"destination\":\"me/bird\"}");
      assertThat(copied.statusCode()).as(copied.body()).isEqualTo(200);
      assertThat(copied.body()).isEmpty();
    }
    assertThat(stored("me/bird").file()).hasSameBinaryContentAs(DemoModel.Q6_K.unpack());
    String question =
        ",\"stream\":false,\"options\":{\"temperature\":0},\"prompt\":\"What is 22 plus 15?\"}";
    List<String> answers = new ArrayList<>();
    for (String model : List.of("demo:q6", "me/bird")) {
      HttpResponse<String> answer =
          server.post("/api/generate", "{\"model\":\"" + model + "\"" + question);
      answers.add(server.json(answer).get("response").asString());
    }
    assertThat(answers.getFirst()).contains("37").isEqualTo(answers.getLast());
    HttpResponse<String> none =
        server.post("/api/copy", "{\"source\":\"demo:q9\",\"destination\":\"me/none\"}");
    assertThat(none.statusCode()).isEqualTo(404);
    assertThat(none.body()).isEqualTo("{\"error\":\"model \\\"demo:q9\\\" not found\"}");
  }

  private String rendered(String endpoint, String fields) throws Exception {
    HttpResponse<String> response =
        server.post(
            "/api/" + endpoint,
            "{\"model\":\"talk\",\"think\":false,\"_debug_render_only\":true," + fields + "}");
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return server.json(response).get("_debug_info").get("rendered_template").asString();
  }

  @Test
  void theMessagesOfAModelComeFirst() throws Exception {
    HttpResponse<String> created =
        server.post(
            "/api/create",
            "{\"model\":\"talk\",\"from\":\"here\",\"system\":\"S.\",\"messages\":["
                + "{\"role\":\"user\",\"content\":\"Q1\"},"
                + "{\"role\":\"assistant\",\"content\":\"A1\"}]}");
    assertThat(created.body()).endsWith("{\"status\":\"success\"}\n");
    String first = "<|turn>user\nQ1<turn|>\n<|turn>model\nA1<turn|>\n";
    String last = "<|turn>user\nQ2<turn|>\n<|turn>model\n";
    String system = "<bos><|turn>system\nS.<turn|>\n";
    String question = "{\"role\":\"user\",\"content\":\"Q2\"}";
    assertThat(rendered("chat", "\"messages\":[" + question + "]"))
        .isEqualTo(system + first + last);
    assertThat(rendered("generate", "\"prompt\":\"Q2\"")).isEqualTo(system + first + last);
    assertThat(rendered("generate", "\"prompt\":\"Q2\",\"system\":\"T.\""))
        .isEqualTo(system.replace("S.", "T.") + first + last);
    assertThat(rendered("generate", "\"prompt\":\"Q2\",\"context\":[2,3]"))
        .isEqualTo(system + last);
    assertThat(
            rendered(
                "chat", "\"messages\":[{\"role\":\"system\",\"content\":\"T.\"}," + question + "]"))
        .as("a request's own system message keeps the model's away")
        .doesNotContain("S.")
        .contains(first, "T.", last);
    JsonNode show = server.json(server.post("/api/show", "{\"model\":\"talk\"}"));
    assertThat(show.get("messages").toString())
        .isEqualTo(
            "[{\"role\":\"user\",\"content\":\"Q1\"},{\"role\":\"assistant\","
                + "\"content\":\"A1\"}]");
    assertThat(show.get("modelfile").asString())
        .contains(
            "SYSTEM \"\"\"S.\"\"\"\n",
            "RENDERER gemma4\n",
            "PARSER gemma4\n",
            "MESSAGE user \"\"\"Q1\"\"\"\n",
            "MESSAGE assistant \"\"\"A1\"\"\"\n");
    assertThat(Modelfile.parse(show.get("modelfile").asString(), "it").values("MESSAGE"))
        .containsExactly("Q1", "A1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | 400 | invalid model name",
        "{\"model\":\"a b\",\"from\":\"demo\"} | 400 | invalid model name",
        "{\"model\":\"m\"} | 400 | neither 'from' or 'files' was specified",
        "{\"model\":\"m\",\"files\":{}} | 400 | no files provided to convert",
        "{\"model\":\"m\",\"from\":\"/etc/passwd\"} | 400 | invalid model name",
        "{\"model\":\"m\",\"from\":\"../../x.gguf\"} | 400 | invalid model name",
        "{\"model\":\"m\",\"from\":\"GOLDEN\"} | 400 | invalid model name",
        "{\"model\":\"m\",\"from\":\"tiny-Q8_0.gguf\"} | 404 | model 'tiny-Q8_0.gguf' not found",
        "{\"model\":\"m\",\"from\":\"none\"} | 404 | model 'none' not found",
        "{\"model\":\"m\",\"from\":\"demo\",\"adapters\":{\"a\":\"DIGEST\"}} | 400 | adapters are"
            + " not supported",
        "{\"model\":\"m\",\"from\":\"demo\",\"files\":{\"a\":\"DIGEST\"}} | 400 | both 'from' and"
            + " 'files'",
        "{\"model\":\"m\",\"modelfile\":\"FROM /etc/passwd\"} | 400 | modelfile and path are not"
            + " supported",
        "{\"model\":\"m\",\"files\":{\"/a.gguf\":\"DIGEST\"}} | 400 | file path must be relative",
        "{\"model\":\"m\",\"files\":{\"a/../../b.gguf\":\"DIGEST\"}} | 400 | file path must be"
            + " relative",
        "{\"model\":\"m\",\"files\":{\"a.gguf\":\"../../etc/passwd\"}} | 400 | invalid digest"
            + " format",
        "{\"model\":\"m\",\"files\":{\"a.gguf\":7}} | 400 | expected a digest",
        "{\"model\":\"m\",\"files\":{\"a.safetensors\":\"DIGEST\"}} | 400 | safetensors are not"
            + " supported",
        "{\"model\":\"m\",\"files\":{\"a.gguf\":\"DIGEST\",\"b.gguf\":\"DIGEST\"}} | 400 | files"
            + " has 2 files, expected one",
        "{\"model\":\"m\",\"files\":{\"a.gguf\":\"NOWHERE\"}} | 400 | is not here",
        "{\"model\":\"m\",\"files\":{\"a.gguf\":\"TEXT\"}} | 400 | GGUF",
        "{\"model\":\"m\",\"from\":\"demo\",\"quantize\":\"Q1_X\"} | 400 | quantization \"Q1_X\" is"
            + " unknown",
        "{\"model\":\"m\",\"from\":\"demo\",\"parameters\":{\"top_k\":\"many\"}} | 400 | parameter"
            + " top_k is 'many', expected an integer",
        "{\"model\":\"m\",\"from\":\"demo\",\"parameters\":{\"top_k\":1e99}} | 400 | parameter"
            + " top_k is '1.0E+99', expected an integer",
        "{\"model\":\"m\",\"from\":\"demo\",\"parameters\":{\"top_k\":{}}} | 400 | expected plain"
            + " values",
        "{\"model\":\"m\",\"from\":\"demo\",\"parameters\":{\"nonsense\":1}} | 400 | unknown"
            + " parameter 'nonsense'",
        "{\"model\":\"m\",\"from\":\"demo\",\"messages\":[{\"role\":\"robot\",\"content\":\"a\"}]}"
            + " | 400 | has the role 'robot'",
        "{\"model\":\"m\",\"from\":\"demo\",\"messages\":[{\"role\":\"user\",\"images\":[\"a\"]}]}"
            + " | 400 | has images",
        "{\"model\":\"m\",\"from\":\"demo\",\"license\":[7]} | 400 | expected a string",
        "{\"model\":\"m\",\"from\":\"demo\",\"system\":7} | 400 | \"system\" is the number 7",
      })
  void refusesOtherRequests(String body, int status, String message) throws Exception {
    byte[] text = NO_MODEL.getBytes(StandardCharsets.UTF_8);
    String sent =
        body.replace("DIGEST", Digest.of(tiny()).toString())
            .replace("TEXT", Digest.of(text).toString())
            .replace("NOWHERE", Digest.of(new byte[1]).toString())
            .replace("GOLDEN", TestServer.GOLDEN.resolve("tiny-Q8_0.gguf").toString());
    HttpResponse<String> response = server.post("/api/create", sent);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(server.json(response).get("error").asString()).contains(message);
    assertThat(server.store.find(ModelName.parse("m"))).isEmpty();
    assertThat(blobs()).as("nothing is left behind").containsExactlyInAnyOrderElementsOf(before);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`` | 400 | missing request body",
        "{} | 400 | model is required",
        "{\"model\":\"a b\"} | 400 | invalid model name",
        "{\"model\":\"x\"} | 404 | model 'x' not found",
        "{\"model\":\"here\"} | 501 | push is not supported: this server publishes no models to"
            + " registries",
      })
  void pushIsRefused(String body, int status, String message) throws Exception {
    HttpResponse<String> response = server.post("/api/push", body);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(server.json(response).get("error").asString()).isEqualTo(message);
  }
}
