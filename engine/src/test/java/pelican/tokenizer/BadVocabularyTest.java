package pelican.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static pelican.tokenizer.Vocabularies.PREFIX;
import static pelican.tokenizer.Vocabularies.utf8;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pelican.gguf.GgufException;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufWriter;

/** Vocabularies that contradict themselves are refused in one line that says where. */
class BadVocabularyTest {
  @TempDir Path folder;

  private final List<byte[]> tokens = new ArrayList<>();
  private int[] types;

  BadVocabularyTest() {
    try (GgufFile file = Vocabularies.tiny()) {
      var strings = file.metadata().strings(PREFIX + "tokens");
      for (int id = 0; id < strings.size(); id++) {
        tokens.add(strings.bytes(id));
      }
      types = file.metadata().integers(PREFIX + "token_type");
    }
  }

  private void refused(Consumer<GgufWriter> change, String key, String... parts) {
    assertThatThrownBy(() -> Vocabularies.changed(folder, Vocabularies.tiny(), change))
        .isInstanceOf(GgufException.class)
        .hasMessageContaining("changed.gguf: metadata " + PREFIX + key)
        .hasMessageContainingAll(parts)
        .message()
        .doesNotContain("\n");
  }

  private int id(String token) {
    for (int id = 0; id < tokens.size(); id++) {
      if (Arrays.equals(tokens.get(id), utf8(token))) {
        return id;
      }
    }
    throw new AssertionError(token);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"model", "tokens", "token_type", "merges", "bos_token_id", "eos_token_id"})
  void keysThatMustBeThere(String key) {
    assertThatThrownBy(
            () -> Vocabularies.changed(folder, Vocabularies.tiny(), w -> {}, PREFIX + key))
        .isInstanceOf(GgufException.class)
        .hasMessageEndingWith("changed.gguf: metadata " + PREFIX + key + " is missing");
  }

  @Test
  void scoresMustBeThereWithoutMerges() {
    assertThatThrownBy(() ->
            Vocabularies.changed(
                folder,
                Vocabularies.tiny(),
                w -> w.put(PREFIX + "model", "llama"),
                PREFIX + "merges",
                PREFIX + "scores"))
        .isInstanceOf(GgufException.class)
        .hasMessageEndingWith(PREFIX + "scores is missing");
  }

  @Test
  void unknownKind() {
    refused(w -> w.put(PREFIX + "model", "gpt\n2"), "model", "'gpt\\u000a2'", "'gemma4' or");
    refused(w -> w.put(PREFIX + "model", 1f), "model", "a string");
  }

  @Test
  void arraysOfDifferentLength() {
    refused(w -> w.put(PREFIX + "tokens", List.<byte[]>of()), "tokens", "has 0 entries");
    refused(w -> w.put(PREFIX + "token_type", new int[511]), "token_type", "511", "512 tokens");
    for (float[] scores : List.of(new float[0], new float[511], new float[513])) {
      assertThatThrownBy(() ->
              Vocabularies.changed(
                  folder,
                  Vocabularies.tiny(),
                  w -> w.put(PREFIX + "model", "llama").put(PREFIX + "scores", scores),
                  PREFIX + "merges"))
          .isInstanceOf(GgufException.class)
          .hasMessageContaining("scores has " + scores.length + " entries, expected one for each");
    }
  }

  @Test
  void scoresThatAreNoNumber() {
    float[] scores = new float[512];
    scores[300] = Float.NaN;
    assertThatThrownBy(() ->
            Vocabularies.changed(
                folder,
                Vocabularies.tiny(),
                w -> w.put(PREFIX + "model", "llama").put(PREFIX + "scores", scores),
                PREFIX + "merges"))
        .isInstanceOf(GgufException.class)
        .hasMessageContaining(PREFIX + "scores[300] is NaN");
  }

  @ParameterizedTest
  @ValueSource(strings = {"bos_token_id", "eos_token_id", "unknown_token_id", "padding_token_id"})
  void idsOutsideTheVocabulary(String key) {
    refused(w -> w.putUint32(PREFIX + key, 512), key, "is 512, expected a token: 0 to 511");
    refused(w -> w.putUint32(PREFIX + key, -1), key, "4294967295");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 7, Integer.MAX_VALUE})
  void unknownTypes(int type) {
    types[7] = type;
    refused(w -> w.put(PREFIX + "token_type", types), "token_type[7]", "is " + type, "1 to 6");
  }

  @Test
  void mergesOfNoTokens() {
    for (String merge : List.of("t zz", "zz t", "zz zz")) {
      refused(
          w -> w.put(PREFIX + "merges", List.of(utf8("h e"), utf8(merge))),
          "merges[1]",
          "'" + merge + "'",
          "two tokens of the vocabulary");
    }
    for (String merge : List.of("", "t", "the", "the ", " t", " ")) {
      refused(
          w -> w.put(PREFIX + "merges", List.of(utf8(merge))),
          "merges[0]",
          "'" + merge + "'",
          "two tokens with a space between");
    }
  }

  @Test
  void twoTokensOfOneText() {
    tokens.set(400, tokens.get(300));
    refused(w -> w.put(PREFIX + "tokens", tokens), "tokens[400]", "token 300 has the same");
  }

  @Test
  void emptyTokensAreNeverMatched() throws IOException {
    int a = 10;
    tokens.set(a, new byte[0]);
    tokens.set(a + 1, new byte[0]);
    Tokenizer tokenizer =
        Vocabularies.changed(folder, Vocabularies.tiny(), w -> w.put(PREFIX + "tokens", tokens));
    assertThat(tokenizer.encode("the\n\nx", true)).doesNotContain(a, a + 1).isNotEmpty();
    assertThat(tokenizer.encode("", true)).isEmpty();
    assertThat(tokenizer.bytes(a)).isEmpty();
  }

  @Test
  void bytesThatAreNotCovered() throws IOException {
    int at = id("<0x41>");
    tokens.set(at, utf8("<0y41>"));
    refused(w -> w.put(PREFIX + "tokens", tokens), "tokens[" + at + "]", "'<0y41>'", "<0xFF>");
    types[at] = Vocabulary.NORMAL;
    assertThatThrownBy(() ->
            Vocabularies.changed(
                folder,
                Vocabularies.tiny(),
                w -> w.put(PREFIX + "tokens", tokens).put(PREFIX + "token_type", types),
                PREFIX + "unknown_token_id"))
        .isInstanceOf(GgufException.class)
        .hasMessageContainingAll("<0x41>", PREFIX + "unknown_token_id");
    Tokenizer tokenizer =
        Vocabularies.changed(
            folder,
            Vocabularies.tiny(),
            w -> w.put(PREFIX + "tokens", tokens).put(PREFIX + "token_type", types));
    // No character is dropped: where bytes cannot be written, each becomes the unknown token.
    assertThat(tokenizer.encode("日本", false))
        .containsExactly(tokenizer.id("<unk>"), tokenizer.id("<unk>"));
  }

  @Test
  void specialTokensWithoutEnd() {
    int at = 10;
    tokens.set(at, utf8("<".repeat(2000)));
    refused(w -> w.put(PREFIX + "tokens", tokens), "tokens[" + at + "]", "at most 1024 bytes");
  }

  @Test
  void tooManySpecialTokens() {
    int[] more = Arrays.copyOf(types, types.length + 1100);
    for (int id = types.length; id < more.length; id++) {
      tokens.add(utf8(String.format("%01000d", id)));
      more[id] = Vocabulary.USER_DEFINED;
    }
    refused(
        w -> w.put(PREFIX + "tokens", tokens).put(PREFIX + "token_type", more),
        "tokens",
        "bytes of control and user-defined tokens, expected at most 1048576");
  }
}
