package pelican.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufWriter;
import pelican.gguf.SmallModels;
import pelican.gguf.TensorInfo;
import pelican.sampling.SamplingOptions;

/** Files that are whole in form and damaged in what they hold. */
@Timeout(120)
class DamagedWeightsTest {
  private static final Path TINY = Path.of("src/test/resources/golden/tiny-Q4_K_M.gguf");
  private static final int NAN = 0x7e00;
  private static final int INFINITY = 0x7c00;

  @TempDir private Path folder;

  /** Overwrites the scale of a tensor's first block. */
  private Path damaged(String tensor, int scaleOffset, int half) throws IOException {
    Path path = Files.copy(TINY, folder.resolve("damaged.gguf"));
    TensorInfo info;
    try (GgufFile file = GgufFile.open(path)) {
      info = file.tensor(tensor);
    }
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.seek(info.offset() + scaleOffset);
      file.write(half);
      file.write(half >> 8);
    }
    return path;
  }

  @ParameterizedTest
  @CsvSource({
    "blk.0.attn_q.weight, 0",
    "blk.2.attn_k.weight, 0",
    "blk.1.attn_v.weight, 0",
    "blk.1.attn_output.weight, 0",
    "blk.1.ffn_gate.weight, 0",
    "blk.5.ffn_up.weight, 0",
    "blk.5.ffn_down.weight, 208",
    "blk.3.proj.weight, 0",
    "output_norm.weight, 2",
    "blk.4.post_ffw_norm.weight, 2",
  })
  void endInAnErrorAndNotInNonsense(String tensor, int scaleOffset) throws IOException {
    for (int half : new int[] {NAN, INFINITY}) {
      // The upper half of a float that is NaN or infinite has other bits.
      int value = scaleOffset != 2 ? half : half == NAN ? 0x7fc0 : 0x7f80;
      Path path = damaged(tensor, scaleOffset, value);
      try (Model model = Model.load(path)) {
        for (SamplingOptions sampling :
            List.of(
                SamplingOptions.GREEDY,
                SamplingOptions.GEMMA,
                SamplingOptions.GEMMA.toBuilder().topK(0).typicalP(0.9).minP(0.1).build())) {
          GenerationOptions options =
              GenerationOptions.DEFAULT.withSampling(sampling).withMaxTokens(4);
          for (int top : new int[] {-1, 0, 3}) {
            assertThatThrownBy(() ->
                    model
                        .newSession()
                        .generate(
                            model.encodeText("the cat"),
                            options.withTopLogProbabilities(top),
                            token -> {}))
                .as(tensor)
                .isInstanceOf(PelicanException.class)
                .hasMessageMatching(".*(NaN|Infinity).*")
                .hasMessageContaining("damaged?");
          }
        }
        // one token, two, a few and many: each number goes through kernels of its own
        for (int tokens : new int[] {1, 2, 5, 100}) {
          int[] prompt = Arrays.copyOf(model.encodeText("the cat sat ".repeat(100)), tokens);
          assertThatThrownBy(() -> model.newSession().logits(prompt))
              .as("%s, %d tokens", tensor, tokens)
              .isInstanceOf(PelicanException.class)
              .hasMessageContaining("damaged?");
        }
      }
      Files.delete(path);
    }
  }

  @Test
  void theFileSaysHowToSample() throws IOException {
    assertThat(load(SmallModels.gemma4Writer())).isEqualTo(SamplingOptions.GEMMA);
    GgufWriter writer = SmallModels.gemma4Writer();
    writer.put("general.sampling.temp", 0.5f).put("general.sampling.top_p", 0.75f);
    writer.putUint32("general.sampling.top_k", 20).put("general.sampling.min_p", 0.125f);
    writer.putUint32("general.sampling.penalty_last_n", 7);
    writer.put("general.sampling.penalty_repeat", 1.25f);
    assertThat(load(writer))
        .isEqualTo(
            new SamplingOptions(0.5, 20, 0.75, 0.125, 1, 7, 1.25, 0, 0, OptionalLong.empty()));
    for (float wrong : new float[] {-1, Float.NaN, 2}) {
      assertThatThrownBy(
              () -> load(SmallModels.gemma4Writer().put("general.sampling.top_p", wrong)))
          .isInstanceOf(PelicanException.class)
          .hasMessageContaining("small.gguf: metadata general.sampling.*: top_p is ");
    }
    assertThatThrownBy(() -> load(SmallModels.gemma4Writer().put("general.sampling.top_k", "all")))
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining("general.sampling.top_k");
  }

  private SamplingOptions load(GgufWriter writer) throws IOException {
    Path path = folder.resolve("small.gguf");
    writer.write(path);
    try (Model model = Model.load(path)) {
      assertThat(model.chat().options().sampling()).isEqualTo(model.recommendedSampling());
      return model.recommendedSampling();
    }
  }
}
