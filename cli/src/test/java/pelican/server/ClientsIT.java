package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.ollama.OllamaChatModel;
import dev.langchain4j.model.ollama.OllamaEmbeddingModel;
import dev.langchain4j.model.ollama.OllamaModels;
import dev.langchain4j.model.ollama.OllamaStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Clients that others wrote, against the served jar and the demo model. */
@Timeout(300)
class ClientsIT {
  private static final String MODEL = "demo:latest";
  private static final String QUESTION = "What is 3 plus 4?";
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final ToolSpecification ADD =
      ToolSpecification.builder()
          .name("add")
          .description("Adds two numbers")
          .parameters(
              JsonObjectSchema.builder()
                  .addNumberProperty("a")
                  .addNumberProperty("b")
                  .required("a", "b")
                  .build())
          .build();
  private static final ResponseFormat SUM =
      ResponseFormat.builder()
          .type(ResponseFormatType.JSON)
          .jsonSchema(
              JsonSchema.builder()
                  .name("sum")
                  .rootElement(
                      JsonObjectSchema.builder().addIntegerProperty("sum").required("sum").build())
                  .build())
          .build();

  @TempDir private static Path folder;
  private static ServedJar server;

  @BeforeAll
  static void start() throws Exception {
    ScriptedModel.install(folder.resolve("models"));
    server = ServedJar.start(folder);
  }

  @AfterAll
  static void stop() throws Exception {
    if (server != null) {
      server.close();
    }
  }

  private static Map<String, String> environment() {
    return Map.of(
        "PELICAN_URL", server.url(),
        "PELICAN_EMBEDDINGS", System.getProperty("pelican.it.embeddings", "false"),
        "PELICAN_FORMAT", System.getProperty("pelican.it.format", "false"));
  }

  @Test
  void ollamaForJavaScript() throws Exception {
    NodeTests.require(false);
    NodeTests.run("ollama.test.mjs", environment());
  }

  @Test
  @EnabledIfSystemProperty(named = "pelican.it.v1", matches = "true")
  void openAiForJavaScript() throws Exception {
    NodeTests.require(false);
    NodeTests.run("openai.test.mjs", environment());
  }

  private static ChatModel ollama(String model) {
    return OllamaChatModel.builder()
        .baseUrl(server.url())
        .modelName(model)
        .temperature(0.0)
        .numPredict(64)
        .think(false)
        .timeout(PATIENCE)
        .maxRetries(0)
        .build();
  }

  private static ChatModel openAi(String model) {
    return OpenAiChatModel.builder()
        .baseUrl(server.url() + "/v1")
        .apiKey("unused")
        .modelName(model)
        .temperature(0.0)
        .maxTokens(64)
        .reasoningEffort("none")
        .timeout(PATIENCE)
        .maxRetries(0)
        .build();
  }

  @Test
  void langChain4jOllamaListsAndShows() {
    OllamaModels models = OllamaModels.builder().baseUrl(server.url()).timeout(PATIENCE).build();
    assertThat(models.availableModels().content()).isNotNull();
    assertThat(models.modelCard(MODEL).content().getDetails().getFamily()).isEqualTo("gemma4");
  }

  @Test
  void langChain4jOllamaChats() throws Exception {
    StreamingChatModel streaming =
        OllamaStreamingChatModel.builder()
            .baseUrl(server.url())
            .modelName(MODEL)
            .temperature(0.0)
            .numPredict(64)
            .timeout(PATIENCE)
            .build();
    chatsAlike(ollama(MODEL), streaming);
  }

  @Test
  void langChain4jOllamaRoundTripsTools() {
    roundTripsTools(ollama(ScriptedModel.NAME));
  }

  @Test
  @EnabledIfSystemProperty(named = "pelican.it.embeddings", matches = "true")
  void langChain4jOllamaEmbeds() {
    embeds(
        OllamaEmbeddingModel.builder()
            .baseUrl(server.url())
            .modelName(MODEL)
            .timeout(PATIENCE)
            .maxRetries(0)
            .build());
  }

  @Test
  void langChain4jOllamaHearsOfAMissingModel() {
    ChatModel model = ollama("nowhere:1b");
    assertThatThrownBy(() -> model.chat(QUESTION))
        .isInstanceOf(ModelNotFoundException.class)
        .hasMessageContaining("model 'nowhere:1b' not found");
  }

  @Test
  @EnabledIfSystemProperty(named = "pelican.it.format", matches = "true")
  void langChain4jOllamaIsBoundByASchema() {
    isBoundByASchema(ollama(MODEL));
  }

  @Test
  @EnabledIfSystemProperty(named = "pelican.it.v1", matches = "true")
  void langChain4jOpenAiChats() throws Exception {
    StreamingChatModel streaming =
        OpenAiStreamingChatModel.builder()
            .baseUrl(server.url() + "/v1")
            .apiKey("unused")
            .modelName(MODEL)
            .temperature(0.0)
            .maxTokens(64)
            .timeout(PATIENCE)
            .build();
    chatsAlike(openAi(MODEL), streaming);
  }

  @Test
  @EnabledIfSystemProperty(named = "pelican.it.v1", matches = "true")
  void langChain4jOpenAiRoundTripsTools() {
    roundTripsTools(openAi(ScriptedModel.NAME));
  }

  @Test
  @EnabledIfSystemProperty(named = "pelican.it.v1", matches = "true")
  @EnabledIfSystemProperty(named = "pelican.it.embeddings", matches = "true")
  void langChain4jOpenAiEmbeds() {
    embeds(
        OpenAiEmbeddingModel.builder()
            .baseUrl(server.url() + "/v1")
            .apiKey("unused")
            .modelName(MODEL)
            .timeout(PATIENCE)
            .maxRetries(0)
            .build());
  }

  @Test
  @EnabledIfSystemProperty(named = "pelican.it.v1", matches = "true")
  @EnabledIfSystemProperty(named = "pelican.it.format", matches = "true")
  void langChain4jOpenAiIsBoundByASchema() {
    isBoundByASchema(openAi(MODEL));
  }

  private static void chatsAlike(ChatModel whole, StreamingChatModel streaming) throws Exception {
    ChatResponse response = whole.chat(ChatRequest.builder().messages(user()).build());
    assertThat(response.aiMessage().text()).isNotBlank();
    assertThat(response.tokenUsage().inputTokenCount()).isPositive();
    assertThat(response.tokenUsage().outputTokenCount()).isPositive();

    StringBuilder pieces = new StringBuilder();
    CompletableFuture<ChatResponse> end = new CompletableFuture<>();
    streaming.chat(
        QUESTION,
        new StreamingChatResponseHandler() {
          @Override
          public void onPartialResponse(String text) {
            pieces.append(text);
          }

          @Override
          public void onCompleteResponse(ChatResponse complete) {
            end.complete(complete);
          }

          @Override
          public void onError(Throwable error) {
            end.completeExceptionally(error);
          }
        });
    ChatResponse streamed = end.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    assertThat(streamed.aiMessage().text()).isEqualTo(response.aiMessage().text());
    assertThat(pieces).hasToString(response.aiMessage().text());
    assertThat(streamed.tokenUsage().outputTokenCount())
        .isEqualTo(response.tokenUsage().outputTokenCount());
  }

  private static void roundTripsTools(ChatModel model) {
    ChatResponse asked =
        model.chat(ChatRequest.builder().messages(user()).toolSpecifications(ADD).build());
    assertThat(asked.aiMessage().toolExecutionRequests()).hasSize(1);
    ToolExecutionRequest call = asked.aiMessage().toolExecutionRequests().getFirst();
    assertThat(call.name()).isEqualTo("add");
    JsonNode arguments = JsonMapper.shared().readTree(call.arguments());
    int sum = arguments.path("a").intValue() + arguments.path("b").intValue();
    List<ChatMessage> history =
        List.of(
            user(),
            asked.aiMessage(),
            ToolExecutionResultMessage.from(call, Integer.toString(sum)));
    ChatResponse answered =
        model.chat(ChatRequest.builder().messages(history).toolSpecifications(ADD).build());
    assertThat(answered.aiMessage().text()).isEqualTo("The sum is 7.");
  }

  private static void embeds(EmbeddingModel model) {
    List<Embedding> vectors =
        model.embedAll(List.of(TextSegment.from("one"), TextSegment.from("another"))).content();
    assertThat(vectors).hasSize(2).doesNotHaveDuplicates();
    for (Embedding vector : vectors) {
      double squares = 0;
      for (float value : vector.vector()) {
        squares += value * value;
      }
      assertThat(squares).isCloseTo(1, within(1e-3));
    }
  }

  private static void isBoundByASchema(ChatModel model) {
    String text =
        model
            .chat(ChatRequest.builder().messages(user()).responseFormat(SUM).build())
            .aiMessage()
            .text();
    assertThat(JsonMapper.shared().readTree(text).path("sum").isIntegralNumber()).isTrue();
  }

  private static UserMessage user() {
    return UserMessage.from(QUESTION);
  }
}
