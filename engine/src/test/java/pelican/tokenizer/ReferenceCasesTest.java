package pelican.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * Token ids as the golden files give them for the real vocabulary, and as llama.cpp gives them for
 * the small one.
 */
class ReferenceCasesTest {
  @TempDir Path folder;

  @Test
  void realVocabularyWithMerges() throws IOException {
    agree(Vocabularies.tokenizer(Vocabularies.real()), "cases.json", "ids", 206);
  }

  @Test
  void realVocabularyWithScores() throws IOException {
    agree(Vocabularies.scored(folder, Vocabularies.real(), false), "cases.json", "ids", 206);
  }

  @Test
  void smallVocabularyWithMerges() throws IOException {
    agree(Vocabularies.tokenizer(Vocabularies.tiny()), "small-cases.json", "merges", 240);
  }

  @Test
  void smallVocabularyWithScores() throws IOException {
    Tokenizer tokenizer = Vocabularies.scored(folder, Vocabularies.tiny(), false);
    assertThat(tokenizer.addSpacePrefix()).isFalse();
    agree(tokenizer, "small-cases.json", "scores", 240);
  }

  @Test
  void smallVocabularyWithScoresAndSpacePrefix() throws IOException {
    Tokenizer tokenizer = Vocabularies.scored(folder, Vocabularies.tiny(), true);
    assertThat(tokenizer.addSpacePrefix()).isTrue();
    agree(tokenizer, "small-cases.json", "prefixed", 240);
  }

  @Test
  void mergesKnowNoSpacePrefix() throws IOException {
    Tokenizer tokenizer =
        Vocabularies.changed(
            folder,
            Vocabularies.tiny(),
            writer -> writer.put(Vocabularies.PREFIX + "add_space_prefix", true));
    agree(tokenizer, "small-cases.json", "merges", 240);
  }

  private static void agree(Tokenizer tokenizer, String file, String field, int count)
      throws IOException {
    try (InputStream in = ReferenceCasesTest.class.getResourceAsStream("/tokenizer/" + file)) {
      JsonNode cases = new ObjectMapper().readTree(in);
      assertThat(cases.size()).isEqualTo(count);
      for (JsonNode expected : cases) {
        String text = expected.get("text").asString();
        boolean special = expected.get("special").asBoolean();
        JsonNode ids = expected.get(field);
        assertThat(tokenizer.encode(text, special))
            .as("%s, special: %s", text, special)
            .containsExactly(IntStream.range(0, ids.size()).map(i -> ids.get(i).asInt()).toArray());
      }
    }
  }
}
