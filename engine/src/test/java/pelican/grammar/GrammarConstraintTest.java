package pelican.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import pelican.engine.Model;
import pelican.engine.PelicanException;
import pelican.sampling.Sampler;
import pelican.sampling.SamplingOptions;
import pelican.sampling.TokenConstraint;
import pelican.tokenizer.Tokenizer;

class GrammarConstraintTest {
  private static final Path TINY = Path.of("src/test/resources/golden/tiny-Q4_K_M.gguf");

  private static final Map<String, Object> SCHEMA =
      Map.of(
          "type",
          "object",
          "properties",
          Map.of("an", Map.of("type", "string", "maxLength", 9), "on", Map.of("type", "number")),
          "additionalProperties",
          Map.of("type", List.of("integer", "array", "null")));

  private static final List<Map<String, Object>> SCHEMAS =
      List.of(
          SCHEMA,
          Map.of("type", "string", "pattern", "^(an|on|[a-c]{2,5}é?)+$", "maxLength", 12),
          Map.of("type", "object", "minProperties", 3, "maxProperties", 4),
          Map.of(
              "type",
              "array",
              "items",
              Map.of("type", List.of("string", "integer")),
              "uniqueItems",
              true,
              "minItems",
              3),
          Map.of(
              "type",
              "object",
              "properties",
              Map.of("xa", Map.of("type", "null")),
              "patternProperties",
              Map.of("^x", Map.of("const", 1), "y$", Map.of("type", "integer", "multipleOf", 7)),
              "additionalProperties",
              false,
              "minProperties",
              2),
          Map.of());

  private static List<Integer> allowed(TokenConstraint constraint, int vocabulary) {
    float[] logits = new float[vocabulary + 1];
    constraint.mask(logits, 1, vocabulary);
    List<Integer> allowed = new ArrayList<>();
    for (int i = 0; i < vocabulary; i++) {
      if (logits[i + 1] == 0) {
        allowed.add(i);
      }
    }
    return allowed;
  }

  /** Every mask against trying each token by itself from the beginning of the text. */
  @Test
  void masksAreThoseOfBruteForce() {
    try (Model model = Model.load(TINY)) {
      Tokenizer tokenizer = model.tokenizer();
      Random random = new Random(3);
      for (int run = 0; run < 12; run++) {
        Node root = new SchemaCompiler(SCHEMAS.get(run / 2 % SCHEMAS.size())).compile();
        long left = run % 2 == 0 ? 30 : 1_000;
        MaskCache masks = new MaskCache(tokenizer);
        TokenConstraint constraint = new GrammarConstraint(root, masks, left);
        State state = State.start(root, new State.Pool());
        for (int step = 0; step < 40; step++) {
          long most = Math.max(left - 1, state.shortest - 1);
          List<Integer> possible = new ArrayList<>();
          // A token in which a name ends and another begins may be left out.
          List<Integer> needed = new ArrayList<>();
          for (int id = 0; id < tokenizer.size(); id++) {
            if (tokenizer.endOfGeneration().contains(id)) {
              if (state.complete()) {
                possible.add(id);
                needed.add(id);
              }
            } else if (!tokenizer.isControl(id) && tokenizer.bytes(id).length > 0) {
              byte[] bytes = tokenizer.bytes(id);
              State after = read(state, bytes);
              if (!after.dead() && after.shortest <= most) {
                possible.add(id);
                if (bytes.length == 1 || most > 100 && !text(bytes).contains("\"")) {
                  needed.add(id);
                }
              }
            }
          }
          List<Integer> asked =
              IntStream.range(0, tokenizer.size()).filter(constraint::allows).boxed().toList();
          assertThat(asked).isEqualTo(possible);
          List<Integer> allowed = allowed(constraint, tokenizer.size());
          assertThat(possible).containsAll(allowed);
          assertThat(allowed).containsAll(needed).isNotEmpty();
          int token = allowed.get(random.nextInt(allowed.size()));
          constraint.accept(token);
          left--;
          if (tokenizer.endOfGeneration().contains(token)) {
            break;
          }
          state = read(state, tokenizer.bytes(token));
        }
      }
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static State read(State state, byte[] bytes) {
    for (byte value : bytes) {
      state = state.step(value & 0xff);
    }
    return state;
  }

  @Test
  void textsAreCompleteWithinTheTokensLeft() {
    try (Model model = Model.load(TINY)) {
      Tokenizer tokenizer = model.tokenizer();
      Random random = new Random(5);
      for (int tokens : new int[] {2, 3, 8, 21, 60}) {
        for (int run = 0; run < 20; run++) {
          JsonGrammar grammar = JsonGrammar.of(Map.of());
          TokenConstraint constraint = grammar.constraint(tokenizer, tokens);
          ByteArrayOutputStream text = new ByteArrayOutputStream();
          for (int i = 0; i < tokens; i++) {
            List<Integer> allowed = allowed(constraint, tokenizer.size());
            int token = allowed.get(random.nextInt(allowed.size()));
            constraint.accept(token);
            if (tokenizer.endOfGeneration().contains(token)) {
              break;
            }
            text.writeBytes(tokenizer.bytes(token));
          }
          assertThat(grammar.matches(text.toByteArray()))
              .as(text.toString(StandardCharsets.UTF_8))
              .isTrue();
        }
      }
    }
  }

  /** What is drawn against masking first and taking the likeliest, over whole answers. */
  @Test
  void likeliestTokensAreThoseOfMasks() {
    try (Model model = Model.load(TINY)) {
      Tokenizer tokenizer = model.tokenizer();
      int vocabulary = tokenizer.size();
      // No names or elements that have to differ: of tokens that end one, masks leave some out.
      List<Map<String, Object>> schemas =
          List.of(
              SCHEMAS.get(1),
              Map.of(
                  "type",
                  "array",
                  "items",
                  Map.of("type", List.of("string", "number", "boolean")),
                  "minItems",
                  2));
      for (int run = 0; run < 20; run++) {
        JsonGrammar grammar = JsonGrammar.of(schemas.get(run % schemas.size()));
        TokenConstraint masking = grammar.constraint(tokenizer, 40);
        Sampler sampler = new Sampler(SamplingOptions.GREEDY, grammar.constraint(tokenizer, 40));
        Random random = new Random(run);
        for (int step = 0; step < 40; step++) {
          float[] logits = new float[vocabulary];
          for (int i = 0; i < vocabulary; i++) {
            logits[i] = (float) random.nextGaussian();
          }
          float[] masked = logits.clone();
          masking.mask(masked, 0, vocabulary);
          int best = 0;
          for (int i = 1; i < vocabulary; i++) {
            best = masked[i] > masked[best] ? i : best;
          }
          assertThat(sampler.sample(logits, 0, vocabulary)).isEqualTo(best);
          masking.accept(best);
          if (tokenizer.endOfGeneration().contains(best)) {
            break;
          }
        }
      }
    }
  }

  @Test
  void refusesTokensThatMayNotCome() {
    try (Model model = Model.load(TINY)) {
      Tokenizer tokenizer = model.tokenizer();
      TokenConstraint constraint = JsonGrammar.of(Map.of()).constraint(tokenizer, 9);
      int end = tokenizer.endOfGeneration().iterator().next();
      assertThatThrownBy(() -> constraint.accept(end)).isInstanceOf(PelicanException.class);
      constraint.accept(tokenizer.encode("{", false)[0]);
      constraint.accept(tokenizer.encode("}", false)[0]);
      assertThat(allowed(constraint, tokenizer.size()))
          .containsExactlyInAnyOrderElementsOf(tokenizer.endOfGeneration());
    }
  }
}
