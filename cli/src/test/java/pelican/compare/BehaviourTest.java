package pelican.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Measures of answers, against values that were worked out by hand. */
class BehaviourTest {
  private static int[] tokens(int... ids) {
    return ids;
  }

  @Test
  void agreementIsTheSharedPartOfBothAnswers() {
    assertThat(AnswerCheck.agreement(tokens(1, 2, 3, 4), tokens(1, 3, 4, 5))).isEqualTo(6.0 / 8);
    assertThat(AnswerCheck.agreement(tokens(1, 2), tokens(2, 1))).isEqualTo(2.0 / 4);
    assertThat(AnswerCheck.agreement(tokens(), tokens(7))).isZero();
    assertThat(AnswerCheck.agreement(tokens(), tokens())).isEqualTo(1);
  }

  @Test
  void stabilityIsTheMeanOverPairsOfSeeds() {
    List<int[]> reference = List.of(tokens(1, 2), tokens(1, 3), tokens(4, 5));
    List<int[]> other = List.of(tokens(1, 2), tokens(1, 2), tokens(1, 5));
    List<Behaviour.Stability> found = Behaviour.stability(List.of(reference, other));
    // The reference's pairs share 1, 0 and 0 of 2 tokens; the other's 2, 1 and 1.
    assertThat(found.get(0).within()).isCloseTo((0.5 + 0 + 0) / 3, within(1e-12));
    assertThat(found.get(0).between()).isEqualTo(1);
    assertThat(found.get(1).within()).isCloseTo((1 + 0.5 + 0.5) / 3, within(1e-12));
    assertThat(found.get(1).between()).isCloseTo((1 + 0.5 + 0.5) / 3, within(1e-12));
    List<int[]> single = List.of(tokens(9));
    assertThat(Behaviour.stability(List.of(single)).getFirst())
        .isEqualTo(new Behaviour.Stability(1, 1));
  }

  @Test
  void repetitionCountsRunsOfFourThatCameBefore() {
    assertThat(AnswerCheck.repetition(tokens(1, 2, 3))).isZero();
    assertThat(AnswerCheck.repetition(tokens(1, 2, 3, 4, 5, 6))).isZero();
    // The runs 1234, 2341, 3412, 4123, 1234: one of five came before.
    assertThat(AnswerCheck.repetition(tokens(1, 2, 3, 4, 1, 2, 3, 4)))
        .isCloseTo(0.2, within(1e-12));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "number|43|17 plus 26 is 43.|true",
        "number|43|43 is not 44|false",
        "number|-2.5|It is -2.5|true",
        "number|43|I do not know|false",
        "json||{\"a\": [1]}|true",
        "json||{\"a\": 1} and so on|false",
        "json||{'a': 1}|false",
        "svg||<svg xmlns=\"http://www.w3.org/2000/svg\"><circle r=\"1\"/></svg>|true",
        "svg||<svg><circle></svg>|false",
        "svg||<html/>|false"
      })
  void tellsWhatIsRightOrWellFormed(String kind, String expected, String answer, boolean formed) {
    Prompt prompt = new Prompt("?", kind, expected == null ? "" : expected);
    assertThat(AnswerCheck.wellFormed(prompt, answer)).contains(formed);
  }
}
