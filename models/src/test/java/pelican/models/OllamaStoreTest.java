package pelican.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pelican.engine.PelicanException;

class OllamaStoreTest {
  private static final ModelName Q4 = ModelName.parse("batiai/gemma4-e2b:q4");
  private static final ModelName Q6 = ModelName.parse("batiai/gemma4-e2b:q6");

  @TempDir private Path root;
  private OllamaStore store;

  @BeforeEach
  void layOut() {
    Stores.add(root, Q4, Stores.layers("q4"));
    Stores.add(root, Q6, Stores.layers("q6"));
    store = new OllamaStore(root);
  }

  @Test
  void readsWhatOllamaWrote() throws IOException {
    assertThat(store.list()).extracting(StoredModel::name).containsExactlyInAnyOrder(Q4, Q6);
    StoredModel model = store.find(ModelName.parse("BATIAI/Gemma4-E2B:Q4")).orElseThrow();
    assertThat(model.name()).isEqualTo(Q4);
    assertThat(Files.readString(model.file())).startsWith("GGUF of q4");
    assertThat(model.system()).contains("You are q4.");
    assertThat(model.license()).contains("Do as you like.");
    assertThat(model.template()).isEmpty();
    assertThat(model.parameters())
        .containsEntry("stop", List.of("<turn|>"))
        .containsEntry("temperature", List.of("1"));
    assertThat(model.config().get("file_type").asString()).isEqualTo("Q4_K_M");
    long layers = Stores.layers("q4").values().stream().mapToLong(b -> b.length).sum();
    assertThat(model.manifest().size()).isEqualTo(layers + Stores.config().length);
  }

  @Test
  void copiesShareBlobsAndRemovalKeepsWhatOthersHave() throws IOException {
    ModelName copy = ModelName.parse("mine");
    store.copy(Q4, copy);
    store.remove(Q4);
    StoredModel model = store.find(copy).orElseThrow();
    assertThat(Files.readString(model.file())).startsWith("GGUF of q4");
    assertThat(model.license()).isPresent();
    store.remove(copy);
    assertThat(model.store().blob(Digest.of(Stores.layers("q4").get("model")))).doesNotExist();
    // The licence is the other model's, too.
    assertThat(store.find(Q6).orElseThrow().license()).isPresent();
    assertThat(root.resolve("manifests/registry.ollama.ai/library")).doesNotExist();
    assertThatThrownBy(() -> store.remove(copy))
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining("model 'mine:latest' not found");
  }

  @Test
  void aDamagedManifestHidesOnlyItselfAndStopsRemovalOfBlobs() throws IOException {
    Path bad = root.resolve("manifests/registry.ollama.ai/library/bad/latest");
    Files.createDirectories(bad.getParent());
    Files.writeString(bad, "{\"layers\":[{\"digest\":\"sha256:../../etc\",\"size\":1}]}");
    assertThat(store.list()).hasSize(2);
    assertThatThrownBy(() -> store.find(ModelName.parse("bad")))
        .hasMessageContaining("damaged manifest");
    store.remove(Q4);
    assertThat(store.blob(Digest.of(Stores.layers("q4").get("model")))).exists();
  }

  @Test
  void aModelWithoutItsBlobsIsNotPublished() {
    byte[] manifest = Stores.manifest(Stores.config(), Stores.layers("other"));
    assertThatThrownBy(() -> store.publish(ModelName.parse("other"), manifest))
        .hasMessageContaining("is missing");
    assertThat(store.list()).hasSize(2);
  }

  @Test
  void wordsAreResolved() throws IOException {
    Path config = root.resolve("aliases.properties");
    Files.writeString(config, "mine = batiai/gemma4-e2b:q6\nfile = " + config + "\n");
    ModelResolver resolver = new ModelResolver(new Aliases(config), store);
    assertThat(resolver.resolve("q4").name()).isEqualTo("batiai/gemma4-e2b:q4");
    assertThat(resolver.resolve("MINE").file()).isEqualTo(store.find(Q6).orElseThrow().file());
    assertThat(resolver.resolve("batiai/gemma4-e2b:q6").stored()).isPresent();
    assertThat(resolver.resolve("file").file()).isEqualTo(config);
    assertThat(resolver.resolve("./x.gguf").stored()).isEmpty();
    assertThatThrownBy(() -> resolver.resolve("q5"))
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining("model 'q5' not found; known: q4, q6")
        .hasMessageContaining("pelican pull q5:latest");
    store.remove(Q4);
    assertThatThrownBy(() -> resolver.resolve("q4"))
        .hasMessageContaining("(it stands for batiai/gemma4-e2b:q4)")
        .hasMessageContaining("pelican pull batiai/gemma4-e2b:q4");
  }
}
