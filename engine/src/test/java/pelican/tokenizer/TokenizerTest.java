package pelican.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pelican.gguf.GgufFile;

class TokenizerTest {
  private static Tokenizer tiny() {
    return Vocabularies.tokenizer(Vocabularies.tiny());
  }

  private static Tokenizer real() {
    return Vocabularies.tokenizer(Vocabularies.real());
  }

  /** Prints times and judges none, but would not end if they grew with the square of the length. */
  @Test
  @Timeout(60)
  void timeGrowsWithTheLengthOnly() {
    encodeMegabytes(real());
  }

  @Test
  @Timeout(60)
  void timeGrowsWithTheLengthOnlyWithTheSmallVocabulary() {
    encodeMegabytes(tiny());
  }

  @Test
  @Timeout(60)
  void timeGrowsWithTheLengthOnlyWithScores(@TempDir Path folder) throws IOException {
    encodeMegabytes(Vocabularies.scored(folder, Vocabularies.tiny(), false));
  }

  private static void encodeMegabytes(Tokenizer tokenizer) {
    Random random = new Random(1);
    StringBuilder words = new StringBuilder();
    while (words.length() < 1_000_000) {
      int id = random.nextInt(tokenizer.size());
      words.append(tokenizer.text(id).replace('\u2581', ' '));
    }
    for (String text :
        List.of(
            words.toString(),
            "a".repeat(1_000_000),
            "t".repeat(1_000_000),
            " the".repeat(250_000),
            " ".repeat(1_000_000),
            "\t".repeat(1_000_000),
            "\n".repeat(1_000_000),
            "<".repeat(1_000_000),
            "<|turn".repeat(160_000),
            "<|turn>".repeat(140_000),
            "🙂".repeat(250_000))) {
      long start = System.nanoTime();
      int tokens = tokenizer.encode(text, true).length;
      String shown = text.substring(0, 8).replace('\n', ' ').replace('\t', ' ');
      System.out.printf(
          "%d tokens of \"%s…\" in %d ms%n",
          tokens, shown, (System.nanoTime() - start) / 1_000_000);
      assertThat(tokens).isPositive();
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
    String types = "tokenizer.ggml.token_type";
    int[] changed;
    try (GgufFile file = Vocabularies.tiny()) {
      changed = file.metadata().integers(types);
    }
    marks.forEach(mark -> changed[tokenizer.id(mark)] = Vocabulary.USER_DEFINED);
    Tokenizer other =
        Vocabularies.changed(folder, Vocabularies.tiny(), writer -> writer.put(types, changed));
    for (String mark : marks) {
      assertThat(other.encode(mark, true)).containsExactly(tokenizer.id(mark));
      assertThat(other.encode(mark, false)).containsExactly(tokenizer.encode(mark, false));
    }
    assertThat(other.endOfGeneration()).isEqualTo(tokenizer.endOfGeneration());
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
  void bordersOfSegmentsChangeNothing() {
    Tokenizer tokenizer = tiny();
    Random random = new Random(9);
    for (int i = 0; i < 3000; i++) {
      boolean control = random.nextBoolean();
      String text = promptLike(tokenizer, random);
      List<TextSegment> segments = new ArrayList<>();
      for (int at = 0; at < text.length(); ) {
        int to = Math.min(text.length(), text.offsetByCodePoints(at, 1) + random.nextInt(4));
        if (Character.isLowSurrogate(text.charAt(Math.min(to, text.length() - 1)))) {
          to++;
        }
        to = Math.min(to, text.length());
        segments.add(new TextSegment(text.substring(at, to), control));
        at = to;
      }
      assertThat(tokenizer.encode(segments)).containsExactly(tokenizer.encode(text, control));
    }
  }

  @Test
  void onlyMarksOfControlSegmentsBecomeControlTokens() {
    Tokenizer tokenizer = tiny();
    Random random = new Random(10);
    for (int i = 0; i < 3000; i++) {
      List<TextSegment> segments = new ArrayList<>();
      List<Integer> expected = new ArrayList<>();
      StringBuilder text = new StringBuilder();
      for (int j = random.nextInt(8); j > 0; j--) {
        if (random.nextBoolean()) {
          int id = tokenizer.id(random.nextBoolean() ? "<|turn>" : "<bos>");
          expected.add(id);
          segments.add(new TextSegment(tokenizer.text(id), true));
        } else {
          segments.add(new TextSegment(promptLike(tokenizer, random), false));
        }
        text.append(segments.getLast().text());
      }
      int[] ids = tokenizer.encode(segments);
      assertThat(IntStream.of(ids).filter(tokenizer::isControl).boxed().toList())
          .isEqualTo(expected);
      assertThat(tokenizer.decode(ids)).isEqualTo(text.toString());
    }
  }

  /** Words, marks, halves of marks and newlines. */
  private static String promptLike(Tokenizer tokenizer, Random random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(6); i > 0; i--) {
      switch (random.nextInt(5)) {
        case 0 -> text.append("<|turn>");
        case 1 -> text.append("<tur").append(random.nextBoolean() ? "n|>" : "");
        case 2 -> text.append("\n".repeat(random.nextInt(4)));
        case 3 -> text.append(random.nextBoolean() ? "🙂" : "<bos");
        default -> text.append(" the ").append((char) random.nextInt('a', 'z'));
      }
    }
    return text.toString();
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
