package pelican.grammar;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import pelican.gguf.GgufFile;
import pelican.sampling.TokenConstraint;
import pelican.tokenizer.Tokenizer;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * Prints what it costs to bind output by a schema, over the vocabulary of a file: {@code MaskCost
 * FILE.gguf [ANSWERS]}. Answers are drawn at random, one after the other on one thread; a schema's
 * first answer finds all masks, later ones mostly use them.
 */
final class MaskCost {
  private static final int TOKENS = 160;

  private static final Map<String, String> SCHEMAS = new LinkedHashMap<>();

  static {
    SCHEMAS.put("any object", "{}");
    SCHEMAS.put(
        "person",
        """
        {"type":"object","properties":{"name":{"type":"string","maxLength":40},
        "age":{"type":"integer","minimum":0,"maximum":130},"mail":{"type":"string","format":"email"},
        "tags":{"type":"array","items":{"type":"string"},"maxItems":4}},
        "required":["name","age","mail","tags"]}\
        """);
    SCHEMAS.put(
        "patterns",
        """
        {"type":"object","properties":{"code":{"type":"string","pattern":"^[A-Z]{3}-\\\\d{2,6}$"},
        "text":{"type":"string","pattern":"^\\\\w+( \\\\w+)*$","maxLength":200},
        "id":{"type":"string","format":"uuid"},"at":{"type":"string","format":"date-time"}},
        "required":["code","text","id","at"]}\
        """);
    SCHEMAS.put(
        "distinct",
        """
        {"type":"array","items":{"type":"string","maxLength":30},"uniqueItems":true,
        "minItems":3,"maxItems":8}\
        """);
    SCHEMAS.put(
        "names",
        """
        {"type":"object","patternProperties":{"^x-":{"type":"integer","multipleOf":5}},
        "additionalProperties":{"type":"string"},"minProperties":3}\
        """);
    SCHEMAS.put("contained", "{\"type\":\"string\",\"pattern\":\"colou?r\"}");
    SCHEMAS.put(
        "tree",
        """
        {"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"v":{"type":"number"},
        "next":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]}},"required":["v","next"]}}}\
        """);
  }

  private MaskCost() {}

  private static final class Times {
    private long[] nanos = new long[1024];
    private int count;

    void add(long value) {
      nanos = count == nanos.length ? Arrays.copyOf(nanos, 2 * count) : nanos;
      nanos[count++] = value;
    }

    String summary() {
      long[] sorted = Arrays.copyOf(nanos, count);
      Arrays.sort(sorted);
      return String.format(
          "%6d tokens, mean %7.3f ms, 99%% %7.3f ms, most %7.3f ms",
          count,
          Arrays.stream(sorted).average().orElse(0) / 1e6,
          sorted[count * 99 / 100] / 1e6,
          sorted[count - 1] / 1e6);
    }
  }

  public static void main(String[] args) throws IOException {
    int answers = args.length > 1 ? Integer.parseInt(args[1]) : 20;
    Tokenizer tokenizer;
    try (GgufFile file = GgufFile.open(Path.of(args[0]))) {
      tokenizer = Tokenizer.from(file.metadata());
    }
    Random random = new Random(1);
    float[] liking = new float[tokenizer.size()];
    for (int id = 0; id < liking.length; id++) {
      boolean ends = tokenizer.endOfGeneration().contains(id);
      String text = ends || tokenizer.isControl(id) ? "" : new String(tokenizer.bytes(id));
      liking[id] = ends || text.indexOf('"') >= 0 || text.matches("[\\]},]+") ? 3 : 0;
    }
    // Once without printing, so that the first schema is not the one that warms up the JVM.
    for (int round = 0; round < 2; round++) {
      for (Map.Entry<String, String> entry : SCHEMAS.entrySet()) {
        Map<String, Object> schema =
            JsonMapper.shared().readValue(entry.getValue(), new TypeReference<>() {});
        long before = System.nanoTime();
        JsonGrammar grammar = JsonGrammar.of(schema);
        long compiled = System.nanoTime() - before;
        Times first = new Times();
        Times later = new Times();
        for (int i = 0; i < answers; i++) {
          answer(
              grammar.constraint(tokenizer, TOKENS),
              tokenizer,
              liking,
              random,
              i == 0 ? first : later);
        }
        if (round == 1) {
          System.out.printf("%s: compiled in %.2f ms%n", entry.getKey(), compiled / 1e6);
          System.out.println("  first answer  " + first.summary());
          System.out.println("  later answers " + later.summary());
        }
      }
    }
  }

  private static void answer(
      TokenConstraint constraint, Tokenizer tokenizer, float[] liking, Random random, Times times) {
    float[] logits = new float[tokenizer.size()];
    for (int t = 0; t < TOKENS; t++) {
      int turn = random.nextInt(logits.length);
      for (int id = 0; id < logits.length; id++) {
        // Noise that is cheap: what is drawn need only differ.
        int mixed = (id + turn) * 0x9e3779b9;
        logits[id] = liking[id] + (mixed >>> 8) / (float) (1 << 22);
      }
      long before = System.nanoTime();
      constraint.mask(logits, 0, logits.length);
      long masked = System.nanoTime() - before;
      int best = 0;
      for (int id = 1; id < logits.length; id++) {
        best = logits[id] > logits[best] ? id : best;
      }
      before = System.nanoTime();
      constraint.accept(best);
      times.add(masked + System.nanoTime() - before);
      if (tokenizer.endOfGeneration().contains(best)) {
        break;
      }
    }
  }
}
