package pelican.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import pelican.engine.FinishReason;
import pelican.engine.Generation;
import pelican.engine.GenerationOptions;
import pelican.engine.Model;
import pelican.sampling.SamplingOptions;

class SyntheticModelTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource
  void aSmallOneRuns(SyntheticModel.Mix mix) throws Exception {
    Path file = folder.resolve(mix + ".gguf");
    SyntheticModel.write(file, SyntheticModel.Shape.SMALL, mix);
    try (Model model = Model.load(file)) {
      Generation generation =
          model
              .newSession(100)
              .generate(
                  model.encodeText("abc"),
                  GenerationOptions.DEFAULT
                      .withMaxTokens(8)
                      .withSampling(new SamplingOptions.Builder().seed(1).build()),
                  token -> {});
      assertThat(generation.tokens().length).isBetween(1, 8);
      assertThat(generation.reason()).isIn(FinishReason.STOP, FinishReason.LENGTH);
    }
  }
}
