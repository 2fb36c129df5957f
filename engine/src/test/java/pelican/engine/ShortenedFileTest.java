package pelican.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A model whose file another process shortens: an error, and nothing else breaks. */
class ShortenedFileTest {
  private static final Path TINY = Path.of("src/test/resources/golden/tiny-Q4_K_M.gguf");

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(longs = {100, 2_000_000, 4_200_000})
  void isSaidWhenItsWeightsAreNeeded(long left) throws IOException {
    assumeTrue(System.getProperty("os.name").equals("Linux"));
    Path path = Files.copy(TINY, folder.resolve("model.gguf"));
    try (Model model = Model.load(path)) {
      assertThat(generate(model, 300)).isPositive();
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
        channel.truncate(left);
      }
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> generate(model, 30))
            .isInstanceOf(PelicanException.class)
            .hasMessageContaining("model.gguf: the file became shorter");
      }
    }
    try (Model model = Model.load(TINY)) {
      assertThat(generate(model, 3)).isPositive();
    }
  }

  private static int generate(Model model, int most) {
    return model
        .newSession(1000)
        .generate(
            model.encodeText("the cat"), GenerationOptions.DEFAULT.withMaxTokens(most), token -> {})
        .tokens()
        .length;
  }
}
