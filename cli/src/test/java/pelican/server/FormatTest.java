package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pelican.engine.Model;
import pelican.grammar.JsonGrammar;
import pelican.models.DemoModel;
import pelican.sampling.Sampler;
import pelican.sampling.SamplingOptions;
import pelican.tokenizer.TokenDecoder;
import pelican.tokenizer.Tokenizer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Output bound by schemas satisfies them, whatever is drawn. */
@Timeout(600)
class FormatTest {
  private static final JsonMapper JSON = JsonMapper.shared();

  /** How many schemas are drawn; 2,000 take minutes. */
  private static final int SCHEMAS = Integer.getInteger("pelican.test.schemas", 200);

  private static final int TOKENS = 200;

  private static void validate(JsonNode schema, String text) {
    assertThat(Validator.errors(schema, text)).as(schema + " of " + text).isEmpty();
  }

  @Test
  void randomSchemasAreSatisfiedByRandomTokens(@TempDir Path folder) {
    try (Model model = Model.load(DemoModel.Q4_K_M.unpack(folder))) {
      Tokenizer tokenizer = model.tokenizer();
      Random random = new Random(11);
      float[] logits = new float[tokenizer.size()];
      int ended = 0;
      for (int i = 0; i < SCHEMAS; i++) {
        Map<String, Object> schema = new RandomSchemas(random).schema(3);
        SamplingOptions options = SamplingOptions.GEMMA.toBuilder().temperature(2).seed(i).build();
        Sampler sampler =
            new Sampler(options, JsonGrammar.of(schema).constraint(tokenizer, TOKENS));
        TokenDecoder decoder = tokenizer.decoder();
        StringBuilder text = new StringBuilder();
        for (int t = 0; t < TOKENS; t++) {
          for (int id = 0; id < logits.length; id++) {
            logits[id] = (float) random.nextGaussian() * 4;
          }
          int token = sampler.sample(logits, 0, logits.length);
          if (tokenizer.endOfGeneration().contains(token)) {
            ended++;
            break;
          }
          text.append(decoder.accept(token));
        }
        text.append(decoder.finish());
        validate(JSON.valueToTree(schema), text.toString());
      }
      // Some take all tokens, and then just end.
      assertThat(ended).isGreaterThan(SCHEMAS / 2);
    }
  }

  @Test
  void theServerAnswersAsTheFormatSays(@TempDir Path folder) throws Exception {
    try (TestServer server = new TestServer(folder)) {
      String schema =
          "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}},\"required\":[\"n\"]}";
      for (String format : List.of("\"json\"", schema)) {
        String rest =
            ",\"model\":\"demo\",\"stream\":false,\"options\":{\"temperature\":2,\"num_predict\":60},\"format\":"
                + format
                + "}";
        String chat =
            JSON.readTree(
                    server
                        .post(
                            "/api/chat",
                            "{\"think\":false,\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]"
                                + rest)
                        .body())
                .at("/message/content")
                .asString();
        String generate =
            JSON.readTree(
                    server.post("/api/generate", "{\"think\":false,\"prompt\":\"a\"" + rest).body())
                .at("/response")
                .asString();
        JsonNode wanted =
            format.equals(schema) ? JSON.readTree(schema) : JSON.readTree("{\"type\":\"object\"}");
        validate(wanted, chat);
        validate(wanted, generate);
      }
      assertThat(server.log.toString(StandardCharsets.UTF_8)).isEmpty();
    }
  }
}
