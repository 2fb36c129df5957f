package pelican.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pelican.engine.PelicanException;
import pelican.models.quantize.QuantizationMix;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ModelCreatorTest {
  private static final ModelName NAME = ModelName.parse("me/mine:1");

  @TempDir private Path folder;
  private OllamaStore store;
  private ModelCreator creator;
  private final List<String> statuses = new ArrayList<>();

  @BeforeEach
  void layOut() throws IOException {
    Files.copy(DemoModel.Q4_K_M.unpack(), folder.resolve("demo.gguf"));
    store = new OllamaStore(folder.resolve("store"));
    creator = new ModelCreator(store, statuses::add);
  }

  private StoredModel create(ModelName name, String recipe) {
    return create(name, recipe, Optional.empty());
  }

  private StoredModel create(ModelName name, String text, Optional<QuantizationMix> mix) {
    Modelfile recipe = Modelfile.parse(text, "Modelfile");
    ModelResolver resolver = new ModelResolver(new Aliases(folder.resolve("none")), store);
    return creator.create(name, ModelCreator.base(recipe, folder, resolver), recipe, mix);
  }

  @Test
  void writesWhatTheRecipeSays() throws IOException {
    StoredModel model =
        create(
            NAME,
            """
            # a recipe
            from ./demo.gguf
            PARAMETER temperature 0.5
            PARAMETER top_k 40
            PARAMETER stop "<a b>"
            PARAMETER stop </b>
            SYSTEM \"""You are "short".
            Twice.\"""
            TEMPLATE "{{ .Prompt }}"
            LICENSE Do as you like.
            MESSAGE user Hello there
            MESSAGE assistant Hi
            """);
    assertThat(model.file()).hasSameBinaryContentAs(folder.resolve("demo.gguf"));
    assertThat(model.system()).contains("You are \"short\".\nTwice.");
    assertThat(model.template()).contains("{{ .Prompt }}");
    assertThat(model.license()).contains("Do as you like.");
    assertThat(model.parameters())
        .containsEntry("temperature", List.of("0.5"))
        .containsEntry("top_k", List.of("40"))
        .containsEntry("stop", List.of("<a b>", "</b>"));
    assertThat(model.config().get("model_family").asString()).isEqualTo("gemma4");
    assertThat(model.config().get("file_type").asString()).isEqualTo("Q4_K_M");
    assertThat(model.config().get("renderer").asString()).isEqualTo("gemma4");
    assertThat(model.config().get("parser").asString())
        .as("the demo model neither thinks nor calls tools")
        .isEqualTo("passthrough");
    assertThat(statuses)
        .contains("creating new layer " + Digest.of(folder.resolve("demo.gguf")))
        .endsWith("writing manifest");
    JsonNode manifest = JsonMapper.shared().readTree(model.manifest().bytes());
    assertThat(manifest.get("schemaVersion").asInt()).isEqualTo(2);
    for (Manifest.Layer layer : model.manifest().blobs()) {
      assertThat(Digest.of(store.blob(layer.digest()))).isEqualTo(layer.digest());
      assertThat(Files.size(store.blob(layer.digest()))).isEqualTo(layer.size());
    }
    try (Stream<Path> blobs = Files.list(store.root().resolve("blobs"))) {
      assertThat(blobs).hasSize(model.manifest().blobs().size());
    }
  }

  @Test
  void buildsOnAnotherModelAndReplacesAnEarlierOne() throws IOException {
    create(NAME, "FROM demo.gguf\nSYSTEM one\nPARAMETER top_k 3\nPARAMETER stop x");
    ModelName next = ModelName.parse("next");
    StoredModel second = create(next, "FROM me/mine:1\nPARAMETER stop y\nPARAMETER seed 7");
    assertThat(second.system()).contains("one");
    assertThat(second.parameters())
        .containsEntry("top_k", List.of("3"))
        .containsEntry("stop", List.of("y"))
        .containsEntry("seed", List.of("7"));
    assertThat(statuses).contains("using existing layer " + Digest.of(second.file()));
    StoredModel third = create(next, "FROM me/mine:1\nSYSTEM two");
    assertThat(third.system()).contains("two");
    assertThat(store.list()).hasSize(2);
    assertThat(store.find(NAME).orElseThrow().system()).contains("one");
  }

  /** Progress that ends the work when it is told the n-th time. */
  private static final class Ending implements ModelCreator.Progress {
    private int left;

    Ending(int told) {
      left = told;
    }

    private void tell() {
      if (--left < 0) {
        throw new UncheckedIOException(new IOException("enough"));
      }
    }

    @Override
    public void status(String text) {
      tell();
    }

    @Override
    public void advance(String work, long completed, long total) {
      assertThat(completed).isBetween(1L, total);
      tell();
    }
  }

  @ParameterizedTest
  @CsvSource({"Q8_0", "''"})
  void workThatIsEndedLeavesNoModelAndNothingUnfinished(String mix) throws IOException {
    Optional<QuantizationMix> to =
        mix.isEmpty() ? Optional.empty() : Optional.of(QuantizationMix.named(mix));
    Path file = folder.resolve("demo.gguf");
    ModelResolver.Resolved base = new ModelResolver.Resolved("demo", file, Optional.empty());
    boolean ended = true;
    for (int told = 0; ended; told += mix.isEmpty() ? 1 : 7) {
      try {
        new ModelCreator(store, new Ending(told))
            .create(NAME, base, Modelfile.parse("FROM demo.gguf", "it"), to);
        ended = false;
        assertThat(told).as("how often it is told").isGreaterThan(10);
      } catch (UncheckedIOException e) {
        assertThat(e).hasMessageContaining("enough");
        assertThat(store.find(NAME)).isEmpty();
        try (Stream<Path> blobs = Files.list(store.root().resolve("blobs"))) {
          assertThat(blobs).allMatch(blob -> blob.getFileName().toString().startsWith("sha256-"));
        }
      }
    }
    assertThat(store.find(NAME)).isPresent();
  }

  @Test
  void addsAModelAsItIs() throws IOException {
    Path file = folder.resolve("demo.gguf");
    StoredModel model =
        creator.add(NAME, new ModelResolver.Resolved("demo", file, Optional.empty()));
    assertThat(model.file()).hasSameBinaryContentAs(file);
    assertThat(model.manifest().layers()).hasSize(1);
  }

  @Test
  void quantizes() {
    StoredModel model = create(NAME, "FROM demo.gguf", Optional.of(QuantizationMix.named("Q8_0")));
    assertThat(model.config().get("file_type").asString()).isEqualTo("Q8_0");
    assertThat(model.manifest().blobs()).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "PARAMETER top_k 3|0 FROM lines, expected one",
        "FROM a\\nFROM b|2 FROM lines, expected one",
        "FROM demo.gguf\\nADAPTER x|line 2: ADAPTER is not supported",
        "FROM demo.gguf\\nFOO x|line 2: unknown instruction 'FOO'",
        "FROM demo.gguf\\nSYSTEM \"\"\"open|line 2: SYSTEM opens \"\"\" that nothing closes",
        "FROM demo.gguf\\nMESSAGE robot hi|line 2: MESSAGE has the role 'robot'",
        "FROM demo.gguf\\nPARAMETER top_k many|line 2: parameter top_k is 'many', expected an int",
        "FROM demo.gguf\\nPARAMETER temperature NaN|temperature is 'NaN', expected a number",
        "FROM demo.gguf\\nPARAMETER nonsense 1|line 2: unknown parameter 'nonsense'",
        "FROM demo.gguf\\nPARAMETER top_k|line 2: PARAMETER has no value",
        "FROM ./none.gguf|none.gguf",
        "FROM nobody/knows|model 'nobody/knows' not found"
      })
  void refusesOtherRecipes(String recipe, String message) {
    assertThatThrownBy(() -> create(NAME, recipe.replace("\\n", "\n")))
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining(message);
    assertThat(store.list()).isEmpty();
  }
}
