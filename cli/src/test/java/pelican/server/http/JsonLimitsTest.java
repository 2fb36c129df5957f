package pelican.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonLimitsTest {
  private static int status(Throwable e) {
    return ((ApiException) e).status();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"a\":1e400}|\"a\" is a number out of range",
        "{\"a\":{\"b\":[0,-1e999]}}|\"a.b[1]\" is a number out of range",
        "1e400|the body is a number out of range",
        "{\"a\":NaN}|invalid JSON",
        "{\"a\":Infinity}|invalid JSON",
        "{\"a\":1}}|invalid JSON",
        "{\"a\":1} {}|invalid JSON",
        "{\"a\":01}|invalid JSON"
      })
  void namesWhatIsWrong(String json, String part) {
    assertThatThrownBy(() -> Json.parse(json))
        .hasMessageContaining(part)
        .satisfies(e -> assertThat(status(e)).isEqualTo(400));
  }

  @Test
  void depthSizeAndDigitsAreBounded() {
    for (String json :
        new String[] {
          "[".repeat(129),
          "{\"a\":".repeat(1000),
          "1".repeat(65),
          "{\"" + "x".repeat(10_001) + "\":1}",
          "[" + "{},".repeat(1_000_000) + "{}]"
        }) {
      assertThatThrownBy(() -> Json.parse(json))
          .hasMessageStartingWith("the JSON exceeds a limit: ")
          .hasMessageNotContaining("\n")
          .satisfies(e -> assertThat(status(e)).isEqualTo(400));
    }
    assertThat(Json.parse("[".repeat(127) + "1e-400" + "]".repeat(127)).isArray()).isTrue();
  }

  @Test
  void bodiesTogetherAreBounded() {
    BodyBudget budget = new BodyBudget(100);
    budget.take(60);
    budget.take(40);
    assertThatThrownBy(() -> budget.take(1))
        .hasMessageStartingWith("server busy, please try again.")
        .satisfies(e -> assertThat(status(e)).isEqualTo(503));
    budget.giveBack(60);
    budget.take(60);
  }
}
