package pelican.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pelican.engine.PelicanException;

class ModelNameTest {
  @ParameterizedTest
  @CsvSource({
    "gemma4, registry.ollama.ai/library/gemma4/latest, gemma4:latest",
    "me/x:1b, registry.ollama.ai/me/x/1b, me/x:1b",
    "h:5000/me/x, h:5000/me/x/latest, h:5000/me/x:latest",
    "hf.co/org/repo:Q4_K_M, hf.co/org/repo/Q4_K_M, hf.co/org/repo:Q4_K_M",
    "https://registry.ollama.ai/library/a:b, registry.ollama.ai/library/a/b, a:b",
    "batiai/gemma4-e2b:q4, registry.ollama.ai/batiai/gemma4-e2b/q4, batiai/gemma4-e2b:q4",
  })
  void namesHaveDefaultsAndAShortForm(String text, String path, String display) {
    ModelName name = ModelName.parse(text);
    assertThat(name.host() + "/" + name.namespace() + "/" + name.model() + "/" + name.tag())
        .isEqualTo(path);
    assertThat(name.display()).isEqualTo(display);
    assertThat(ModelName.parse(display)).isEqualTo(name);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":",
        "a:",
        "/a",
        "a/",
        "a/b/c/d",
        "../x",
        "..",
        "x:..",
        "a/../b",
        "localhost:5000/m",
        "x@sha256:00",
        "a b",
        ".hidden",
        "x:-tag",
        "n.s/x",
        "\u0000"
      })
  void othersAreRefused(String text) {
    assertThatThrownBy(() -> ModelName.parse(text))
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining("no valid model name");
  }
}
