package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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
  private static final int SCHEMAS = Integer.getInteger("pelican.test.schemas", 2000);
  private static final int TOKENS = 120;

  private static void validate(JsonNode schema, String text) {
    Schema validator =
        SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12).getSchema(schema);
    assertThat(validator.validate(JSON.readTree(text))).as(schema + " of " + text).isEmpty();
  }

  @Test
  void randomSchemasAreSatisfiedByRandomTokens(@TempDir Path folder) {
    try (Model model = Model.load(DemoModel.Q4_K_M.unpack(folder))) {
      Tokenizer tokenizer = model.tokenizer();
      Random random = new Random(11);
      float[] logits = new float[tokenizer.size()];
      for (int i = 0; i < SCHEMAS; i++) {
        Map<String, Object> schema = schema(random, 3);
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
            break;
          }
          text.append(decoder.accept(token));
        }
        text.append(decoder.finish());
        validate(JSON.valueToTree(schema), text.toString());
      }
    }
  }

  private static Map<String, Object> schema(Random random, int depth) {
    Map<String, Object> map = new LinkedHashMap<>();
    switch (random.nextInt(depth == 0 ? 5 : 9)) {
      case 0 -> {
        map.put("type", "string");
        map.put("minLength", random.nextInt(4));
        map.put("maxLength", 4 + random.nextInt(9));
      }
      case 1 -> {
        int low = random.nextInt(4001) - 2000;
        map.put("type", "integer");
        map.put("minimum", low);
        map.put("maximum", low + random.nextInt(300));
      }
      case 2 -> {
        double low = (random.nextInt(4001) - 2000) / 100.0;
        map.put("type", "number");
        map.put("exclusiveMinimum", low);
        map.put("maximum", low + 0.5);
      }
      case 3 -> map.put("enum", List.of("a\"b", 7, true, List.of("é", 1.5)));
      case 4 -> map.put("type", List.of("boolean", "null"));
      case 5, 6 -> {
        Map<String, Object> properties = new LinkedHashMap<>();
        List<String> required = new ArrayList<>();
        int count = random.nextInt(4);
        for (int i = 0; i < count; i++) {
          String name = "p" + (i == 2 ? "1\n" : i);
          properties.put(name, schema(random, depth - 1));
          if (random.nextBoolean()) {
            required.add(name);
          }
        }
        map.put("type", "object");
        map.put("properties", properties);
        map.put("required", required);
        map.put("additionalProperties", random.nextBoolean() ? schema(random, 0) : false);
      }
      case 7 -> {
        map.put("type", "array");
        map.put("items", schema(random, depth - 1));
        map.put("minItems", random.nextInt(2));
        map.put("maxItems", 1 + random.nextInt(4));
      }
      default -> map.put("anyOf", List.of(schema(random, depth - 1), schema(random, depth - 1)));
    }
    return map;
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
