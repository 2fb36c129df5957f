package pelican.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import pelican.chat.Message;
import pelican.sampling.LogProbabilities;
import pelican.sampling.SamplingOptions;
import pelican.sampling.TokenConstraint;
import pelican.tokenizer.Tokenizer;

@Timeout(120)
class SessionTest {
  private static final GenerationOptions GREEDY =
      GenerationOptions.DEFAULT.withSampling(SamplingOptions.GREEDY).withMaxTokens(12);

  private static Model model;

  @BeforeAll
  static void load() throws URISyntaxException {
    model = Model.load(Path.of(SessionTest.class.getResource("/golden/tiny-Q4_K_M.gguf").toURI()));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static int[] randomPrompt(int length, long seed) {
    Random random = new Random(seed);
    int[] prompt = new int[length];
    prompt[0] = model.tokenizer().bos();
    for (int i = 1; i < length; i++) {
      prompt[i] = 363 + random.nextInt(140);
    }
    return prompt;
  }

  @Test
  void whatAPromptSharesWithTheOneBeforeIsNotComputedAgain() {
    int[] first = randomPrompt(30, 1);
    int[] longer = new int[50];
    System.arraycopy(randomPrompt(50, 2), 0, longer, 0, 50);
    System.arraycopy(first, 0, longer, 0, 30);
    Session session = model.newSession();
    Generation before = session.generate(first, GREEDY, token -> {});
    assertThat(before.cachedTokens()).isZero();
    Generation after = session.generate(longer, GREEDY, token -> {});
    assertThat(after.cachedTokens()).isGreaterThanOrEqualTo(30);
    assertThat(after.tokens())
        .isEqualTo(model.newSession().generate(longer, GREEDY, token -> {}).tokens());
    // The same prompt again: all but its last token is there.
    Generation again = session.generate(longer, GREEDY, token -> {});
    assertThat(again.cachedTokens()).isEqualTo(49);
    assertThat(again.tokens()).isEqualTo(after.tokens());
    // A shorter one that parts early, further back than the window of the sliding layers.
    assertThat(session.generate(first, GREEDY, token -> {}).tokens()).isEqualTo(before.tokens());
  }

  @Test
  void sessionsThatRunAtOnceGiveWhatEachGivesAlone() {
    List<int[]> prompts = new ArrayList<>();
    List<Generation> alone = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      prompts.add(randomPrompt(10 + 60 * i, 100 + i));
      alone.add(model.newSession().generate(prompts.get(i), GREEDY, token -> {}));
    }
    List<CompletableFuture<Generation>> together =
        prompts.stream()
            .map(prompt ->
                CompletableFuture.supplyAsync(
                    () -> model.newSession().generate(prompt, GREEDY, token -> {}),
                    task -> Thread.ofPlatform().start(task)))
            .toList();
    for (int i = 0; i < 6; i++) {
      assertThat(together.get(i).join().tokens())
          .as("prompt " + i)
          .isEqualTo(alone.get(i).tokens());
    }
  }

  @Test
  void whoTakesLongWithATokenDoesNotStopOthers() {
    int[] prompt = randomPrompt(10, 6);
    Generation alone = model.newSession().generate(prompt, GREEDY, token -> {});
    List<Generation> others = new ArrayList<>();
    Generation slow =
        model
            .newSession()
            .generate(
                prompt,
                GREEDY,
                token -> {
                  if (others.isEmpty()) {
                    others.add(model.newSession().generate(prompt, GREEDY, ignored -> {}));
                  }
                });
    assertThat(others.get(0).tokens()).isEqualTo(alone.tokens());
    assertThat(slow.tokens()).isEqualTo(alone.tokens());
  }

  @Test
  void cancellingEndsWithinAToken() {
    Session session = model.newSession();
    List<Integer> seen = new ArrayList<>();
    Generation generation =
        session.generate(
            randomPrompt(10, 5),
            GREEDY.withMaxTokens(1000),
            token -> {
              seen.add(token.id());
              if (seen.size() == 3) {
                session.cancel();
              }
            });
    assertThat(generation.reason()).isEqualTo(FinishReason.CANCELLED);
    assertThat(generation.tokens()).hasSize(3);
    assertThat(session.generate(randomPrompt(10, 5), GREEDY, token -> {}).reason())
        .isNotEqualTo(FinishReason.CANCELLED);
  }

  @Test
  void aFullContextEndsTheAnswer() {
    Session session = model.newSession(20);
    Generation generation =
        session.generate(randomPrompt(15, 6), GREEDY.withMaxTokens(-1), token -> {});
    assertThat(generation.reason()).isEqualTo(FinishReason.LENGTH);
    assertThat(generation.tokens()).hasSize(6);
    assertThatThrownBy(() -> session.generate(randomPrompt(21, 6), GREEDY, token -> {}))
        .isInstanceOf(PelicanException.class)
        .hasMessage("the prompt has 21 tokens, but the context holds 20 (num_ctx)");
  }

  @Test
  void aStopStringEndsTheAnswerBeforeIt() {
    int[] prompt = randomPrompt(12, 7);
    String whole = model.newSession().generate(prompt, GREEDY, token -> {}).text();
    String stop = whole.substring(whole.length() / 2, whole.length() / 2 + 2);
    StringBuilder streamed = new StringBuilder();
    Generation generation =
        model
            .newSession()
            .generate(
                prompt, GREEDY.withStop(List.of(stop)), token -> streamed.append(token.text()));
    assertThat(generation.reason()).isEqualTo(FinishReason.STOP);
    assertThat(generation.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
    assertThat(streamed.toString()).isEqualTo(generation.text());
  }

  @Test
  void theSameSeedGivesTheSameAnswer() {
    GenerationOptions options = GREEDY.withSampling(new SamplingOptions.Builder().seed(3).build());
    int[] prompt = randomPrompt(12, 8);
    assertThat(model.newSession().generate(prompt, options, token -> {}).tokens())
        .isEqualTo(model.newSession().generate(prompt, options, token -> {}).tokens());
  }

  @Test
  void probabilitiesComeOnRequest() {
    List<GeneratedToken> tokens = new ArrayList<>();
    model
        .newSession()
        .generate(randomPrompt(12, 9), GREEDY.withTopLogProbabilities(3), tokens::add);
    assertThat(tokens).isNotEmpty();
    GeneratedToken first = tokens.getFirst();
    assertThat(first.alternatives()).hasSize(3);
    assertThat(first.alternatives().getFirst().token()).isEqualTo(first.id());
    assertThat(first.logProbability())
        .isEqualTo(first.alternatives().getFirst().logProbability())
        .isNegative();
  }

  @Test
  void probabilitiesAreThoseOfTheModelWhateverAConstraintForbids() {
    List<GeneratedToken> free = new ArrayList<>();
    GenerationOptions options = GREEDY.withTopLogProbabilities(3).withMaxTokens(1);
    model.newSession().generate(randomPrompt(12, 9), options, free::add);
    List<LogProbabilities.Entry> likeliest = free.getFirst().alternatives();
    int second = likeliest.get(1).token();
    TokenConstraint notTheFirst =
        new TokenConstraint() {
          @Override
          public void mask(float[] logits, int offset, int vocabulary) {
            logits[offset + likeliest.getFirst().token()] = Float.NEGATIVE_INFINITY;
          }

          @Override
          public boolean allows(int token) {
            return token != likeliest.getFirst().token();
          }

          @Override
          public void accept(int token) {
            assertThat(token).isEqualTo(second);
          }
        };
    List<GeneratedToken> bound = new ArrayList<>();
    model
        .newSession()
        .generate(randomPrompt(12, 9), options.withConstraint(notTheFirst), bound::add);
    assertThat(bound.getFirst().id()).isEqualTo(second);
    assertThat(bound.getFirst().logProbability()).isEqualTo(likeliest.get(1).logProbability());
    assertThat(bound.getFirst().alternatives()).isEqualTo(likeliest);
  }

  @Test
  void aConversationRemembersAndRepeatsNothing() {
    Chat chat = model.chat().options(GREEDY);
    chat.ask("ab");
    Answer answer = chat.ask("cd", piece -> {});
    assertThat(chat.messages())
        .extracting(Message::role)
        .containsExactly("user", "assistant", "user", "assistant");
    assertThat(answer.generation().cachedTokens()).isGreaterThan(0);
    assertThat(chat.messages().getLast().content()).isEqualTo(answer.content());
  }

  @Test
  void impossibleTokensAndThreadsAreNamed() {
    assertThatThrownBy(() -> model.newSession().generate(new int[0], GREEDY, token -> {}))
        .hasMessageContaining("prompt is empty");
    assertThatThrownBy(() -> model.newSession().generate(new int[] {1, 512}, GREEDY, token -> {}))
        .hasMessage("token 512 is not in the vocabulary, expected 0 to 511");
    assertThatThrownBy(() -> model.newSession(1 << 20)).hasMessageContaining("num_ctx is 1048576");
    assertThatThrownBy(() -> ModelOptions.DEFAULT.withThreads(0))
        .hasMessage("threads is 0, expected 1 to 1024");
  }

  @Test
  void aClosedModelSaysSo() throws URISyntaxException {
    Model other =
        Model.load(Path.of(SessionTest.class.getResource("/golden/tiny-Q8_0.gguf").toURI()));
    Session session = other.newSession();
    Tokenizer tokenizer = other.tokenizer();
    other.close();
    assertThatThrownBy(() -> session.generate(new int[] {tokenizer.bos()}, GREEDY, token -> {}))
        .isInstanceOf(PelicanException.class)
        .hasMessage("the model is closed");
  }
}
