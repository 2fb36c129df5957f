package pelican.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class FiguresTest {
  @Test
  void speedIsSteadyFromTheFirstTokensNearTheLastOnes() {
    assertThat(Figures.steadyFrom(List.of(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0))).isEqualTo(1);
    assertThat(Figures.steadyFrom(List.of(9.0, 5.0, 3.0, 1.2, 1.05, 1.0, 1.0, 1.1, 1.0, 1.0)))
        .isEqualTo(4);
    // one slow token among fast ones is not the end of it
    assertThat(Figures.steadyFrom(List.of(1.0, 1.0, 7.0, 1.0, 1.0, 1.0, 1.0, 1.0))).isEqualTo(1);
    // faster at the start than later: steady at once
    assertThat(Figures.steadyFrom(List.of(0.5, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0))).isEqualTo(1);
  }

  @Test
  void findsThePromptThatMakesSoManyTokens() {
    Path tiny = Path.of("../engine/src/test/resources/golden/tiny-Q4_K_M.gguf");
    Figures.Prompt shortest = Figures.prompt(tiny, 1);
    assertThat(shortest.text()).isEqualTo("q");
    Figures.Prompt longer = Figures.prompt(tiny, shortest.tokens() + 7);
    assertThat(longer.tokens()).isEqualTo(shortest.tokens() + 7);
    assertThat(longer.text()).hasSizeGreaterThan(1);
  }
}
