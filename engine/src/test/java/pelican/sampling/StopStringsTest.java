package pelican.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopStringsTest {
  @Test
  void endsBeforeTheFirstStopHoweverTheTextIsCut() {
    Random random = new Random(3);
    List<String> stops = List.of("aab", "bb", "cab");
    for (int round = 0; round < 5000; round++) {
      StringBuilder text = new StringBuilder();
      for (int i = random.nextInt(12); i > 0; i--) {
        text.append("abc".charAt(random.nextInt(3)));
      }
      StopStrings filter = new StopStrings(stops);
      StringBuilder out = new StringBuilder();
      int at = 0;
      while (at < text.length() && !filter.stopped()) {
        int next = Math.min(text.length(), at + 1 + random.nextInt(3));
        out.append(filter.accept(text.substring(at, next)));
        at = next;
      }
      out.append(filter.finish());
      assertThat(out.toString())
          .as(text.toString())
          .isEqualTo(expected(text.toString(), at, stops));
    }
  }

  /** The text as far as it was read, up to the first stop string in it. */
  private static String expected(String text, int read, List<String> stops) {
    String seen = text.substring(0, read);
    int first =
        stops.stream().mapToInt(seen::indexOf).filter(i -> i >= 0).min().orElse(seen.length());
    return seen.substring(0, first);
  }

  @Test
  void holdsBackOnlyWhatMayBeginAStop() {
    StopStrings filter = new StopStrings(List.of("END"));
    assertThat(filter.accept("the E")).isEqualTo("the ");
    assertThat(filter.accept("N")).isEmpty();
    assertThat(filter.accept("T")).isEqualTo("ENT");
    assertThat(filter.accept("EN")).isEmpty();
    assertThat(filter.finish()).isEqualTo("EN");
    assertThat(filter.stopped()).isFalse();
    assertThat(new StopStrings(List.of("")).accept("x")).isEqualTo("x");
  }
}
