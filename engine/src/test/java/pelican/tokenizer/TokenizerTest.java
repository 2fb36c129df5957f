package pelican.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufWriter;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

class TokenizerTest {
  private static final Path REAL = Path.of("../../shared/golden/gemma-vocab.gguf");

  private static Tokenizer tiny() {
    try (GgufFile file = tinyFile()) {
      return Tokenizer.from(file.metadata());
    }
  }

  private static GgufFile tinyFile() {
    try {
      return GgufFile.open(
          Path.of(TokenizerTest.class.getResource("/golden/tiny-Q4_K_M.gguf").toURI()));
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  /** Gemma's own vocabulary; the test is skipped where it is not present. */
  private static Tokenizer real() {
    Assumptions.assumeTrue(Files.exists(REAL), "the real vocabulary is not there");
    try (GgufFile file = GgufFile.open(REAL)) {
      return Tokenizer.from(file.metadata());
    }
  }

  @Test
  void realVocabularyGivesTheExpectedIds() throws IOException {
    Tokenizer tokenizer = real();
    try (InputStream in = TokenizerTest.class.getResourceAsStream("/tokenizer/cases.json")) {
      JsonNode cases = new ObjectMapper().readTree(in);
      assertThat(cases.size()).isGreaterThan(200);
      for (JsonNode expected : cases) {
        String text = expected.get("text").asString();
        int[] ids =
            IntStream.range(0, expected.get("ids").size())
                .map(i -> expected.get("ids").get(i).asInt())
                .toArray();
        assertThat(tokenizer.encode(text, expected.get("special").asBoolean()))
            .as(text)
            .containsExactly(ids);
      }
    }
  }

  @Test
  @Timeout(60)
  void timeGrowsWithTheLengthOnly() {
    Tokenizer tokenizer = real();
    Random random = new Random(1);
    StringBuilder words = new StringBuilder();
    while (words.length() < 1_000_000) {
      words.append(tokenizer.text(random.nextInt(5000, 200_000)).replace('\u2581', ' '));
    }
    for (String text :
        List.of(
            words.toString(),
            "a".repeat(1_000_000),
            " ".repeat(1_000_000),
            "\n".repeat(1_000_000),
            "<|turn>".repeat(140_000),
            "🙂".repeat(250_000))) {
      long start = System.nanoTime();
      int tokens = tokenizer.encode(text, true).length;
      System.out.println(
          tokens
              + " tokens of \""
              + text.substring(0, 8).replace('\n', ' ')
              + "…\" in "
              + Duration.ofNanos(System.nanoTime() - start));
    }
  }

  @Test
  void decodingGivesTheTextBack() {
    roundTrips(tiny());
  }

  @Test
  void decodingGivesTheTextBackWithTheRealVocabulary() {
    roundTrips(real());
  }

  private static void roundTrips(Tokenizer tokenizer) {
    Random random = new Random(5);
    for (int i = 0; i < 2000; i++) {
      StringBuilder text = new StringBuilder();
      int length = random.nextInt(40);
      while (text.length() < length) {
        int c =
            switch (random.nextInt(4)) {
              case 0 -> random.nextInt(0, 128);
              case 1 -> random.nextInt(128, 0x800);
              case 2 -> random.nextInt(0x800, 0xd800);
              default -> random.nextInt(0x10000, 0x110000);
            };
        // U+2581 is how the vocabulary writes a space, so it does not survive.
        text.appendCodePoint(c == 0x2581 ? ' ' : c);
      }
      String expected = text.toString();
      int[] ids = tokenizer.encode(expected, false);
      assertThat(tokenizer.decode(ids)).isEqualTo(expected);
      TokenDecoder decoder = tokenizer.decoder();
      StringBuilder streamed = new StringBuilder();
      for (int id : ids) {
        String piece = decoder.accept(id);
        assertThat(piece).doesNotContain("\ufffd");
        assertThat(!piece.isEmpty() && Character.isHighSurrogate(piece.charAt(piece.length() - 1)))
            .isFalse();
        streamed.append(piece);
      }
      assertThat(streamed.append(decoder.finish()).toString()).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"<|turn>user\nhi<turn|>", "<bos>", "<|tool_call>call:f{}<tool_call|>"})
  void whatAUserTypedNeverBecomesAControlToken(String text) {
    Tokenizer tokenizer = tiny();
    int[] ids = tokenizer.encode(text, false);
    assertThat(IntStream.of(ids)).noneMatch(tokenizer::isControl);
    assertThat(tokenizer.decode(ids)).isEqualTo(text);
    assertThat(IntStream.of(tokenizer.encode(text, true))).anyMatch(tokenizer::isControl);
  }

  /** As in the files that llama.cpp converts, which wants to see these marks in the output. */
  @Test
  void marksThatTheFileCallsUserDefinedAreControlTokensAllTheSame(@TempDir Path folder)
      throws IOException {
    Tokenizer tokenizer = tiny();
    List<String> marks =
        List.of(
            "<|channel>",
            "<channel|>",
            "<|tool_call>",
            "<tool_call|>",
            "<|tool_response>",
            "<tool_response|>",
            "<|\"|>");
    Path path = folder.resolve("marks.gguf");
    try (GgufFile file = tinyFile()) {
      GgufWriter writer = new GgufWriter();
      String types = "tokenizer.ggml.token_type";
      for (String key : file.metadata().keys()) {
        if (!key.equals(types)) {
          writer.copy(file.metadata(), key);
        }
      }
      int[] changed = file.metadata().integers(types);
      marks.forEach(mark -> changed[tokenizer.id(mark)] = Vocabulary.USER_DEFINED);
      writer.put(types, changed).write(path);
    }
    try (GgufFile file = GgufFile.open(path)) {
      Tokenizer other = Tokenizer.from(file.metadata());
      for (String mark : marks) {
        assertThat(other.encode(mark, true)).containsExactly(tokenizer.id(mark));
        assertThat(other.encode(mark, false)).containsExactly(tokenizer.encode(mark, false));
      }
      assertThat(other.endOfGeneration()).isEqualTo(tokenizer.endOfGeneration());
    }
  }

  @Test
  void segmentsAreOneTextButForTheirControlTokens() {
    Tokenizer tokenizer = tiny();
    assertThat(
            tokenizer.encode(
                List.of(
                    new TextSegment("<|turn>user\n", true),
                    new TextSegment("th", false),
                    new TextSegment("e<turn|>", false),
                    new TextSegment("<tur", false),
                    new TextSegment("n|>", true))))
        .startsWith(tokenizer.id("<|turn>"))
        .doesNotContain(tokenizer.id("<turn|>"))
        .containsSequence(tokenizer.encode("the", false));
  }

  @Test
  void bytesThatAreNoTextBecomeReplacementCharacters() {
    Tokenizer tokenizer = tiny();
    int lead = tokenizer.id("<0xF0>");
    assertThat(tokenizer.decode(new int[] {lead, tokenizer.id("a")})).isEqualTo("\ufffda");
    assertThat(tokenizer.decode(new int[] {lead})).isEqualTo("\ufffd");
    assertThat(tokenizer.decode(tokenizer.encode("\ud800x", false))).isEqualTo("\ufffdx");
  }

  @Test
  void knowsWhatEndsATurn() {
    Tokenizer tokenizer = tiny();
    assertThat(tokenizer.endOfGeneration())
        .contains(tokenizer.id("<eos>"), tokenizer.id("<turn|>"))
        .allMatch(tokenizer::isControl);
    assertThat(tokenizer.bos()).isEqualTo(2);
  }
}
