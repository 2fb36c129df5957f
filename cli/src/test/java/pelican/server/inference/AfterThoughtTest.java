package pelican.server.inference;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import pelican.engine.Model;
import pelican.sampling.TokenConstraint;
import pelican.tokenizer.Tokenizer;

class AfterThoughtTest {
  private static final Path TINY = Path.of("../engine/src/test/resources/golden/tiny-Q4_K_M.gguf");

  /** Allows one token and remembers what was accepted. */
  private static final class Only implements TokenConstraint {
    private final int token;
    private final List<Integer> accepted = new ArrayList<>();

    Only(int token) {
      this.token = token;
    }

    @Override
    public void mask(float[] logits, int offset, int vocabulary) {
      for (int i = 0; i < vocabulary; i++) {
        if (i != token) {
          logits[offset + i] = Float.NEGATIVE_INFINITY;
        }
      }
    }

    @Override
    public boolean allows(int asked) {
      return asked == token;
    }

    @Override
    public void accept(int accepted) {
      this.accepted.add(accepted);
    }
  }

  private static List<Integer> allowed(TokenConstraint constraint, int vocabulary) {
    float[] logits = new float[vocabulary];
    constraint.mask(logits, 0, vocabulary);
    List<Integer> allowed = new ArrayList<>();
    for (int i = 0; i < vocabulary; i++) {
      if (logits[i] == 0) {
        allowed.add(i);
      }
    }
    assertThat(IntStream.range(0, vocabulary).filter(constraint::allows).boxed().toList())
        .isEqualTo(allowed);
    return allowed;
  }

  @Test
  void constrainsWhatIsSaidAndNotWhatIsThought() {
    try (Model model = Model.load(TINY)) {
      Tokenizer tokenizer = model.tokenizer();
      int open = tokenizer.id("<|channel>");
      int close = tokenizer.id("<channel|>");
      int spoken = 300;
      int vocabulary = tokenizer.size();
      assertThat(List.of(open, close)).doesNotContain(-1, spoken);
      Only only = new Only(spoken);
      AfterThought constraint = new AfterThought(only, tokenizer, false);
      assertThat(allowed(constraint, vocabulary)).containsExactlyInAnyOrder(open, spoken);
      constraint.accept(open);
      List<Integer> thought = allowed(constraint, vocabulary);
      assertThat(thought)
          .contains(close, 301)
          .doesNotContainAnyElementsOf(tokenizer.endOfGeneration());
      constraint.accept(301);
      constraint.accept(close);
      assertThat(allowed(constraint, vocabulary)).containsExactly(spoken);
      constraint.accept(spoken);
      assertThat(only.accepted).isEqualTo(Arrays.asList(spoken));

      Only silent = new Only(spoken);
      AfterThought unthinking = new AfterThought(silent, tokenizer, false);
      unthinking.accept(spoken);
      assertThat(allowed(unthinking, vocabulary)).containsExactly(spoken);
      AfterThought within = new AfterThought(new Only(spoken), tokenizer, true);
      assertThat(allowed(within, vocabulary)).contains(close, 301);
    }
  }
}
